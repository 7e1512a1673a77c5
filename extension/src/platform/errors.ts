/**
 * Errors of coordinators and of the command, as they are shown here: what failed, then what to do.
 */
import * as vscode from 'vscode';

/** An error whose message is meant for the user. */
export class UserError extends Error {
  readonly code: string;

  constructor(message: string, code = '') {
    super(message);
    this.name = 'UserError';
    this.code = code;
  }
}

/** @param data as protocol/errors.ts' ErrorData, where the other end sent it. */
export function describeRemote(message: string, data: unknown): UserError {
  const { remedy, code } = (typeof data === 'object' && data !== null ? data : {}) as { remedy?: unknown; code?: unknown };
  const text = typeof remedy === 'string' && remedy !== '' ? `${message.replace(/[.\s]*$/, '')}. ${remedy}` : message;
  return new UserError(text, typeof code === 'string' ? code : '');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs a command of the user's; whatever fails is shown once and logged with its stack. */
export async function reporting<T>(log: vscode.LogOutputChannel, what: string, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    // Whoever cancels knows it; the Barriers view says so, too.
    if (error instanceof vscode.CancellationError || (error instanceof UserError && error.code === 'cancelled')) return undefined;
    log.error(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const choice = await vscode.window.showErrorMessage(`${what}: ${messageOf(error)}`, 'Show Log');
    if (choice === 'Show Log') log.show();
    return undefined;
  }
}
