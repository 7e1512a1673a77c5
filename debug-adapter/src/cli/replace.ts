/**
 * Becoming another program: what was prepared here is executed by cairn-launch, which waits for it (bin/cairn starts it so), in
 * the caller's process: its terminal, descriptors, process id and exit status are the program's. Nothing here reads stdin.
 */
import { writeSync } from 'node:fs';
import type { StartResult } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import { PLAN } from './choices.js';

/** Written once, before this process ends well; the format is that of native-agent/src/launch/preparation.h. */
export function handOver({ command, env, cwd }: StartResult): void {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const strings = [cwd, String(command.length), ...command, String(variables.length), ...variables];
  const bytes = Buffer.from(strings.map((text) => `${text}\0`).join(''));
  const fd = planDescriptor();
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Throws where nobody waits for a plan; before anything is started. */
export function planDescriptor(): number {
  const fd = Number(process.env[PLAN]);
  if (fd > 2) return fd;
  throw failure('notInstalled', { path: 'cairn-launch' });
}
