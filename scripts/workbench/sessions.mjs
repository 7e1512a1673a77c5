/**
 * The live sessions of a runtime folder, for whoever started a workbench and has to leave nothing behind.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inTree, run } from '../lib/tree.mjs';

/** What CAIRN_RUNTIME_DIR is by default, see debug-adapter/src/platform/runtime.ts. */
export function runtimeFolder() {
  const uid = process.getuid?.();
  const { CAIRN_RUNTIME_DIR: own, XDG_RUNTIME_DIR: xdg } = process.env;
  // What su and runuser leave behind is another user's.
  const usable = xdg && statSync(xdg, { throwIfNoEntry: false })?.uid === uid;
  return own || (usable ? xdg : `/tmp/cairn-${uid}`);
}

/** session.json of each session that has a control socket. */
export function liveSessions(runtime) {
  const folder = join(runtime, 'cairn');
  if (!existsSync(folder)) return [];
  const sessions = [];
  for (const name of readdirSync(folder)) {
    if (!existsSync(join(folder, name, 'control.sock'))) continue;
    try {
      sessions.push(JSON.parse(readFileSync(join(folder, name, 'session.json'), 'utf8')));
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error; // it has just ended
    }
  }
  return sessions;
}

/** Stops a session; one that has ended meanwhile is no error, anything else is said and left. */
export async function stopSession(runtime, name) {
  const result = await run(inTree('bin/cairn'), ['stop', '--session', name], {
    env: { CAIRN_RUNTIME_DIR: runtime },
    capture: true,
    anyStatus: true,
  });
  if (result.code !== 0 && existsSync(join(runtime, 'cairn', name, 'control.sock'))) process.stderr.write(result.all);
}
