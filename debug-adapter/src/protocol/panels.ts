/**
 * What flows between the extension and its panels (webview-ui): plain data both ways, nothing else is shared. The extension
 * sends the whole model of a panel whenever it changed; a panel keeps only how it is shown (tab, filter), by setState.
 */
import * as z from 'zod';
import { CampaignProblem, CampaignStatus, Outcome, RunDetail, RunPage } from './campaign.js';
import { Assumptions, CampaignFigures } from './campaign-figures.js';
import { CampaignPlan, TargetCount } from './campaign-plan.js';
import { SessionState, TableKind, TableRow } from './control.js';
import { RowWithHistory } from './name-history.js';
import { OperationStatus } from './operation.js';
import { SettingsProblem } from './plugin-settings.js';
import { OperationTimeline } from './timeline.js';

/** An operation that can be shown: of the live session, or kept with the snapshot that is selected. */
export const OperationChoice = z.object({ key: z.string(), label: z.string(), kind: z.enum(['live', 'snapshot']) });

/** Model of the Barriers view: the operation in progress, or the last one, of one session; or one that was chosen. */
export const BarriersModel = z.object({
  panel: z.literal('barriers'),
  /** null: no live session. */
  session: z.string().nullable(),
  state: SessionState.nullable(),
  operation: OperationStatus.nullable(),
  /** Name of each process, for its virtual pid. */
  processes: z.array(z.object({ virtualPid: z.number(), name: z.string() })),
  /** The newest first. */
  choices: z.array(OperationChoice),
  /** null: the newest of the session. */
  chosen: z.string().nullable(),
  /** Phases and barriers at which function breakpoints hold. */
  breakpoints: z.array(z.string()),
  /** How the operation shown went, process by process; null: it is not known yet. */
  timeline: OperationTimeline.nullable(),
});
export type BarriersModel = z.infer<typeof BarriersModel>;

/** A place that has tables of virtual names: a process of a live session or of a snapshot. */
export const NameSource = z.object({ id: z.string(), label: z.string(), kind: z.enum(['live', 'snapshot']) });
export type NameSource = z.infer<typeof NameSource>;

export const NameTableKind = TableKind.extract(['pid', 'path', 'env', 'fd', 'connection', 'plugin']);
export type NameTableKind = z.infer<typeof NameTableKind>;

/** Model of the Virtual Names view: one table of one source. */
export const NamesModel = z.object({
  panel: z.literal('names'),
  sources: z.array(NameSource),
  /** id of the source shown; null: there is none. */
  source: z.string().nullable(),
  kind: NameTableKind,
  rows: z.array(TableRow),
  /** Of one of the rows, as it was asked for; null: of none. */
  history: RowWithHistory.nullable(),
  /** Not empty: why it could not be read. */
  historyError: z.string(),
  /** Not empty: the table could not be read, and why. */
  error: z.string(),
});
export type NamesModel = z.infer<typeof NamesModel>;

/** A plugin of a profile, as its library was found. */
export const PluginEntry = z.object({
  /** As the profile names it. */
  library: z.string(),
  enabled: z.boolean(),
  /** What the library says of itself; where it could not be asked, its file's name. */
  name: z.string(),
  version: z.string(),
  author: z.string(),
  /** Why it cannot be loaded; empty: it can. */
  reasons: z.array(z.string()),
  warnings: z.array(z.string()),
  /** JSON Schema of its settings; null: it came without. */
  schema: z.record(z.string(), z.unknown()).nullable(),
  settings: z.record(z.string(), z.unknown()),
  problems: z.array(SettingsProblem),
  /** What it has where it is compared with; null: it is not there, or nothing is compared. */
  there: z.record(z.string(), z.unknown()).nullable(),
});
export type PluginEntry = z.infer<typeof PluginEntry>;

