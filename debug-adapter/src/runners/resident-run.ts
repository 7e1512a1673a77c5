/**
 * Runs from a resident copy of the snapshot: one worker's. The snapshot is restored once, into a process that is copied for each run
 * (platform/resident.ts); each copy goes through the ordinary restart, under a coordinator of its own in this process. Runs come one after
 * the other. Tests: test/faults/resident.test.ts.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { deadlinesFrom } from '../coordinator/context.js';
import { Coordinator } from '../coordinator/coordinator.js';
import { restoreArguments } from '../coordinator/launch.js';
import { Log } from '../coordinator/log.js';
import { type Examined, examine } from '../coordinator/restart.js';
import { systemClock } from '../platform/clock.js';
import { environmentOutside, pluginLibrary } from '../platform/installation.js';
import { type Lock, takeLock } from '../platform/lock.js';
import { ResidentRestorer } from '../platform/resident.js';
import { ensureRuntime, type RuntimePaths, runtimePaths } from '../platform/runtime.js';
import type { RestartParams } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { PROCESSES } from '../store/snapshot-folder.js';
import { Store } from '../store/store.js';
import { CONSOLE_BYTES, callWhenStill, type Ended, MOST_MS, type RunningRequest } from './restart-run.js';

export interface ResidentOptions {
  /** Name of the sessions of all its runs. */
  session: string;
  /** The snapshot's folder. */
  snapshot: string;
  store: string;
}

const asked = (snapshot: string): RestartParams => ({
  snapshot,
  env: {},
  paths: [],
  plugins: [],
  inPlace: false,
  owner: 'caller',
});

/** What programs of a run find. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environmentOutside()).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

export class ResidentRuns {
  readonly #options: ResidentOptions;
  readonly #paths: RuntimePaths;
  readonly #examined: Examined;
  readonly #restorer: ResidentRestorer;
  readonly #console: Console;
  readonly #lock: Lock;
  readonly #store: Store;
  readonly #env = environment();

  private constructor(options: ResidentOptions, examined: Examined, restorer: ResidentRestorer, console: Console, lock: Lock) {
    this.#options = options;
    this.#paths = runtimePaths(options.session);
    this.#store = new Store(options.store);
    this.#examined = examined;
    this.#restorer = restorer;
    this.#console = console;
    this.#lock = lock;
  }

  /** Resolves when the snapshot is in memory; throws why it cannot be. */
  static async open(options: ResidentOptions): Promise<ResidentRuns> {
    const paths = runtimePaths(options.session);
    const examined = await examine(new Store(options.store), asked(options.snapshot));
    const { hosts } = examined.manifest;
    if (hosts.length > 1) throw failure('residentLost', { why: `its processes are on ${hosts.length} hosts` });
    ensureRuntime(paths);
    const lock = await takeLock(paths.lock);
    if (lock === undefined) throw failure('sessionExists', { name: options.session });
    let console: Console | undefined;
    try {
      console = await Console.listen(join(paths.folder, 'run.sock'));
      const restorer = await ResidentRestorer.start(restoreArguments(examined.folder, PROCESSES, []));
      return new ResidentRuns(options, examined, restorer, console, lock);
    } catch (error) {
      console?.close();
      lock.release();
      throw error;
    }
  }

  get lives(): boolean {
    return this.#restorer.lives;
  }

  /** Not empty: each run has to read its memory from disk, and why. */
  get fromDisk(): string {
    const { length } = this.#examined.manifest.processes;
    return length > 1 ? `it has ${length} processes` : '';
  }

  /** Throws where a run could not be tried. */
  execute = async ({ plugins, timeoutMs, signal, progress }: RunningRequest, writes: string): Promise<Ended> => {
    const { session, snapshot } = this.#options;
    rmSync(this.#paths.restoreError, { force: true });
    const errors: string[] = [];
    const coordinator = new Coordinator({
      session,
      store: this.#store,
      paths: this.#paths,
      clock: systemClock,
      log: new Log(() => undefined),
      deadlines: deadlinesFrom(process.env),
      compression: 'none',
      passing: true,
      env: this.#env,
    });
    const output = this.#console.expect(() => this.#restorer.endRun());
    try {
      await coordinator.open(false);
      const libraries = plugins.map(({ name, settings }) => ({
        library: pluginLibrary(name, '.'),
        settings: JSON.stringify(settings),
      }));
      await coordinator.restart({ ...asked(snapshot), plugins: libraries, slot: writes }, this.#examined);
      const begun = coordinator.started(MOST_MS).then(
        () => true,
        (error: unknown) => {
          errors.push(`cairn: ${reason(error)}`);
          return false;
        },
      );
      const start = performance.now();
      let timedOut = false;
      const give = (): void => {
        timedOut = true;
        this.#restorer.endRun();
      };
      const status = this.#restorer.run({
        socket: this.#paths.agentSocket,
        restoreError: this.#paths.restoreError,
        console: this.#console.path,
      });
      coordinator.supervise(status);
      const stopTimer = callWhenStill(give, timeoutMs, progress);
      signal.addEventListener('abort', give, { once: true });
      if (signal.aborted) give();
      try {
        const ended = await status;
        const elapsedMs = performance.now() - start;
        const began = await begun;
        const { stdout, stderr, tooMuch } = await output.whole(began);
        return {
          began,
          status: ended,
          stdout,
          stderr: [stderr, ...errors].filter((text) => text !== '').join('\n'),
          timedOut: timedOut || tooMuch,
          elapsedMs,
        };
      } finally {
        stopTimer();
        signal.removeEventListener('abort', give);
        // It has heard all that its processes had to say.
        await coordinator.ended;
      }
    } finally {
      coordinator.close();
    }
  };

  /** Nothing that it has made runs any more. */
  async close(): Promise<void> {
    await this.#restorer.close();
    this.#console.close();
    this.#lock.release();
  }
}

