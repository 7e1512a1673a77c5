/**
 * A session around a program that runs already: for the command and the debug adapter. One that is in a session is joined there, and
 * gets its coordinator back where that has left. Tests: test/probes/attach.test.ts, test/dap/attach.test.ts.
 */
import { sessionNameFor } from '../model/names.js';
import { factsOf, whyUnknown } from '../platform/attach.js';
import type { Plugin } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { ControlClient } from './client.js';
import { createSession, createSessionNamedAfter, liveSessions, openSession } from './sessions.js';

export interface AttachOptions {
  /** Name of the new session; undefined: made from the program's. */
  session: string | undefined;
  store: string;
  plugins: Plugin[];
  compress?: boolean;
}

export interface Attached {
  client: ControlClient;
  /** It was in this session before. */
  joined: boolean;
}

/** Throws `cannotAttach` with all that is against it. */
export async function attachProcess(pid: number, { session, plugins, ...options }: AttachOptions): Promise<Attached> {
  const live = await liveSessions();
  const known = live.find((one) => one.processes.some(({ realPid }) => realPid === pid))?.session;
  if (known !== undefined) return { client: await openSession(known), joined: true };
  const facts = factsOf(pid);
  if (facts === undefined) throw failure('cannotAttach', { pid, why: await whyUnknown(pid) });
  const client = await (session === undefined
    ? createSessionNamedAfter(sessionNameFor(facts.argv[0] || 'attached'), options)
    : createSession(session, options));
  try {
    await client.request('session/attach', { pid, plugins });
    return { client, joined: false };
  } catch (error) {
    client.close();
    throw error;
  }
}
