/**
 * What plugins' libraries say of themselves, by `cairn plugin check`: asked once for each state of the files.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { formatProblem, settingsProblems } from '../../../debug-adapter/src/protocol/plugin-settings.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { messageOf, UserError } from '../platform/errors.js';

const Report = z.object({
  reasons: z.array(z.string()),
  warnings: z.array(z.string()),
  plugin: z.object({ name: z.string(), version: z.string(), author: z.string() }).nullable(),
  settings: z.object({ path: z.string(), schema: z.record(z.string(), z.unknown()) }).nullable(),
});

export interface LibraryReport {
  readonly name: string;
  readonly version: string;
  readonly author: string;
  /** Why it cannot be loaded; empty: it can. */
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly schema: Record<string, unknown> | null;
}

export class PluginLibraries {
  readonly #cairn: CairnCommand;
  readonly #known = new Map<string, { readonly state: string; readonly report: Promise<LibraryReport> }>();

  constructor(cairn: CairnCommand) {
    this.#cairn = cairn;
  }

  /** @param library absolute */
  report(library: string): Promise<LibraryReport> {
    const state = stateOf(library);
    const known = this.#known.get(library);
    if (known !== undefined && known.state === state) return known.report;
    const report = this.#ask(library);
    this.#known.set(library, { state, report });
    return report;
  }

  /** Its schema may have changed without it. */
  forget(): void {
    this.#known.clear();
  }

  /** Throws what is wrong with settings that a schema describes. */
  async require(library: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
    const { name, schema } = await this.report(library);
    const problems = schema === null ? [] : settingsProblems(schema, settings);
    if (problems.length > 0) throw new UserError(`Settings of the plugin ${name}: ${problems.map(formatProblem).join('; ')}.`);
  }

  async #ask(library: string): Promise<LibraryReport> {
    const name = basename(library);
    try {
      const { reasons, warnings, plugin, settings } = await this.#cairn.json(Report, ['plugin check', '--', library], {
        mayFail: true,
      });
      const said = plugin ?? { name, version: '', author: '' };
      return { ...said, name: said.name || name, reasons, warnings, schema: settings?.schema ?? null };
    } catch (error) {
      return { name, version: '', author: '', reasons: [messageOf(error)], warnings: [], schema: null };
    }
  }
}

function stateOf(library: string): string {
  const found = statSync(library, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
