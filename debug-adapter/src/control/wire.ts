/**
 * Errors of the control protocol: a CairnError on one end is the same CairnError on the other.
 */
import { ResponseError } from 'vscode-jsonrpc/node';
import * as z from 'zod';
import { asCairnError, CairnError, type ErrorCode, type ErrorData, errorTable } from '../protocol/errors.js';

const Data = z.object({
  code: z.string(),
  number: z.number(),
  blame: z.enum(['user', 'program', 'environment', 'cairn']),
  remedy: z.string(),
  reasons: z.array(z.object({ pid: z.number(), program: z.string(), what: z.string(), remedy: z.string() })).optional(),
});

export function toResponseError(error: unknown, log: string): ResponseError<ErrorData> {
  const cairn = asCairnError(error, log);
  return new ResponseError(cairn.number, cairn.message, cairn.data);
}

/** undefined: it did not come from the other end (a lost connection, say). */
export function fromResponseError(error: unknown): CairnError | undefined {
  if (!(error instanceof ResponseError)) return undefined;
  const parsed = Data.safeParse(error.data);
  if (!parsed.success) return undefined;
  const code: ErrorCode = parsed.data.code in errorTable ? (parsed.data.code as ErrorCode) : 'internal';
  return new CairnError({ ...parsed.data, code }, error.message);
}
