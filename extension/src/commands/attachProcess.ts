/**
 * Attaching to a program that runs without Cairn: the choice of one, also for launch configurations (`${command:cairn.pickProcess}`).
 */
import * as vscode from 'vscode';
import { type RunningProgram, runningPrograms } from '../platform/processList.js';
import type { LiveSessions } from '../session/liveSessions.js';
import { folderWith, localFolders } from '../session/stores.js';

async function choose(sessions: LiveSessions): Promise<RunningProgram | undefined> {
  const under = sessions.all.flatMap(({ status }) => status.processes.map(({ realPid }) => realPid));
  const items = runningPrograms(new Set(under)).then((programs) =>
    programs.map((program) => ({
      label: program.name,
      description: String(program.pid),
      detail: program.commandLine,
      program,
    })),
  );
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Attach to Process',
    placeHolder: 'The program to bring under Cairn, with its children',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.program;
}

/** For `${command:…}`: the process id; undefined cancels the start. */
export async function pickProcess(sessions: LiveSessions): Promise<string | undefined> {
  const program = await choose(sessions);
  return program && String(program.pid);
}

/** Chooses one and shows it in Run and Debug. */
export async function attachToProcess(sessions: LiveSessions): Promise<void> {
  const program = await choose(sessions);
  if (program === undefined) return;
  const folder = folderWith(program.cwd) ?? localFolders()[0];
  await vscode.debug.startDebugging(folder, {
    type: 'cairn',
    request: 'attach',
    name: `${program.name} (${program.pid})`,
    processId: program.pid,
  });
}
