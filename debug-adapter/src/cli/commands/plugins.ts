/**
 * `cairn plugins`: the plugins of each process in the order of their layers, and the functions that they wrap, each with its layers from the
 * application to the library; processes that have the same ones together.
 */
import type { PluginStatus, ProcessStatus, TableRow } from '../../protocol/control.js';
import { formatTable } from '../../protocol/format.js';
import { plugin, pluginSetting } from '../choices.js';
import { print, printJson } from '../output.js';
import { withSession } from '../sessions.js';

function cells({ layer, name, version, author, library, barriers, restartBarriers, error }: PluginStatus): string[] {
  const state = error === '' ? 'in use' : `refused: ${error}`;
  const waits = [...barriers, ...restartBarriers.map((barrier) => `${barrier} (restart)`)].join(', ');
  return [`${layer}`, name, version, author, state, waits, library === '' ? 'of Cairn' : library];
}

interface WrappedFunction {
  name: string;
  /** That has it; empty: of any library, and there is none yet. */
  library: string;
  /** From the application to the library. `calls`: where the plugin counts them. */
  layers: { plugin: string; what: string; calls?: number }[];
}

/** The rows of a function come one after the other, from its highest layer down. */
export function wrappedFunctions(rows: readonly TableRow[]): WrappedFunction[] {
  const found: WrappedFunction[] = [];
  for (const { virtual: name, real: library, owner: plugin, detail } of rows) {
    let one = found.at(-1);
    if (one?.name !== name || one.library !== library) {
      one = { name, library, layers: [] };
      found.push(one);
    }
    const [, what = detail, calls] = /^(.*?)(?:, (\d+) calls)?$/.exec(detail) ?? [];
    one.layers.push({ plugin, what, ...(calls === undefined ? {} : { calls: Number(calls) }) });
  }
  return found;
}

function wayOf({ name, library, layers }: WrappedFunction): string[] {
  const waits = layers.find(({ what }) => what.startsWith('waits'));
  if (waits !== undefined) return [name, library, `${waits.plugin} ${waits.what}`];
  const steps = layers.map(({ plugin, calls }) => (calls === undefined ? plugin : `${plugin} (${calls} calls)`));
  return [name, library, ['application', ...steps, library].join(' > ')];
}

export async function addPlugins(texts: string[], { session, json }: { session?: string; json: boolean }): Promise<number> {
  const given = texts.map(plugin);
  const { plugins: now } = await withSession(session, (client) => client.request('session/givePlugins', { plugins: given }));
  if (json) printJson(now);
  return 0;
}

export async function setPlugins(texts: string[], { session, json }: { session?: string; json: boolean }): Promise<number> {
  const changes = texts.map((text) => pluginSetting(text, 'cairn plugins set'));
  const { plugins: now } = await withSession(session, (client) => client.request('session/settings', { changes }));
  if (json) printJson(now);
  return 0;
}

export async function plugins({ session, json }: { session?: string; json: boolean }): Promise<number> {
  const { processes, rows } = await withSession(session, async (client) => ({
    processes: (await client.request('session/status', {})).processes,
    rows: (await client.request('session/table', { kind: 'wrap' })).rows,
  }));
  const functionsOf = (one: ProcessStatus): WrappedFunction[] =>
    wrappedFunctions(rows.filter(({ virtualPid }) => virtualPid === one.virtualPid));
  if (json) {
    printJson(
      processes.map((one) => {
        const { virtualPid, executable, plugins: list } = one;
        return { virtualPid, executable, plugins: list, wraps: functionsOf(one) };
      }),
    );
    return 0;
  }
  const groups = new Map<string, ProcessStatus[]>();
  for (const one of processes) {
    const key = JSON.stringify([one.plugins, functionsOf(one)]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const members of groups.values()) {
    print(members.map(({ virtualPid, executable }) => `${virtualPid} (${executable.split('/').at(-1)})`).join(', '));
    // As an event of a checkpoint goes: from the highest layer down.
    const layers = [...(members[0]?.plugins ?? [])].sort((a, b) => b.layer - a.layer);
    print(formatTable([['LAYER', 'PLUGIN', 'VERSION', 'AUTHOR', 'STATE', 'BARRIERS', 'LIBRARY'], ...layers.map(cells)]));
    const functions = members[0] === undefined ? [] : functionsOf(members[0]);
    if (functions.length > 0) print(formatTable([['FUNCTION', 'LIBRARY', 'WAY OF A CALL'], ...functions.map(wayOf)]));
  }
  return 0;
}
