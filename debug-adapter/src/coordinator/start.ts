/**
 * How a computation begins under this coordinator: here, by launching a program; by restarting a snapshot: restart.ts. Gives the
 * command; who executes it is the caller's choice. Tests: test/protocol/coordinator.test.ts.
 */

import { randomBytes } from 'node:crypto';
import { checkSettings, distinct } from '../model/plugin-changes.js';
import { findProgram, whyNotCheckpointable } from '../platform/executable.js';
import { settingsSchema } from '../platform/plugin-schema.js';
import type { LaunchParams, StartResult } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { Context } from './context.js';
import { activeLaunchers, type Identity, launchCommand, launchEnvironment } from './launch.js';
import type { Operation } from './operation.js';
import { option, pluginSettings, ruleSettings, type SettingInit } from './settings.js';

/** What a start has set in motion. */
export interface Started extends StartResult {
  /** For every process that connects. */
  settings: SettingInit[];
  /** For the restarted processes, which are known by the name of the folder that they were restored from. */
  restart: {
    settings: (host: number) => SettingInit[];
    name: string;
    operation: Operation;
    processes: number[];
    without: string[];
    /** Nothing was in the run folder before. */
    newRunFolder: boolean;
  } | null;
}

export function identity({ session, paths }: Context): Identity {
  const { name, computation, store } = session;
  return { session: name, computation, store, paths, launchers: activeLaunchers(session) };
}

export function launch(context: Context, params: LaunchParams): Started {
  const { session, store } = context;
  store.checkWritable();
  const plugins = distinct(params.plugins);
  for (const one of plugins) checkSettings(one, settingsSchema);
  session.computation = randomBytes(8).toString('hex');
  session.argv = params.argv;
  session.cwd = params.cwd;
  const program = findProgram(params.argv[0] ?? '', params.env, params.cwd);
  session.rules = { files: params.files ?? [], clock: params.clock ?? 'go-on', connections: params.connections ?? [] };
  session.processEnv = params.processEnv ?? [];
  session.plugins = plugins;
  session.launchProblem = program === undefined ? '' : whyNotCheckpointable(program);
  const strict = params.strict === true;
  if (strict && session.launchProblem !== '') throw failure('notStrict', { why: session.launchProblem });
  session.changed();
  return {
    command: launchCommand(identity(context), params.argv, strict),
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
              remedy: 'Give Cairn a dynamically linked x86 program of your own user.',
            },
          ],
    settings: [
      ...pluginSettings(plugins, params.env),
      ...ruleSettings(session.rules),
      ...(strict ? [option('strict', '1')] : []),
    ],
    restart: null,
  };
}
