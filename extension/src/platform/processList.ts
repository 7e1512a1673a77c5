/**
 * The programs that this user runs, for the choice of one to attach. Whether it can be attached is for cairn-attach to say.
 */
import { readdir, readFile, readlink, stat } from 'node:fs/promises';

export interface RunningProgram {
  readonly pid: number;
  readonly name: string;
  readonly commandLine: string;
  readonly cwd: string;
  /** Clock ticks after boot. */
  readonly startTime: number;
}

/** The newest first; without kernel threads, other users' and those that are under Cairn already. */
export async function runningPrograms(except: ReadonlySet<number>): Promise<RunningProgram[]> {
  const entries = await readdir('/proc');
  const found = await Promise.all(
    entries.filter((entry) => /^[1-9]/.test(entry) && !except.has(Number(entry))).map((entry) => program(Number(entry))),
  );
  return found.filter((one) => one !== undefined).sort((a, b) => b.startTime - a.startTime);
}

async function program(pid: number): Promise<RunningProgram | undefined> {
  if (pid === process.pid || pid === process.ppid) return undefined;
  try {
    const folder = `/proc/${pid}`;
    if ((await stat(folder)).uid !== process.getuid?.()) return undefined;
    const commandLine = (await readFile(`${folder}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    const line = await readFile(`${folder}/stat`, 'utf8');
    const name = line.slice(line.indexOf('(') + 1, line.lastIndexOf(')'));
    const startTime = Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[19]);
    const cwd = await readlink(`${folder}/cwd`);
    return commandLine === '' ? undefined : { pid, name, commandLine, cwd, startTime };
  } catch {
    return undefined; // It has ended meanwhile.
  }
}
