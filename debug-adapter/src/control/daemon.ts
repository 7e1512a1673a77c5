/**
 * The coordinator as a program, dist/coordinator.js: composition root and nothing else. One a session; it is started detached,
 * says "ready" on descriptor 3, and leaves when the computation has ended and nobody is connected any more.
 *
 *   node coordinator.js --session NAME --store DIR [--take-over] [--compress]
 */
import { closeSync, fstatSync, ftruncateSync, rmSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deadlinesFrom } from '../coordinator/context.js';
import { Coordinator } from '../coordinator/coordinator.js';
import { Log } from '../coordinator/log.js';
import { systemClock } from '../platform/clock.js';
import { closeInherited, TAKEN } from '../platform/daemon.js';
import { takeLock } from '../platform/lock.js';
import { ensureRuntime, type RuntimePaths, runtimePaths } from '../platform/runtime.js';
import { asCairnError, describe, failure } from '../protocol/errors.js';
import { Store } from '../store/store.js';
import { ControlServer } from './server.js';

const STANDARD_ERROR = 2;
const READY = 3;
/** For the next client, after the last one has gone. */
const STAY_MS = 2000;

function say(word: string): void {
  try {
    writeSync(READY, word);
    closeSync(READY);
  } catch {
    // Started by hand, without anybody who listens.
  }
}

/** What an earlier session of this name has left; only who holds its lock may know that it is left. */
function forgetEarlier({ record, terminalLog, restoreError }: RuntimePaths): void {
  for (const path of [record, terminalLog, restoreError]) rmSync(path, { force: true });
  // The log is standard error, opened for this process by who started it.
  if (fstatSync(STANDARD_ERROR).isFile()) ftruncateSync(STANDARD_ERROR);
}

function options() {
  const { values } = parseArgs({
    options: {
      session: { type: 'string' },
      store: { type: 'string' },
      'take-over': { type: 'boolean', default: false },
      compress: { type: 'boolean', default: false },
    },
  });
  const { session, store } = values;
  if (session === undefined || store === undefined)
    throw failure('usage', { what: 'coordinator.js needs --session and --store', remedy: 'Use the cairn command.' });
  return {
    session,
    store,
    takeOver: values['take-over'],
    compress: values.compress || process.env['CAIRN_COMPRESSION'] === 'zstd',
  };
}

async function main(): Promise<void> {
  closeInherited(READY);
  const { session, store, takeOver, compress } = options();
  const paths = runtimePaths(session);
  ensureRuntime(paths);
  const lock = await takeLock(paths.lock);
  if (lock === undefined) {
    // Not to the log: that is the other one's.
    say(TAKEN);
    process.exit(1);
  }
  if (!takeOver) forgetEarlier(paths);

  const log = new Log((line) => process.stderr.write(line));
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const coordinator = new Coordinator({
    session,
    store: new Store(store),
    paths,
    clock: systemClock,
    log,
    deadlines: deadlinesFrom(process.env),
    compression: compress ? 'zstd' : 'none',
    env,
  });
  const server = new ControlServer(coordinator, log, paths.log);

  const leave = (why: string): void => {
    log.add('info', `leaving: ${why}`);
    coordinator.close();
    server.close();
    lock.release();
    process.exit(0);
  };
  let timer: NodeJS.Timeout | undefined;
  const consider = (): void => {
    clearTimeout(timer);
    if (coordinator.isIdle && server.clients === 0)
      timer = setTimeout(() => leave('the computation has ended and nobody is connected'), STAY_MS);
  };
  server.onClients(consider);
  coordinator.session.onChange(consider);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (coordinator.ownsTerminal)
        log.add(
          'warning',
          `${signal}: the terminal of the computation is closed with this coordinator, and the computation gets SIGHUP`,
        );
      leave(signal);
    });
  }
  // A batch system may send a signal that is meant for the program to all processes of its job. SIGUSR1 would open Node's inspector.
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
  process.on('uncaughtException', (error) => log.failure('uncaught', error));
  process.on('unhandledRejection', (error) => log.failure('unhandled', error));

  await coordinator.open(takeOver);
  await server.listen(paths.controlSocket);
  log.add('info', `coordinator of session ${session}, store ${store}${takeOver ? ', taking over' : ''}`);
  consider();
  say('ready');
}

main().catch((error: unknown) => {
  const text = describe(asCairnError(error));
  say(text);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
