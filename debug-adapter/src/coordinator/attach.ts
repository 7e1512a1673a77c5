/**
 * How a computation begins with a program that was started without Cairn: it and its descendants get the agent, one after the
 * other, parents first, so that children that are made meanwhile have it from the start. What cannot be attached is found before
 * anything is done, for all processes at once. Tests: test/probes/attach.test.ts.
 */
import { randomBytes } from 'node:crypto';
import { checkSettings, distinct } from '../model/plugin-changes.js';
import { attachProcess, factsOf, familyOf, whyNotAttachable, whyUnknown } from '../platform/attach.js';
import { sleep } from '../platform/clock.js';
import { settingsSchema } from '../platform/plugin-schema.js';
import { isAlive } from '../platform/processes.js';
import type { AttachParams } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { Context } from './context.js';
import { agentLibrary, identityVariables } from './launch.js';
import { pluginSettings, type SettingInit } from './settings.js';
import { identity } from './start.js';

const SETTLE_MS = 20_000;
const LOOK_MS = 20;
const SETTLE_LOOK_MS = 60;

/** What its processes are told when they connect; before anything is done to them. */
export async function prepareAttach(context: Context, { pid, plugins: given }: AttachParams): Promise<SettingInit[]> {
  const { session, store } = context;
  store.checkWritable();
  const plugins = distinct(given);
  for (const one of plugins) checkSettings(one, settingsSchema);
  const facts = factsOf(pid);
  if (facts === undefined) throw failure('cannotAttach', { pid, why: await whyUnknown(pid) });
  let found = await reasonsAgainst(pid);
  // A child that is just being started, or executes another program, is in the way for a moment only.
  for (let attempt = 0; found.length > 0 && attempt < 3; attempt++) {
    await sleep(SETTLE_LOOK_MS);
    const again = await reasonsAgainst(pid);
    found = again.filter((why) => found.includes(why));
  }
  if (found.length > 0) throw failure('cannotAttach', { pid, why: found.join('\n') });
  session.computation = randomBytes(8).toString('hex');
  session.argv = facts.argv;
  session.cwd = facts.cwd;
  session.plugins = plugins;
  session.changed();
  return pluginSettings(plugins, {});
}

async function reasonsAgainst(pid: number): Promise<string[]> {
  const reasons = await Promise.all(familyOf(pid).map(async (one) => refusal(one, await whyNotAttachable(one))));
  return reasons.filter((why) => why !== '');
}

/** One that has ended meanwhile is not in the way. */
function refusal(pid: number, why: string): string {
  return why !== '' && !isAlive({ pid, startTime: 0 }) ? '' : why;
}

/** Attaches the whole family; throws where one of it cannot be. */
export async function attachFamily(context: Context, { pid }: AttachParams): Promise<void> {
  const { session, clock } = context;
  const library = agentLibrary(identity(context));
  const variables = { ...identityVariables(identity(context)), LD_PRELOAD: library };
  const begun = clock.monotonicMs();
  for (;;) {
    const there = new Set(session.processes.map((one) => one.process.pid));
    const missing = familyOf(pid).filter((one) => !there.has(one) && (one === pid || isAlive({ pid: one, startTime: 0 })));
    if (missing.length === 0) return;
    const late = clock.monotonicMs() - begun > SETTLE_MS;
    let last = '';
    for (const one of missing) {
      const why = await attachProcess(one, library, variables);
      if (why === '') continue;
      // A child of one that has the agent may be about to connect by itself, or to execute another program.
      last = refusal(one, why);
      if (last !== '' && (late || one === pid)) throw failure('cannotAttach', { pid, why: last });
      if (one === pid) throw failure('cannotAttach', { pid, why: `process ${pid}: it has ended` });
    }
    if (last !== '') await sleep(LOOK_MS);
  }
}
