/**
 * Has a plugin's library loaded by a process of its own (`cairn-inspect`), which says what its entry gives. Foreign code never runs here;
 * what it makes of that process (a crash, a hang, lies) is an answer, too.
 * Tests: test/unit/plugin-check.test.ts.
 */
import { spawn } from 'node:child_process';
import { nativeFile } from './installation.js';

const PATIENCE_MS = 10_000;
const MAX_BYTES = 1 << 20;

export interface Inspection {
  /** How far it came: started, load, names, entry, end. */
  stage: string;
  /** Not empty: how the process ended, where it did not come to the end. */
  ended: string;
  /** Word → texts, in the order in which they were said. */
  said: ReadonlyMap<string, readonly string[]>;
}

/** `names`: what the library needs and exports. */
export function inspectLibrary(
  library: string,
  bits: 32 | 64,
  names: { undefined: readonly string[]; exported: readonly string[] },
): Promise<Inspection> {
  const program = nativeFile(bits === 64 ? 'cairn-inspect' : 'i386/cairn-inspect');
  const { LD_PRELOAD: _, ...env } = process.env;
  // A group of its own, so that nothing that it starts is left.
  const child = spawn(program, [library], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'], env, detached: true });
  const lines = [...names.undefined.map((name) => `u${name}`), ...names.exported.map((name) => `e${name}`)];
  child.stdin?.on('error', () => undefined); // It may end before it reads them.
  child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  let text = '';
  let ended = '';
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has gone.
    }
  };
  const report = child.stdio[3];
  report?.on('data', (data: Buffer) => {
    text += data.toString('latin1');
    if (text.length < MAX_BYTES) return;
    ended ||= 'it says more than a plugin can have to say';
    kill();
  });
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      ended ||= `it did not return within ${PATIENCE_MS / 1000} s`;
      kill();
    }, PATIENCE_MS);
    child.on('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(deadline);
      if (signal !== null) ended ||= `it crashed (${signal})`;
      else if (code !== 0) ended ||= `it ended the process with status ${code ?? 0}`;
      kill();
    });
    child.on('close', () => resolve(understand(text, ended)));
  });
}

function understand(text: string, ended: string): Inspection {
  const said = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, word, value] = /^([a-z_]+) (.*)$/.exec(line) ?? [];
    if (word === undefined || value === undefined) continue;
    const bytes = value.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    said.set(word, [...(said.get(word) ?? []), Buffer.from(bytes, 'latin1').toString('utf8')]);
  }
  const whole = said.has('end') || said.has('error');
  const stage = said.get('stage')?.at(-1) ?? 'started';
  return { stage: whole ? 'end' : stage, ended: whole ? '' : ended || 'it ended the process with status 0', said };
}
