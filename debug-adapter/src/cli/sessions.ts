/**
 * From what the user gave to a client of a session. Loaded only by commands that need a coordinator.
 */

import type { ControlClient } from '../control/client.js';
import { createSession, createSessionNamedAfter, liveSessions, openSession } from '../control/sessions.js';
import { checkSessionName, sessionNameFor } from '../model/names.js';
import { failure } from '../protocol/errors.js';
import { namedSession, newSessionName } from './choices.js';

/** The session meant by --session, CAIRN_SESSION, or by being the only one. */
export async function chooseSession(option: string | undefined): Promise<string> {
  const named = namedSession(option);
  if (named !== undefined) return checkSessionName(named);
  const live = await liveSessions();
  const [only, ...others] = live;
  if (only === undefined) throw failure('noSession');
  if (others.length > 0) throw failure('sessionAmbiguous', { sessions: live.map((one) => one.session).join(', ') });
  return only.session;
}

/** Does `work` with a client of the chosen session, and closes it. */
export async function withSession<T>(option: string | undefined, work: (client: ControlClient) => Promise<T>): Promise<T> {
  const client = await openSession(await chooseSession(option));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** A new session, named as asked for, or after `program` with a number where that is taken. */
export async function newSession(
  option: string | undefined,
  program: string,
  options: { store: string; compress: boolean },
): Promise<ControlClient> {
  const named = newSessionName(option);
  if (named !== undefined) return createSession(checkSessionName(named), options);
  return createSessionNamedAfter(sessionNameFor(program), options);
}
