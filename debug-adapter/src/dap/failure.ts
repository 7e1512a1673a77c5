/**
 * Errors as a client of DAP gets them: the numbers of the one table (protocol/errors.ts), the message with its remedy, and
 * whether the client should show it by itself.
 */
import type { z } from 'zod';
import { asCairnError, describe, failure } from '../protocol/errors.js';

export interface Failure {
  readonly number: number;
  readonly text: string;
  readonly showUser: boolean;
}

export function describeFailure(error: unknown): Failure {
  const known = asCairnError(error);
  return { number: known.number, text: describe(known), showUser: !QUIET.has(known.code) };
}

/** Answers to a client that asked for what it need not have asked: no message for the user. */
const QUIET: ReadonlySet<string> = new Set(['dapUnknownRequest', 'dapNotStarted', 'dapStaleReference']);

export const unknownRequest = (request: string): Error => failure('dapUnknownRequest', { request });
export const unsupported = (request: string): Error => failure('dapUnsupported', { request });
/** In place of an answer that only a computation could give. */
export const NOT_BEGUN = 'The simulation has not begun.';
export const notStarted = (): Error => failure('dapNotStarted');
export const staleReference = (what: string, id: number): Error => failure('dapStaleReference', { what, id });

/** The arguments of a request, checked and with their defaults; a client may leave out an empty object. */
export function parseArguments<S extends z.ZodType>(schema: S, request: string, args: unknown): z.output<S> {
  const result = schema.safeParse(args ?? {});
  if (result.success) return result.data;
  const why = result.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `"${path.join('.')}": ${message}`))
    .join('; ');
  throw failure('dapBadArguments', { request, why });
}
