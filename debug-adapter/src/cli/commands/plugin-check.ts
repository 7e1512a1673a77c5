/**
 * `cairn plugin check LIB`: what a plugin's library exports, needs and may break. Exit status 0: it can be used; 1: it cannot, with the
 * reasons.
 */
import { accessSync, constants } from 'node:fs';
import { ABI, judge, type LibraryFacts, type PluginFacts, type Verdict } from '../../model/plugin-check.js';
import { BadLibrary, type ElfLibrary, readLibrary } from '../../platform/elf-library.js';
import { type Inspection, inspectLibrary } from '../../platform/inspector.js';
import { hasNativeFile, pluginLibrary, runs32Bit } from '../../platform/installation.js';
import { type SettingsSchema, settingsSchema } from '../../platform/plugin-schema.js';
import { failure, reason } from '../../protocol/errors.js';
import { formatTable } from '../../protocol/format.js';
import { settingsProblems } from '../../protocol/plugin-settings.js';
import { print, printJson } from '../output.js';

interface Report extends Verdict {
  library: string;
  usable: boolean;
  plugin: PluginFacts | null;
  elf: ElfLibrary | null;
  /** What its settings have to be; null: it says nothing of them. */
  settings: SettingsSchema | null;
}

export async function checkPlugin(path: string, options: { json: boolean }): Promise<number> {
  const report = await examine(pluginLibrary(path, '.'));
  if (options.json) printJson(report);
  else printReport(report);
  return report.usable ? 0 : 1;
}

export async function examine(library: string): Promise<Report> {
  const report = await examineLibrary(library);
  try {
    const settings = settingsSchema(library);
    if (settings !== null) settingsProblems(settings.schema, {});
    return { ...report, settings };
  } catch (error) {
    return { ...report, warnings: [...report.warnings, `its schema of settings: ${reason(error)}`], settings: null };
  }
}

async function examineLibrary(library: string): Promise<Omit<Report, 'settings'>> {
  let elf: ElfLibrary;
  try {
    accessSync(library, constants.R_OK);
    elf = readLibrary(library);
  } catch (error) {
    if (!(error instanceof BadLibrary))
      throw failure('fileNotReadable', { what: 'plugin', path: library, why: reason(error) }, error);
    return { library, usable: false, plugin: null, elf: null, reasons: [`${error.message}`], warnings: [], notAtRestart: [] };
  }
  const functions = elf.undefined.filter(({ weak }) => !weak).map(({ name }) => name);
  const facts: LibraryFacts = { ...elf, functions, missing: [], replaces: [] };
  const unknown = elf.bits === 32 ? lacks32Bit() : '';
  if (unknown !== '') {
    const verdict = judge(facts, undefined);
    verdict.reasons.push(`it is for 32-bit programs, ${unknown}`);
    return { library, usable: false, plugin: null, elf, ...verdict };
  }
  const inspection = await inspectLibrary(library, elf.bits, { undefined: functions, exported: elf.exported });
  const said = (word: string): readonly string[] => inspection.said.get(word) ?? [];
  const plugin = pluginOf(inspection);
  const verdict = judge({ ...facts, missing: said('undefined'), replaces: said('replaces') }, plugin);
  if (inspection.ended !== '') verdict.reasons.unshift(`${whereItEnded(inspection.stage)}: ${inspection.ended}`);
  verdict.reasons.unshift(...said('error').map((text) => `it cannot be loaded: ${text}`));
  if (said('nothing').length > 0)
    verdict.reasons.push(`its entry gives nothing for version ${ABI.major}.${ABI.minor} of cairn/plugin.h`);
  return { library, usable: verdict.reasons.length === 0, plugin: plugin ?? null, elf, ...verdict };
}

function lacks32Bit(): string {
  if (!hasNativeFile('i386/cairn-inspect')) return 'for which this installation has no agent';
  return runs32Bit() ? '' : 'and this kernel runs none';
}

function whereItEnded(stage: string): string {
  if (stage === 'load' || stage === 'started') return 'while it was loaded';
  return stage === 'entry' ? 'in its entry' : 'when its names were looked for';
}

function pluginOf({ said }: Inspection): PluginFacts | undefined {
  const all = (word: string): readonly string[] => said.get(word) ?? [];
  const number = (word: string): number => Number(all(word)[0] ?? 0);
  if (all('major').length === 0) return undefined;
  return {
    name: all('name')[0] ?? '',
    version: all('version')[0] ?? '',
    author: all('author')[0] ?? '',
    abi: { major: number('major'), minor: number('minor') },
    size: number('size'),
    callbacks: all('callback'),
    checkpointBarriers: all('checkpoint_barrier'),
    restartBarriers: all('restart_barrier'),
    wraps: all('wrap'),
  };
}

function printReport({ library, plugin, elf, settings, reasons, warnings, notAtRestart, usable }: Report): void {
  const list = (texts: readonly string[]): string => (texts.length === 0 ? 'none' : texts.join(', '));
  const rows: string[][] = [['library', library]];
  if (plugin !== null) {
    const { abi } = plugin;
    rows.push(
      ['plugin', `${plugin.name} ${plugin.version}${plugin.author === '' ? '' : `, by ${plugin.author}`}`],
      ['interface', `${abi.major}.${abi.minor}${abi.minor === ABI.minor ? '' : ` (this Cairn has ${ABI.major}.${ABI.minor})`}`],
      ['functions', list(plugin.callbacks)],
      ['events', plugin.callbacks.includes('event') ? 'all' : 'none'],
      ['barriers', `at a checkpoint: ${list(plugin.checkpointBarriers)}; at a restart: ${list(plugin.restartBarriers)}`],
      ['wraps', `${list(plugin.wraps)}${plugin.callbacks.includes('init') ? '; its init may wrap others' : ''}`],
    );
  }
  if (elf !== null) {
    rows.push(
      ['programs', `of ${elf.bits} bits`],
      ['exports', list(elf.exported)],
      ['needs', list(elf.needed)],
      ['undefined', list(elf.undefined.map(({ name, weak }) => (weak ? `${name} (weak)` : name)))],
      [
        'when loaded',
        `${elf.constructors} constructors, ${elf.resolvers} resolvers, ${elf.threadLocalBytes} bytes of thread-local variables`,
      ],
      ['at a restart', notAtRestart.length === 0 ? 'can be given' : notAtRestart.join('; ')],
    );
  }
  rows.push(['settings', settings === null ? 'not described (a JSON Schema beside the library)' : `by ${settings.path}`]);
  print(formatTable(rows));
  for (const text of warnings) print(`may break: ${text}`);
  for (const text of reasons) print(`cannot be used: ${text}`);
  if (usable) print('It can be used.');
}
