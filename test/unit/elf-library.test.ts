/** What is read from a library's bytes: of real ones, compiled here, and of bytes that are damaged in every way. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BadLibrary, parseLibrary, readLibrary } from '../../debug-adapter/src/platform/elf-library.js';

const source = `
__thread int counter = 7;
extern int wanted(void);
extern int perhaps(void) __attribute__((weak));
__attribute__((constructor)) static void first(void) { counter++; }
__attribute__((constructor)) static void second(void) { counter++; }
static int plain(void) { return 1; }
static int (*choose(void))(void) { return plain; }
int chosen(void) __attribute__((ifunc("choose")));
int visible(void) { return wanted() + (perhaps ? perhaps() : 0) + chosen(); }
__attribute__((visibility("hidden"))) int hidden(void) { return 2; }
`;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-elf-'));
  writeFileSync(join(folder, 'lib.c'), source);
  const flags = ['-shared', '-fPIC', '-Wl,--no-as-needed', '-lm', '-Wl,-rpath,/opt/acme', '-Wl,-soname,libacme.so.3'];
  execFileSync('gcc', [join(folder, 'lib.c'), '-o', join(folder, 'lib.so'), ...flags, '-Wl,-z,noexecstack']);
  execFileSync('gcc', [
    join(folder, 'lib.c'),
    '-o',
    join(folder, 'hash.so'),
    ...flags,
    '-Wl,--hash-style=sysv',
    '-Wl,-z,execstack',
  ]);
});
after(() => rmSync(folder, { recursive: true }));

for (const name of ['lib.so', 'hash.so']) {
  test(`all is seen that loading it would do (${name})`, () => {
    const library = readLibrary(join(folder, name));
    assert.equal(library.bits, 64);
    assert.equal(library.soname, 'libacme.so.3');
    assert.deepEqual(library.needed.slice(0, 2), ['libm.so.6', 'libc.so.6']);
    assert.equal(library.runpath, '/opt/acme');
    assert.deepEqual(library.exported, ['chosen', 'counter', 'visible']);
    assert.deepEqual(
      library.undefined.filter(({ name: one }) => !one.startsWith('__')),
      [
        { name: 'perhaps', weak: true },
        { name: 'wanted', weak: false },
      ],
    );
    assert.equal(library.threadLocalBytes, 4);
    assert.equal(library.constructors, 2);
    assert.ok(library.resolvers > 0);
    assert.equal(library.textRelocations, false);
    assert.equal(library.executableStack, name === 'hash.so');
  });
}

test('what is no shared library is said', () => {
  writeFileSync(join(folder, 'main.c'), 'int main(void) { return 0; }\n');
  execFileSync('gcc', ['-static', '-o', join(folder, 'static'), join(folder, 'main.c')]);
  execFileSync('gcc', ['-c', '-o', join(folder, 'object.o'), join(folder, 'main.c')]);
  for (const name of ['static', 'object.o', 'main.c']) assert.throws(() => readLibrary(join(folder, name)), BadLibrary);
  assert.throws(() => readLibrary(folder), BadLibrary);
  assert.throws(() => parseLibrary(Buffer.alloc(0)), BadLibrary);
});

test('damaged bytes give an error, or a library, and nothing else', () => {
  const whole = readFileSync(join(folder, 'lib.so'));
  const tries = (bytes: Buffer): void => {
    try {
      parseLibrary(bytes);
    } catch (error) {
      if (!(error instanceof BadLibrary)) throw error;
    }
  };
  for (let length = 0; length < whole.length; length += 97) tries(whole.subarray(0, length));
  // Each byte of the header, of the program headers and of the dynamic section's beginning, and others here and there.
  let seed = 12345;
  for (let index = 0; index < 3000; index++) {
    const bytes = Buffer.from(whole);
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const at = index < 1000 ? index : seed % bytes.length;
    bytes[at] = index % 2 === 0 ? 0xff : (bytes[at] ?? 0) ^ (1 << (seed % 8));
    tries(bytes);
  }
  // Words of the dynamic section and of the tables that it leads to.
  for (let at = 0; at + 8 <= whole.length; at += 8) {
    const bytes = Buffer.from(whole);
    bytes.writeBigUInt64LE(0xffff_ffff_ffff_fff0n, at);
    tries(bytes);
  }
});