/** Model of the Plugins view: one profile of the workspace. */
export const PluginsModel = z.object({
  panel: z.literal('plugins'),
  /** No folder is open that could keep profiles. */
  nowhere: z.boolean(),
  /** Names of the folders of the window, each with its profiles. */
  folders: z.array(z.string()),
  /** Whose profiles are shown: index in `folders`. */
  folder: z.number(),
  profiles: z.array(z.string()),
  /** null: there is none. */
  profile: z.string().nullable(),
  /** The lowest layer first. */
  plugins: z.array(PluginEntry),
  /** Sessions that run, and the snapshot that is selected: what a profile can be compared with. */
  others: z.array(z.object({ key: z.string(), label: z.string() })),
  /** null: with nothing. */
  compared: z
    .object({
      key: z.string(),
      label: z.string(),
      /** It runs: settings that may change then can be changed there. */
      live: z.boolean(),
      /** Plugins that the profile does not load. */
      more: z.array(z.string()),
      /** The same plugins are in other layers there: the lowest first; empty: in the same. */
      order: z.array(z.string()),
    })
    .nullable(),
  /** Not empty: the profiles cannot be read, and why. */
  error: z.string(),
});
export type PluginsModel = z.infer<typeof PluginsModel>;

export const CampaignQuery = z.object({
  outcome: Outcome.nullable(),
  model: z.string().nullable(),
  search: z.string(),
  /** Only faults there, and those that were to begin in these ticks, without the last one; null: all. */
  scope: z.string().nullable(),
  target: z.string().nullable(),
  times: z.object({ from: z.number(), to: z.number() }).nullable(),
});
export type CampaignQuery = z.infer<typeof CampaignQuery>;

/** Model of a Campaign page: what has been counted, and the part of the runs that can be seen. */
export const CampaignModel = z.object({
  panel: z.literal('campaign'),
  /** As the workspace names it. */
  file: z.string(),
  running: z.boolean(),
  /** null: nothing has been counted. */
  status: CampaignStatus.nullable(),
  query: CampaignQuery,
  page: RunPage,
  /** null: nothing has been counted. */
  figures: CampaignFigures.nullable(),
  /** What outcomes count as, other than by default. */
  assumed: Assumptions,
  detail: RunDetail.nullable(),
  /** Not empty: what went wrong. */
  error: z.string(),
});
export type CampaignModel = z.infer<typeof CampaignModel>;

/** A part of a design's hierarchy to choose from: what is in a scope, or all signals that a pattern means. */
export const SignalPicker = z.object({
  scope: z.string(),
  search: z.string(),
  offset: z.number(),
  total: z.number(),
  /** Of the pattern, or of all in the scope and below. */
  count: TargetCount,
  rows: z.array(
    z.object({
      /** Whole; `label`: what is told apart here. */
      name: z.string(),
      label: z.string(),
      kind: z.enum(['scope', 'register', 'signal', 'net', 'memory']),
      /** Of a scope: in it and below. */
      signals: z.number(),
      bits: z.number(),
    }),
  ),
});
export type SignalPicker = z.infer<typeof SignalPicker>;

/** Model of a Faults page: a campaign's file as it is now, and what it comes to. */
export const FaultsModel = z.object({
  panel: z.literal('faults'),
  /** As the workspace names it. */
  file: z.string(),
  /** What the file says, as plain data; null: it is not YAML. */
  value: z.record(z.string(), z.unknown()).nullable(),
  problems: z.array(CampaignProblem),
  /** JSON Schema of a campaign. */
  schema: z.record(z.string(), z.unknown()),
  /** By what the file can name them. */
  snapshots: z.array(z.object({ value: z.string(), label: z.string() })),
  /** null: it is not known, since the file is no campaign. */
  plan: CampaignPlan.nullable(),
  /** It is being worked out anew. */
  planning: z.boolean(),
  design: z.object({ state: z.enum(['unknown', 'reading', 'known', 'failed']), why: z.string() }),
  picker: SignalPicker.nullable(),
  running: z.boolean(),
  /** Not empty: what went wrong. */
  error: z.string(),
});
export type FaultsModel = z.infer<typeof FaultsModel>;

