/**
 * The instances of a module in a live design: as the simulator tells, else by the workspace's sources. A design's hierarchy does not change, so each
 * session is asked once.
 */
import * as vscode from 'vscode';
import type { LiveSession } from '../session/liveSession.js';
import { folderOf } from '../session/stores.js';
import { modulesOf, modulesOfScopes } from './sources.js';

const MOST_SCOPES = 10_000;
const MOST_SOURCES = 2000;
const SOURCES = '**/*.{v,vh,sv,svh}';

export class Instances {
  /** By session: module → names of scopes. */
  readonly #known = new WeakMap<LiveSession, Promise<ReadonlyMap<string, readonly string[]>>>();

  async of(session: LiveSession, module: string): Promise<readonly string[]> {
    let known = this.#known.get(session);
    if (known === undefined) {
      known = read(session);
      this.#known.set(session, known);
      // It may be asked again when it can be reached.
      known.catch(() => this.#known.delete(session));
    }
    return (await known).get(module) ?? [];
  }
}

async function read(session: LiveSession): Promise<ReadonlyMap<string, readonly string[]>> {
  const scopes: { name: string; module: string }[] = [];
  for (let offset: number | null = 0; offset !== null && scopes.length < MOST_SCOPES; ) {
    const page: { instances: { name: string; module: string }[]; next: number | null } = await session.request(
      'session/instances',
      {
        offset,
        limit: MOST_SCOPES,
      },
    );
    scopes.push(...page.instances);
    offset = page.instances.length === 0 ? null : page.next;
  }
  const told = scopes.some(({ module }) => module !== '');
  const modules = told
    ? new Map(scopes.map(({ name, module }) => [name, module]))
    : await bySources(
        session,
        scopes.map(({ name }) => name),
      );
  const found = new Map<string, string[]>();
  for (const [name, module] of modules) found.set(module, [...(found.get(module) ?? []), name]);
  return found;
}

/** Of several folders only that of the session counts: others may have other modules of the same names. */
async function bySources({ status }: LiveSession, scopes: readonly string[]): Promise<Map<string, string>> {
  const folder = folderOf(status.store, status.cwd);
  const pattern = folder === undefined ? SOURCES : new vscode.RelativePattern(folder, SOURCES);
  const files = await vscode.workspace.findFiles(pattern, undefined, MOST_SOURCES);
  const texts = await Promise.all(files.map(async (file) => new TextDecoder().decode(await vscode.workspace.fs.readFile(file))));
  return modulesOfScopes(scopes, modulesOf(texts));
}
