/**
 * How a computation begins under this coordinator: launched, or restarted from a snapshot. Gives the command; who executes it
 * is the caller's choice. A restarted process connects and is then taken through the restart's phases.
 * Tests: test/protocol/restart.test.ts.
 */

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { restartSteps } from '../model/phases.js';
import { findProgram, whyNotCheckpointable } from '../platform/executable.js';
import { readIfThere } from '../platform/files.js';
import { signalProcess } from '../platform/processes.js';
import type { LaunchParams, RestartParams, StartResult } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { SettingKind, type SettingSchema } from '../protocol/generated/agent_pb.js';
import { restorableFolder } from '../store/compression.js';
import { isFatal, preflight, preflightText } from '../store/preflight.js';
import { newRunFolder } from '../store/runs.js';
import { summarize, wholeManifest } from '../store/snapshot-folder.js';
import type { AgentConnection } from './agent-connection.js';
import type { Context } from './context.js';
import { type Identity, identityVariables, launchCommand, launchEnvironment, restoreCommand } from './launch.js';
import type { Operation } from './operation.js';

type SettingInit = MessageInitShape<typeof SettingSchema>;

/** What a start has set in motion. */
export interface Started extends StartResult {
  /** For every process that connects. */
  settings: SettingInit[];
  /** For the restarted process alone, which is known by the name of the folder that it was restored from. */
  restart: { settings: SettingInit[]; name: string; operation: Operation } | null;
}

function identity({ session, paths }: Context): Identity {
  return { session: session.name, computation: session.computation, store: session.store, paths };
}

const pluginSettings = (plugins: LaunchParams['plugins']): SettingInit[] =>
  plugins.map(({ library, settings }) => ({ kind: SettingKind.SETTING_PLUGIN, key: library, value: settings }));

export function launch(context: Context, params: LaunchParams): Started {
  const { session } = context;
  session.computation = randomBytes(8).toString('hex');
  session.argv = params.argv;
  session.cwd = params.cwd;
  const program = findProgram(params.argv[0] ?? '', params.env, params.cwd);
  session.launchProblem = program === undefined ? '' : whyNotCheckpointable(program);
  session.changed();
  return {
    command: launchCommand(identity(context), params.argv),
    env: launchEnvironment(identity(context), params.env),
    cwd: params.cwd,
    runFolder: null,
    warnings:
      session.launchProblem === ''
        ? []
        : [
            {
              severity: 'warning',
              code: 'no-agent',
              message: `${session.launchProblem}: it runs, but Cairn cannot checkpoint it.`,
              remedy: 'Give Cairn a dynamically linked 64-bit program of your own user.',
            },
          ],
    settings: pluginSettings(params.plugins),
    restart: null,
  };
}

export async function restart(context: Context, params: RestartParams, env: Readonly<Record<string, string>>): Promise<Started> {
  const { session, store, paths, log, clock } = context;
  if (!isAbsolute(params.snapshot))
    throw failure('folderNotUsable', { path: params.snapshot, why: 'it is not an absolute path' });
  const summary = summarize(params.snapshot);
  const findings = await preflight(summary, {
    paths: params.paths,
    outputs: params.inPlace ? null : store.runs,
    cache: store.cache,
  });
  for (const one of findings) log.add(one.severity, `preflight: ${one.code}: ${one.message}`);
  if (isFatal(findings))
    throw failure('preflight', { id: summary.id, findings: preflightText(findings.filter((one) => one.severity === 'error')) });
  const manifest = wholeManifest(params.snapshot);
  const folder = await restorableFolder(store, params.snapshot, manifest);
  const runFolder = params.inPlace ? null : newRunFolder(store, session.name, clock.now());
  rmSync(paths.restoreError, { force: true });

  const { computation, argv, cwd } = manifest;
  Object.assign(session, { computation, argv, cwd, restartedFrom: manifest.id, lastSnapshot: manifest.id, runFolder });
  const operation = context.begin('restart');
  session.become('restarting');

  const [root] = manifest.processes;
  const { LD_PRELOAD: _, ...plain } = env;
  return {
    command: restoreCommand(identity(context), folder, root?.virtualPid ?? 0, params.paths),
    env: { ...plain, ...identityVariables(identity(context)) },
    cwd: '/',
    runFolder,
    warnings: findings,
    settings: pluginSettings(params.plugins),
    restart: { settings: restartSettings(context, params, folder), name: basename(folder), operation },
  };
}

function restartSettings(context: Context, params: RestartParams, folder: string): SettingInit[] {
  const { session } = context;
  const settings: SettingInit[] = [{ kind: SettingKind.SETTING_SNAPSHOT_FOLDER, value: folder }];
  if (session.runFolder !== null) settings.push({ kind: SettingKind.SETTING_RUN_FOLDER, value: session.runFolder });
  for (const { from, to } of params.paths) settings.push({ kind: SettingKind.SETTING_PATH, key: from, value: to });
  const env: Record<string, string | null> = { ...identityVariables(identity(context)), ...params.env };
  for (const [key, value] of Object.entries(env)) {
    settings.push(
      value === null
        ? { kind: SettingKind.SETTING_ENVIRONMENT_UNSET, key }
        : { kind: SettingKind.SETTING_ENVIRONMENT, key, value },
    );
  }
  return settings;
}

/**
 * Takes the restarted process through its phases. One that cannot be brought back whole is ended: it must not run on with half
 * of what it had.
 */
export async function finishRestart(context: Context, operation: Operation, one: AgentConnection): Promise<void> {
  const { session, log } = context;
  try {
    if (one.problem !== '') throw failure('cannotCheckpoint', { pid: one.virtualPid, program: one.program, why: one.problem });
    for (const step of restartSteps([one])) await operation.step(step, [one], context.deadlines);
    if (session.state === 'restarting') session.become('running');
    operation.finish();
    log.add('info', `restarted from ${session.restartedFrom ?? ''}`, {
      virtualPid: one.virtualPid,
      operation: operation.status.id,
    });
  } catch (error) {
    const failed = failure(
      'restartFailed',
      { id: session.restartedFrom ?? '', why: reason(error), detail: 'The restarted process was ended.' },
      error,
    );
    log.failure('restart', failed);
    // It says on its standard error what failed, and ends.
    await operation.abort([one]);
    operation.finish(failed);
    signalProcess(one.process, 'SIGKILL');
    throw failed;
  }
}

/** Why a restart came to nothing, from what the restorer left behind. */
export function restartError(context: Context): Error {
  const { session, paths } = context;
  const text = readIfThere(paths.restoreError)?.trim() ?? '';
  const status = session.exitStatus === null ? '' : ` with status ${session.exitStatus}`;
  return failure('restartFailed', {
    id: session.restartedFrom ?? '',
    why: text || `the process ended${status} before it ran again`,
    detail: `Log: ${basename(paths.folder)}/${basename(paths.log)} in the runtime folder.`,
  });
}
