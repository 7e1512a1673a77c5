/**
 * The record of a session in its runtime folder, session.json: its status, and what a new coordinator needs to take over the
 * computation of one that died. Written by the coordinator alone. Tests: test/protocol/takeover.test.ts.
 */
import { renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { readIfThere } from '../platform/files.js';
import { machineIdentity } from '../platform/host.js';
import { isAlive } from '../platform/processes.js';
import { ProcessEnvironment, SessionStatus } from '../protocol/control.js';
import { noRules, Rules } from '../protocol/rules.js';

const LiveProcess = z.object({ pid: z.number(), startTime: z.number(), virtualPid: z.number(), host: z.number() });

export const SessionRecord = SessionStatus.extend({
  /** Processes of the computation, to see whether it still lives. */
  live: z.array(LiveProcess),
  /** Virtual pid of the first process. */
  root: z.number(),
  /** Its host, the number that a further host is to have, and what else a session with several hosts keeps. */
  rootHost: z.number(),
  nextHost: z.number(),
  launchers: z.array(z.string()),
  network: z.object({ address: z.string(), port: z.number() }).nullable(),
  rules: Rules.default(noRules),
  processEnv: z.array(ProcessEnvironment).default([]),
  /** As on the agent protocol. */
  settings: z.array(z.object({ kind: z.number(), key: z.string(), value: z.string() })).default([]),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

export const recordText = (record: SessionRecord): string => `${JSON.stringify(record)}\n`;

/** At once for every reader; not flushed, as it means nothing after the machine has stopped. */
export function writeRecord(path: string, text: string): void {
  const beside = `${path}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, path);
}

/** undefined: there is none, or none that can be read. */
export function readRecord(path: string): SessionRecord | undefined {
  try {
    const text = readIfThere(path);
    return text === undefined ? undefined : SessionRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function computationLives(record: SessionRecord): boolean {
  const own = machineIdentity();
  // Whether a process of another host lives only a coordinator can ask.
  const elsewhere = new Set(record.hosts.filter((one) => one.identity !== own).map((one) => one.number));
  return record.live.some((one) => elsewhere.has(one.host) || isAlive(one));
}
