/**
 * What the debug adapter takes and gives beyond the Debug Adapter Protocol: the attributes of a launch configuration, and
 * the custom requests and events, all named `cairn…`. State changes are events; nothing is polled for.
 */
import * as z from 'zod';
import { CheckpointParams, CheckpointResult, SessionStatus, TableParams, TableResult, TerminalState } from './control.js';
import { ChangedFile, ClockRule, ConnectionRule, FileHandling } from './rules.js';

export const PluginConfiguration = z.object({
  library: z.string().min(1),
  settings: z.record(z.string(), z.unknown()).optional(),
});

/** `"type": "cairn", "request": "launch"`: starts `program`, or restarts `snapshot` when that is given. */
export const LaunchConfiguration = z.object({
  program: z.string().optional(),
  args: z.array(z.string()).default([]),
  cwd: z.string().optional(),
  /** Over the adapter's own environment; at a restart over the snapshot's. null removes; PROGRAM:NAME is for one program. */
  env: z.record(z.string(), z.string().nullable()).default({}),
  session: z.string().optional(),
  store: z.string().optional(),
  plugins: z.array(PluginConfiguration).default([]),
  /** Of the workspace that `cwd` is in: its plugins are below `plugins`. */
  pluginProfile: z.string().min(1).optional(),
  /** At a restart: names or libraries of plugins of the snapshot that are taken out. */
  withoutPlugins: z.array(z.string().min(1)).default([]),
  /** At a restart: all plugins from outside, the lowest layer first. */
  pluginOrder: z.array(z.string().min(1)).optional(),
  /** At a restart: PLUGIN.KEY → value. */
  pluginSettings: z.record(z.string().min(1), z.unknown()).default({}),
  /** Id, unique prefix, name or folder of a snapshot. */
  snapshot: z.string().optional(),
  paths: z.array(z.object({ from: z.string(), to: z.string() })).default([]),
  inPlace: z.boolean().default(false),
  /** Pattern → what becomes of the files. */
  files: z.record(z.string().min(1), FileHandling).default({}),
  changedFiles: ChangedFile.optional(),
  clock: ClockRule.optional(),
  /** Address of the peer, as a pattern → what becomes of connections that leave the computation. */
  connections: z.record(z.string().min(1), ConnectionRule.shape.how).default({}),
  /** Pages of snapshots are compressed. */
  compress: z.boolean().default(false),
  slot: z.string().min(1).optional(),
});
export type LaunchConfiguration = z.infer<typeof LaunchConfiguration>;

/** `"request": "attach"`: joins a live session, or brings a running program under Cairn. */
export const AttachConfiguration = z.object({
  /** The live session; with `processId`, the name of the new one. */
  session: z.string().optional(),
  /** A program that was started without Cairn; its children come with it. */
  processId: z.union([z.number().int().positive(), z.string().regex(/^[1-9][0-9]*$/, 'it has to be a process id')]).optional(),
  store: z.string().optional(),
});
export type AttachConfiguration = z.infer<typeof AttachConfiguration>;

export const customRequests = {
  cairnStatus: { params: z.object({}), result: SessionStatus },
  cairnCheckpoint: { params: CheckpointParams, result: CheckpointResult },
  cairnCancel: { params: z.object({ only: z.literal('checkpoint').optional() }), result: z.object({}) },
  cairnTable: { params: TableParams, result: TableResult },
  cairnTerminalOpen: { params: z.object({}), result: TerminalState },
  cairnTerminalInput: { params: z.object({ data: z.string() }), result: z.object({}) },
  cairnTerminalResize: { params: z.object({ columns: z.number(), rows: z.number() }), result: z.object({}) },
} as const;
export type CustomRequestName = keyof typeof customRequests;

/** `cairnProcess`, of the adapter's own: of which process something in the variables is; null: of none, or the computation has gone on since. */
export const ProcessOfVariable = {
  params: z.object({ variablesReference: z.number() }),
  result: z.object({ virtualPid: z.number().nullable() }),
};

/** Which session this is and how it is, without what is in it, which `cairnStatus` gives: there may be thousands of processes. */
export const SessionSummary = SessionStatus.omit({ processes: true, operation: true });
export type SessionSummary = z.infer<typeof SessionSummary>;

export const customEvents = {
  /** When something in it is other. */
  cairnSession: SessionSummary,
  cairnSnapshot: CheckpointResult,
  cairnTerminalData: z.object({ data: z.string() }),
} as const;
export type CustomEventName = keyof typeof customEvents;
