/**
 * Progress of what may take long: nothing is shown for what is done within a second.
 */
import * as vscode from 'vscode';

const PATIENCE_MS = 1_000;

/** @param cancel asks for the end of `task`, which then rejects or resolves by itself. */
export async function withLateProgress<T>(title: string, task: Promise<T>, cancel?: () => Promise<unknown>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), PATIENCE_MS);
  });
  // Whatever happens to the task, this wait ends.
  const first = await Promise.race([
    task.then(
      () => 'done',
      () => 'done',
    ),
    late,
  ]);
  clearTimeout(timer);
  if (first === 'late') {
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: cancel !== undefined };
    await vscode.window.withProgress(options, async (_, token) => {
      token.onCancellationRequested(() => void cancel?.());
      await task.catch(() => undefined);
    });
  }
  return task;
}