interface Output {
  stdout: string;
  stderr: string;
  tooMuch: boolean;
}

/** Where runs connect their outputs: standard output first, then standard error. */
class Console {
  readonly path: string;
  readonly #server: Server;
  #run: RunOutput | undefined;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    server.on('connection', (socket) => {
      if (this.#run === undefined) socket.destroy();
      else this.#run.take(socket);
    });
  }

  static async listen(path: string): Promise<Console> {
    rmSync(path, { force: true });
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return new Console(path, server);
  }

  expect(tooMuch: () => void): RunOutput {
    this.#run = new RunOutput(tooMuch);
    return this.#run;
  }

  close(): void {
    this.#run = undefined;
    this.#server.close();
  }
}

const OUTPUTS = 2;

class RunOutput {
  readonly #parts: Buffer[][] = [];
  readonly #ends: Promise<void>[] = [];
  readonly #onTooMuch: () => void;
  #tooMuch = false;
  #connected: (() => void) | undefined;

  constructor(tooMuch: () => void) {
    this.#onTooMuch = tooMuch;
  }

  take(socket: Socket): void {
    const parts: Buffer[] = [];
    let size = 0;
    this.#parts.push(parts);
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= CONSOLE_BYTES) parts.push(chunk);
      else if (!this.#tooMuch) {
        this.#tooMuch = true;
        this.#onTooMuch();
      }
    });
    socket.on('error', () => undefined);
    this.#ends.push(new Promise((resolve) => socket.once('close', () => resolve())));
    if (this.#ends.length === OUTPUTS) this.#connected?.();
  }

  /** Of a run that has ended; one that has not begun may not have connected. */
  async whole(began: boolean): Promise<Output> {
    if (began && this.#ends.length < OUTPUTS) await new Promise<void>((resolve) => (this.#connected = resolve));
    await Promise.all(this.#ends);
    const [stdout = '', stderr = ''] = this.#parts.map((parts) => Buffer.concat(parts).toString());
    return { stdout, stderr, tooMuch: this.#tooMuch };
  }
}
