/**
 * `cairn attach` and `cairn detach`: a new session around a program that runs already, and leaving one to itself.
 */
import { attachProcess } from '../../control/attaching.js';
import { checkSessionName } from '../../model/names.js';
import type { SessionStatus } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { newSessionName, plugin, storePath } from '../choices.js';
import { note, print, printJson } from '../output.js';
import { withSession } from '../sessions.js';

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
  const named = newSessionName(options.session);
  const { client, joined } = await attachProcess(pid, {
    session: named === undefined ? undefined : checkSessionName(named),
    store: storePath(options.store),
    plugins: options.plugin.map(plugin),
    compress: options.compress,
  });
  try {
    if (joined && !options.json) note(`process ${pid} is in the session ${client.session} already`);
    return report(await client.request('session/status', {}), options.json);
  } finally {
    client.close();
  }
}

export async function detach(options: { session?: string; json: boolean }): Promise<number> {
  return report(await withSession(options.session, (client) => client.request('session/detach', {})), options.json);
}

function report(status: SessionStatus, json: boolean): number {
  if (json) printJson(status);
  else print(status.session);
  return 0;
}