export const ToPanel = z.discriminatedUnion('panel', [BarriersModel, NamesModel, PluginsModel, CampaignModel, FaultsModel]);
export type ToPanel = z.infer<typeof ToPanel>;

export const FromPanel = z.discriminatedUnion('type', [
  /** The panel listens now. */
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('cancel') }),
  /** From where a breakpoint holds it. */
  z.object({ type: z.literal('goOn') }),
  /** A breakpoint on a phase or barrier, or none any more. */
  z.object({ type: z.literal('holdHere'), name: z.string(), on: z.boolean() }),
  z.object({ type: z.literal('selectOperation'), key: z.string().nullable() }),
  z.object({ type: z.literal('selectNames'), source: z.string().nullable(), kind: NameTableKind }),
  /** What a row's name led to in each run of its branch. null: that is to be shown no more. */
  z.object({ type: z.literal('nameHistory'), row: TableRow.nullable() }),
  z.object({ type: z.literal('refresh') }),
  z.object({ type: z.literal('copy'), text: z.string() }),
  z.object({ type: z.literal('selectProfile'), profile: z.string() }),
  z.object({ type: z.literal('selectFolder'), folder: z.number() }),
  /** null: with nothing. */
  z.object({ type: z.literal('comparePlugins'), key: z.string().nullable() }),
  /** To the session that is compared with, while it is held. */
  z.object({ type: z.literal('givePlugin'), index: z.number() }),
  /** In the session that is compared with, while it runs: `key` and `value` as the control protocol has them. */
  z.object({ type: z.literal('applySetting'), index: z.number(), key: z.string(), value: z.string() }),
  z.object({ type: z.literal('addProfile') }),
  z.object({ type: z.literal('renameProfile') }),
  z.object({ type: z.literal('deleteProfile') }),
  z.object({ type: z.literal('openProfiles') }),
  z.object({ type: z.literal('startWithProfile') }),
  z.object({ type: z.literal('addPlugin') }),
  z.object({ type: z.literal('removePlugin'), index: z.number() }),
  z.object({ type: z.literal('movePlugin'), index: z.number(), to: z.number() }),
  z.object({ type: z.literal('enablePlugin'), index: z.number(), enabled: z.boolean() }),
  z.object({ type: z.literal('campaignQuery'), query: CampaignQuery, offset: z.number().int().nonnegative() }),
  z.object({ type: z.literal('runCampaign') }),
  z.object({ type: z.literal('pauseCampaign') }),
  z.object({ type: z.literal('exportCampaign') }),
  z.object({ type: z.literal('openCampaignFile') }),
  z.object({ type: z.literal('assumeOutcomes'), assumed: Assumptions }),
  z.object({ type: z.literal('chooseFaults') }),
  z.object({ type: z.literal('debugRun'), number: z.number().int().nonnegative() }),
  z.object({ type: z.literal('showWaveform'), number: z.number().int().nonnegative() }),
  /** The declaration of a signal, or of a memory's word. */
  z.object({ type: z.literal('openSignal'), name: z.string() }),
  /** One place of a campaign's file; no value: taken out. */
  z.object({
    type: z.literal('changeCampaign'),
    path: z.array(z.union([z.string(), z.number()])),
    value: z.unknown().optional(),
  }),
  z.object({ type: z.literal('pickSignals'), scope: z.string(), search: z.string(), offset: z.number().int().nonnegative() }),
  z.object({ type: z.literal('readDesign') }),
  z.object({ type: z.literal('tryFault') }),
  z.object({ type: z.literal('showCampaign') }),
  z.object({ type: z.literal('repeatRun'), number: z.number().int().nonnegative() }),
  /** null: none any more. */
  z.object({ type: z.literal('showRun'), number: z.number().int().nonnegative().nullable() }),
  /** Only what changed: a change before it may be under way. No path: the settings as a whole; no value: taken out. */
  z.object({ type: z.literal('changeSetting'), index: z.number(), path: z.array(z.string()), value: z.unknown().optional() }),
]);
export type FromPanel = z.infer<typeof FromPanel>;
