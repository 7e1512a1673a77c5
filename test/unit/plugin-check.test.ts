/** `cairn plugin check`: real libraries, compiled here, and what is said of each; what a hostile one does is done elsewhere. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { examine } from '../../debug-adapter/src/cli/commands/plugin-check.js';
import { ABI, builtInPlugins } from '../../debug-adapter/src/model/plugin-check.js';
import { inTree } from '../support/tree.js';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-check-'));
});
after(() => rmSync(folder, { recursive: true }));

function build(name: string, code: string, ...flags: string[]): string {
  const [source, library] = [join(folder, `${name}.c`), join(folder, `${name}.so`)];
  writeFileSync(source, `#include <cairn/plugin.h>\n#include <stddef.h>\n${code}`);
  const headers = `-I${inTree('native-agent/include')}`;
  execFileSync('gcc', ['-shared', '-fPIC', '-fvisibility=hidden', headers, source, '-o', library, ...flags], { stdio: 'pipe' });
  return library;
}

const plugin = (name: string, rest = '0, 0, 0, 0, 0, 0', major = 'CAIRN_PLUGIN_ABI_MAJOR'): string => `
static const struct cairn_plugin plugin = {sizeof plugin, ${major}, CAIRN_PLUGIN_ABI_MINOR, 0, "${name}", "2.1", "Acme", ${rest}};
CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) { (void)major; (void)minor; return &plugin; }
`;

test('the version and the names of built-in plugins are those of the sources', () => {
  const header = readFileSync(inTree('native-agent/include/cairn/plugin.h'), 'utf8');
  assert.equal(/ABI_MAJOR (\d+)/.exec(header)?.[1], `${ABI.major}`);
  assert.equal(/ABI_MINOR (\d+)/.exec(header)?.[1], `${ABI.minor}`);
  const builtin = readFileSync(inTree('native-agent/src/events/builtin.cc'), 'utf8');
  const names = [...builtin.matchAll(/extern const struct cairn_plugin cairn_plugin_(\w+);/g)].map(([, name]) => name);
  assert.deepEqual(new Set(builtInPlugins), new Set(names));
});

test('a plugin that is as it should be can be used, also at a restart', async () => {
  const code = `
    static int32_t event(uint32_t number, void *data) { (void)number; (void)data; return 0; }
    static const char *const down[] = {"drain", "save", NULL}, *const up[] = {"load", NULL};
    static int32_t barrier(const char *name, uint32_t restart) { (void)name; (void)restart; return 0; }
    ${plugin('acme', '0, event, 0, down, up, barrier')}`;
  const report = await examine(build('good', code));
  assert.equal(report.usable, true);
  assert.deepEqual([report.reasons, report.warnings, report.notAtRestart], [[], [], []]);
  assert.ok(report.plugin);
  const { size: _, ...rest } = report.plugin;
  assert.deepEqual(rest, {
    name: 'acme',
    version: '2.1',
    author: 'Acme',
    abi: ABI,
    callbacks: ['event', 'barrier'],
    checkpointBarriers: ['drain', 'save'],
    restartBarriers: ['load'],
    wraps: [],
  });
});

for (const [name, code, reason] of [
  ['no-entry', 'int nothing;', /does not export cairn_plugin_entry/],
  ['other-major', plugin('acme', '0, 0, 0, 0, 0, 0', '7'), /built for version 7\.1 of cairn\/plugin\.h/],
  [
    'undefined',
    `extern int vpi_get(int); int (*keep)(int) = 0; ${plugin('acme')} int use(void) { return vpi_get(1); }`,
    /nobody defines vpi_get/,
  ],
  ['bad-name', plugin('acme corp'), /name "acme corp" has other characters/],
  ['taken', plugin('file'), /is that of a built-in plugin/],
  ['no-function', `static const char *const up[] = {"a", NULL}; ${plugin('acme', '0, 0, 0, 0, up, 0')}`, /no function for them/],
  [
    'twice',
    `static int32_t b(const char *n, uint32_t r) { (void)n; (void)r; return 0; } static const char *const up[] = {"a", "a", NULL}; ${plugin('acme', '0, 0, 0, 0, up, b')}`,
    /two barriers "a"/,
  ],
  [
    'crash',
    `__attribute__((constructor)) static void go(void) { *(volatile int *)8 = 1; } ${plugin('acme')}`,
    /while it was loaded: it crashed \(SIGSEGV\)/,
  ],
  [
    'entry',
    'CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t a, uint32_t b) { (void)a; (void)b; *(volatile int *)8 = 1; return 0; }',
    /in its entry: it crashed \(SIGSEGV\)/,
  ],
  [
    'nothing',
    'CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t a, uint32_t b) { (void)a; (void)b; return NULL; }',
    /gives nothing for version 1\.1/,
  ],
  [
    'wild',
    'CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t a, uint32_t b) { (void)a; (void)b; return (const void *)64; }',
    /in its entry: it crashed/,
  ],
  [
    'leaves',
    '#include <stdlib.h>\n#include <unistd.h>\n__attribute__((constructor)) static void go(void) { _exit(0); }',
    /while it was loaded: it ended the process/,
  ],
] as const) {
  test(`why it cannot be used is said: ${name}`, async () => {
    const report = await examine(build(name, code));
    assert.equal(report.usable, false);
    assert.match(report.reasons.join('\n'), reason);
  });
}

test('a library that needs what is not there is not loaded', async () => {
  build('other', 'CAIRN_EXPORT int other(void); int other(void) { return 1; }', '-Wl,-soname,libacme-other.so');
  const library = build(
    'needing',
    `extern int other(void); ${plugin('acme')} CAIRN_EXPORT int use(void); int use(void) { return other(); }`,
    join(folder, 'other.so'),
  );
  const report = await examine(library);
  assert.match(report.reasons.join('\n'), /cannot be loaded: libacme-other\.so/);
  assert.match(report.notAtRestart.join('\n'), /only where the program has loaded libacme-other\.so/);
});

test('what may break is said', async () => {
  const code = `
    #include <signal.h>
    #include <stdlib.h>
    __thread int counter;
    CAIRN_EXPORT int open(const char *path, int flags);
    int open(const char *path, int flags) { return path != NULL ? flags : counter; }
    CAIRN_EXPORT int helper(void);
    int helper(void) { void *memory = malloc(3); signal(SIGINT, SIG_IGN); return memory != NULL; }
    __attribute__((constructor)) static void go(void) { counter = 1; }
    ${plugin('acme')}`;
  const report = await examine(build('breaking', code, '-Wl,-z,execstack'));
  assert.equal(report.usable, true);
  const said = report.warnings.join('\n');
  for (const text of [
    /uses malloc:/,
    /uses signal:/,
    /exports open, as the C library/,
    /exports helper: hide/,
    /1 of its functions run/,
    /no function for events/,
    /stacks executable/,
  ])
    assert.match(said, text);
  assert.match(report.notAtRestart.join('\n'), /thread-local/);
});

test('a library that does not return is given up, and leaves no process', { timeout: 30_000 }, async () => {
  const mark = join(folder, 'pid');
  const code = `#include <stdio.h>
    #include <unistd.h>
    __attribute__((constructor)) static void go(void) { FILE *f = fopen("${mark}", "w"); if (f) { fprintf(f, "%d", getpid()); fclose(f); } for (;;) pause(); }`;
  const report = await examine(build('hanging', code));
  assert.match(report.reasons.join('\n'), /while it was loaded: it did not return within 10 s/);
  assert.equal(existsSync(`/proc/${readFileSync(mark, 'utf8')}`), false);
});
