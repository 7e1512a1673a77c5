/**
 * A snapshot as it stands on disk and as every view shows it. The folder of a snapshot holds `manifest.json` (written once,
 * before the folder gets its final name; immutable) and `labels.json` (what the user may change; replaced atomically).
 */
import * as z from 'zod';
import { noRules, Rules } from './rules.js';

/** Version of the folder's layout; a newer one is refused by a message, an older one is read. */
export const SNAPSHOT_FORMAT = 1;

export const SnapshotFile = z.object({
  /** Relative to the snapshot's folder. */
  name: z.string(),
  /** Bytes. */
  size: z.number().int().nonnegative(),
  /** XXH3, 64 bits, seed 0, of the whole content: 16 lower-case hexadecimal digits. */
  checksum: z.string().regex(/^[0-9a-f]{16}$/),
});
export type SnapshotFile = z.infer<typeof SnapshotFile>;

export const SimulatedTime = z.object({
  /** Ticks, decimal (may exceed 2^53). */
  ticks: z.string().regex(/^\d+$/),
  /** A tick is 10^unit seconds. */
  unit: z.number().int(),
});
export type SimulatedTime = z.infer<typeof SimulatedTime>;

export const SnapshotProcess = z.object({
  virtualPid: z.number().int().positive(),
  /** Virtual pid; 0: outside the computation. The first process of the list is one of those. */
  parent: z.number().int().nonnegative(),
  executable: z.string(),
  argv: z.array(z.string()),
  threads: z.number().int().positive(),
  /** As the image's header has it; not there: x86_64. */
  architecture: z.string().optional(),
  /** Number of the host that it was on. */
  host: z.number().int().nonnegative().default(0),
});
export type SnapshotProcess = z.infer<typeof SnapshotProcess>;

/** A file that the computation had open or mapped. */
export const OpenFile = z.object({
  /** Virtual. */
  path: z.string(),
  how: z.enum(['saved', 'checked', 'ignored']),
  /** Where it was, if not at its virtual path. */
  real: z.string().optional(),
  size: z.number().int().nonnegative(),
  /** XXH3 of the content of a file that is checked; absent: it was too large, or had gone. */
  checksum: z.string().optional(),
});
export type OpenFile = z.infer<typeof OpenFile>;

/** How long one phase took: the coordinator's clock, from the request to the last reply. */
export const PhaseTiming = z.object({ phase: z.string(), ms: z.number() });
export type PhaseTiming = z.infer<typeof PhaseTiming>;

/** One difference between a restart and what the snapshot has: of what, and its values; empty: it has none. */
export const RestartChange = z.object({ what: z.string(), before: z.string(), now: z.string() });
export type RestartChange = z.infer<typeof RestartChange>;

export const Manifest = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  /** 12 lower-case hexadecimal digits. */
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  /** The snapshot that the computation had been restarted from, or its own previous one; null at a root. */
  parent: z.string().nullable(),
  session: z.string(),
  /** Stays the same through restarts of the computation. */
  computation: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  /** Virtual working folder of the first process at the snapshot: what is below it goes into a run folder. */
  folder: z.string(),
  host: z.object({ name: z.string(), kernel: z.string(), architecture: z.string(), cpuModel: z.string(), libc: z.string() }),
  simulatedTime: SimulatedTime.nullable(),
  /** Milliseconds that threads were stopped. */
  pauseMs: z.number(),
  /** Milliseconds from the request until everything was on disk. */
  totalMs: z.number(),
  /** Bytes on disk of all files. */
  bytes: z.number().int().nonnegative(),
  phases: z.array(PhaseTiming),
  compression: z.enum(['none', 'zstd']),
  /** The first process's host first, each after its parent. */
  processes: z.array(SnapshotProcess).min(1),
  /** Where there were several: those that processes were on. */
  hosts: z
    .array(z.object({ number: z.number().int().nonnegative(), name: z.string(), addresses: z.array(z.string()).default([]) }))
    .default([]),
  /** The number that a further host is to have. */
  nextHost: z.number().int().positive().default(1),
  /** How programs are started on other hosts, and the address at which those reach the coordinator; null: none could join. */
  launchers: z.array(z.string()).default([]),
  listen: z.string().nullable().default(null),
  files: z.array(SnapshotFile),
  rules: Rules.default(noRules),
  /** Given by --plugin, the lowest layer first. */
  plugins: z.array(z.object({ library: z.string(), settings: z.string(), name: z.string().optional() })).default([]),
  openFiles: z.array(OpenFile).default([]),
  /** Of the restart that the session began with. */
  restartChanges: z.array(RestartChange).default([]),
});
export type Manifest = z.infer<typeof Manifest>;

export const Labels = z.object({
  /** As the user named it; empty: the views show a name made from the time. */
  name: z.string(),
  note: z.string(),
  /** A pinned snapshot is deleted only after it was unpinned. */
  pinned: z.boolean(),
});
export type Labels = z.infer<typeof Labels>;

/** What `cairn ls --json` prints for each snapshot, and what the tree shows. */
export const SnapshotSummary = z.object({
  id: z.string(),
  /** Absolute. */
  path: z.string(),
  parent: z.string().nullable(),
  name: z.string(),
  note: z.string(),
  pinned: z.boolean(),
  createdAt: z.string(),
  session: z.string(),
  simulatedTime: SimulatedTime.nullable(),
  bytes: z.number(),
  pauseMs: z.number(),
  totalMs: z.number(),
  argv: z.array(z.string()),
  /** Where the program was started; empty where the manifest cannot be read. */
  cwd: z.string().default(''),
  /** Those of its processes that live, the first one first; empty where the manifest cannot be read. */
  processes: z.array(SnapshotProcess.pick({ virtualPid: true, executable: true })),
  /** Virtual paths of the files whose content it has, and of those that a restart uses as they are then; the others are checked. */
  savedFiles: z.array(z.string()).optional(),
  ignoredFiles: z.array(z.string()).optional(),
  rules: Rules.optional(),
  /** From outside, the lowest layer first. */
  plugins: Manifest.shape.plugins.optional(),
  restartChanges: z.array(RestartChange).optional(),
  /** Not empty: the folder is damaged or of a newer format; it cannot be restarted. */
  problem: z.string(),
});
export type SnapshotSummary = z.infer<typeof SnapshotSummary>;

/** One answer of the preflight. Without a finding of severity `error` the restart may start. */
export const PreflightFinding = z.object({
  severity: z.enum(['error', 'warning']),
  /** Stable, for scripts: `missing-file`, `changed-file`, `cpu-features`, `kernel`, `libc`, `disk`, `memory`, … */
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
});
export type PreflightFinding = z.infer<typeof PreflightFinding>;
