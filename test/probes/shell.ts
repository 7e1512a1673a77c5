/** A shell under Cairn that does what it is told, line by line: what it executes are programs of their own. */
import type { Program } from '../support/program.js';
import type { Scratch } from '../support/scratch.js';

export const shell = ['sh', '-c', 'echo ready; while read -r line; do eval "$line"; echo "end of $line"; done'];

/** What it prints. */
export async function told(program: Program, command: string): Promise<string[]> {
  const before = program.lines.length;
  const end = `end of ${command}`;
  program.type(`${command}\n`);
  await program.line(new RegExp(`^${end.replace(/[^\w ]/g, '\\$&')}$`), 20, before);
  return program.lines.slice(before, program.lines.indexOf(end, before));
}

/** Checkpoints the session, ends it and restarts it from there. */
export async function restartedShell(scratch: Scratch, before: Program, from: string, session: string): Promise<Program> {
  const { snapshot } = await scratch.checkpoint(from, '--then', 'kill');
  await before.exit();
  return scratch.cairnProgram(['restart', snapshot, '--session', session], { input: true });
}
