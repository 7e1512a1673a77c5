/**
 * `cairn attach` and `cairn detach`: a new session around a program that runs already, and leaving one to itself.
 */
import { liveSessions } from '../../control/sessions.js';
import { factsOf } from '../../platform/attach.js';
import type { SessionStatus } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { plugin, storePath } from '../choices.js';
import { note, print, printJson } from '../output.js';
import { newSession, withSession } from '../sessions.js';

interface AttachOptions {
  session?: string;
  store?: string;
  plugin: string[];
  compress: boolean;
  json: boolean;
}

export async function attach(text: string, options: AttachOptions): Promise<number> {
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid < 1)
    throw failure('usage', { what: `"${text}" is not a process id`, remedy: 'cairn attach PID; see ps' });
  const plugins = options.plugin.map(plugin);
  const known = await sessionOf(pid);
  if (known !== undefined) {
    // Its own coordinator may have been left, or have died.
    const status = await withSession(known, (client) => client.request('session/status', {}));
    if (!options.json) note(`process ${pid} is in the session ${known} already`);
    return report(status, options.json);
  }
  const facts = factsOf(pid);
  if (facts === undefined) throw failure('cannotAttach', { pid, why: `process ${pid}: there is no such process of yours` });
  const program = facts.argv[0] || 'attached';
  const client = await newSession(options.session, program, { store: storePath(options.store), compress: options.compress });
  try {
    return report(await client.request('session/attach', { pid, plugins }), options.json);
  } finally {
    client.close();
  }
}

async function sessionOf(pid: number): Promise<string | undefined> {
  const live = await liveSessions();
  return live.find((one) => one.processes.some(({ realPid }) => realPid === pid))?.session;
}

export async function detach(options: { session?: string; json: boolean }): Promise<number> {
  return report(await withSession(options.session, (client) => client.request('session/detach', {})), options.json);
}

function report(status: SessionStatus, json: boolean): number {
  if (json) printJson(status);
  else print(status.session);
  return 0;
}
