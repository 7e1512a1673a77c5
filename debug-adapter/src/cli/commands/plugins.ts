/** `cairn plugins`: the plugins of each process in the order of their layers; processes that have the same ones together. */
import type { PluginStatus, ProcessStatus } from '../../protocol/control.js';
import { formatTable } from '../../protocol/format.js';
import { print, printJson } from '../output.js';
import { withSession } from '../sessions.js';

function cells({ layer, name, version, author, library, barriers, restartBarriers, error }: PluginStatus): string[] {
  const state = error === '' ? 'in use' : `refused: ${error}`;
  const waits = [...barriers, ...restartBarriers.map((barrier) => `${barrier} (restart)`)].join(', ');
  return [`${layer}`, name, version, author, state, waits, library === '' ? 'of Cairn' : library];
}

export async function plugins({ session, json }: { session?: string; json: boolean }): Promise<number> {
  const { processes } = await withSession(session, (client) => client.request('session/status', {}));
  if (json) {
    printJson(processes.map(({ virtualPid, executable, plugins: list }) => ({ virtualPid, executable, plugins: list })));
    return 0;
  }
  const groups = new Map<string, ProcessStatus[]>();
  for (const one of processes) {
    const key = JSON.stringify(one.plugins);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const members of groups.values()) {
    print(members.map(({ virtualPid, executable }) => `${virtualPid} (${executable.split('/').at(-1)})`).join(', '));
    // As an event of a checkpoint goes: from the highest layer down.
    const layers = [...(members[0]?.plugins ?? [])].sort((a, b) => b.layer - a.layer);
    print(formatTable([['LAYER', 'PLUGIN', 'VERSION', 'AUTHOR', 'STATE', 'BARRIERS', 'LIBRARY'], ...layers.map(cells)]));
  }
  return 0;
}
