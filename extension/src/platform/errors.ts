/**
 * Errors of coordinators and of the command, as they are shown here: what failed, then what to do.
 */
import * as vscode from 'vscode';
import type { ErrorData, Reason } from '../../../debug-adapter/src/protocol/errors.js';

/** An error whose message is meant for the user. */
export class UserError extends Error {
  readonly code: string;
  /** Of several things in the way, each by itself. */
  readonly reasons: readonly Reason[];

  constructor(message: string, code = '', reasons: readonly Reason[] = []) {
    super(message);
    this.name = 'UserError';
    this.code = code;
    this.reasons = reasons;
  }
}

/** @param data as protocol/errors.ts' ErrorData, where the other end sent it. */
export function describeRemote(message: string, data: unknown): UserError {
  const { remedy, code, reasons } = (typeof data === 'object' && data !== null ? data : {}) as Partial<
    Record<keyof ErrorData, unknown>
  >;
  const text = typeof remedy === 'string' && remedy !== '' ? `${message.replace(/[.\s]*$/, '')}. ${remedy}` : message;
  return new UserError(text, typeof code === 'string' ? code : '', Array.isArray(reasons) ? (reasons as Reason[]) : []);
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
    const reasons = error instanceof UserError ? error.reasons : [];
    // A message shows one line of text; a list can be read.
    const many = reasons.length > 1;
    const text = many ? `${what}: ${reasons.length} things are in the way.` : `${what}: ${messageOf(error)}`;
    const choice = await vscode.window.showErrorMessage(text, ...(many ? ['Show All'] : []), 'Show Log');
    if (choice === 'Show Log') log.show();
    if (choice === 'Show All') await showReasons(what, reasons);
    return undefined;
  }
}

/** A list by process, each thing with what to do. */
async function showReasons(what: string, reasons: readonly Reason[]): Promise<void> {
  const items = reasons.flatMap(({ pid, program, what: label, remedy }, index): vscode.QuickPickItem[] => {
    const first = reasons.findIndex((one) => one.pid === pid) === index;
    const separator = { label: `process ${pid} (${program})`, kind: vscode.QuickPickItemKind.Separator };
    return [...(first ? [separator] : []), { label, detail: remedy }];
  });
  await vscode.window.showQuickPick(items, { title: what, placeHolder: 'What is in the way, and what to do' });
}
