/** Small programs that several groups of tests run, compiled on demand into build/test/probes/tools. */

import { join } from 'node:path';
import { compile, probeOutput, probeSources } from './catalogue.js';

export type Tool =
  | 'account'
  | 'action'
  | 'apart'
  | 'busy'
  | 'changed'
  | 'clocks'
  | 'connected'
  | 'counter'
  | 'crowd'
  | 'faulting'
  | 'go_parent'
  | 'kill_at'
  | 'late_accept'
  | 'left_names'
  | 'loading'
  | 'moved'
  | 'raw'
  | 'raw_wait'
  | 'refused'
  | 'refused_socket'
  | 'requester'
  | 'starter'
  | 'steady'
  | 'sysv'
  | 'taken'
  | 'teller'
  | 'thousands'
  | 'tiny'
  | 'tiny32'
  | 'tracer'
  | 'waits';

/** The program's path. `static`: linked without shared libraries. */
export async function tool(name: Tool, ...flags: string[]): Promise<string> {
  const target = join(probeOutput, 'tools', [name, ...flags].join(''));
  await compile(join(probeSources, 'tools', `${name}.c`), target, flags);
  return target;
}
