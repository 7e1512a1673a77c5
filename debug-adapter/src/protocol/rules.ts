/**
 * Rules that a computation keeps from its start, and that a restart may change: what becomes of files, and how clocks go. They stand
 * in the manifest of each snapshot.
 */
import * as z from 'zod';

/**
 * save: the content goes with the snapshot, and comes back. check: it stays where it is, and must be there unchanged at a restart.
 * ignore: it stays where it is, and is used as it is then. Without a rule, files that are written to and unlinked ones are saved, and
 * the others are checked.
 */
export const FileHandling = z.enum(['save', 'check', 'ignore']);
export type FileHandling = z.infer<typeof FileHandling>;

export const FileRule = z.object({
  /** A virtual path, where * and ? do not match a slash, and ** does; without a slash, the last part of the path. */
  pattern: z
    .string()
    .min(1)
    .regex(/^[^\n]*$/, 'a pattern is one line'),
  how: FileHandling,
});
export type FileRule = z.infer<typeof FileRule>;

/** What a restart does with a file that is checked and has changed. */
export const ChangedFile = z.enum(['refuse', 'use']);
export type ChangedFile = z.infer<typeof ChangedFile>;

/** CLOCK_MONOTONIC and its kin over a restart: they go on with the machine's, or continue as if no time had passed. */
export const ClockRule = z.enum(['go-on', 'continue']);
export type ClockRule = z.infer<typeof ClockRule>;

/**
 * A connection that leaves the computation: a checkpoint is refused; a restarted program finds it reset; or it is external, so that a
 * plugin brings it back, and a restart without one is refused. Without a rule a plugin is asked first, and then it is refused.
 */
export const ConnectionRule = z.object({
  /** The peer's address as it is shown: 10.0.0.1:80, [::1]:80, /run/name.sock, @abstract; * and ? stand for any characters. */
  pattern: z
    .string()
    .min(1)
    .regex(/^[^\n]*$/, 'a pattern is one line'),
  how: z.enum(['refuse', 'close', 'external']),
});
export type ConnectionRule = z.infer<typeof ConnectionRule>;

export const Rules = z.object({ files: z.array(FileRule), clock: ClockRule, connections: z.array(ConnectionRule).default([]) });
export type Rules = z.infer<typeof Rules>;

export const noRules: Rules = { files: [], clock: 'go-on', connections: [] };
