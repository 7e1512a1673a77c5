/**
 * What a suite of end-to-end tests shares: one workbench with the packaged extension, one browser, one copy of a sample folder.
 * Owns all three and the sessions started in them; nothing is left when it is closed. A failed test leaves a picture of the
 * window, the workbench's log and the browser's messages in test-results/.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { inTree } from '../../../scripts/lib/tree.mjs';
import { vsix } from '../../../scripts/package.mjs';
import { installWorkbench } from '../../../scripts/workbench/install.mjs';
import { startWorkbench } from '../../../scripts/workbench/server.mjs';
import { liveSessions, stopSession } from '../../../scripts/workbench/sessions.mjs';
import { Window } from './window.js';

const results = inTree('test-results');

export interface SuiteOptions {
  name: string;
  /** Copied, and the copy is opened. */
  folder: string;
  /** Names of further copies, each prepared as well: the window is on all of them, as folders of one workspace. */
  more?: string[];
  settings?: Record<string, unknown>;
  /** Changes the copy before it is opened. */
  prepare?: (folder: string) => void;
  /** Longest time of one test. */
  timeoutMs?: number;
}

export class Suite {
  readonly run: string;
  /** The folder that is open in the window. */
  readonly folder: string;
  /** CAIRN_RUNTIME_DIR of everything in this suite. */
  readonly runtime: string;
  private readonly messages: string[] = [];
  private workbench: Awaited<ReturnType<typeof startWorkbench>> | undefined;
  private browser: BrowserContext | undefined;
  private shown: Window | undefined;

  constructor(readonly options: SuiteOptions) {
    this.run = mkdtempSync(join(tmpdir(), 'cairn-e2e-'));
    this.folder = join(this.run, basename(options.folder));
    this.runtime = join(this.run, 's');
  }

  async start(): Promise<void> {
    if (!existsSync(vsix)) throw new Error(`${vsix} is not there: npm run package`);
    for (const folder of [this.folder, ...(this.options.more ?? []).map((name) => join(this.run, name))]) {
      // What is built already stays newer than its sources.
      cpSync(this.options.folder, folder, {
        recursive: true,
        preserveTimestamps: true,
        filter: (file) => basename(file) !== '.cairn',
      });
      this.options.prepare?.(folder);
    }
    mkdirSync(this.runtime, { mode: 0o700 });
    await this.launch([vsix]);
  }

  /** As when the machine is used again the next day: browser and server are ended, and started again on the same folder. */
  async reopen(): Promise<Window> {
    await this.browser?.close();
    await this.workbench?.stop();
    await this.launch([]);
    return this.window;
  }

  private async launch(extensions: string[]): Promise<void> {
    this.workbench = await startWorkbench({
      codeServer: installWorkbench(),
      runFolder: this.run,
      vsix: extensions,
      settings: { 'terminal.integrated.gpuAcceleration': 'off', ...this.options.settings },
      env: { CAIRN_RUNTIME_DIR: this.runtime },
    });
    const profile = join(this.run, 'browser');
    mkdirSync(profile, { recursive: true });
    this.browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env['CAIRN_CHROMIUM'] ?? '/usr/bin/chromium',
      headless: true,
      viewport: { width: 1440, height: 1000 },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    const page = this.browser.pages()[0] ?? (await this.browser.newPage());
    this.watch(page);
    this.shown = new Window(page, this.workbench.address(this.opened()));
  }

  private opened(): string {
    const { more = [] } = this.options;
    if (more.length === 0) return this.folder;
    const file = join(this.run, 'all.code-workspace');
    writeFileSync(file, JSON.stringify({ folders: [basename(this.folder), ...more].map((path) => ({ path })) }));
    return file;
  }

  private watch(page: Page): void {
    page.on('console', (message) => this.messages.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.messages.push(`page error: ${error.message}`));
  }

  get window(): Window {
    if (!this.shown) throw new Error('the suite has not started');
    return this.shown;
  }

  /** What the `cairn` command prints, on the sessions of this window. */
  async cairn(...args: string[]): Promise<string> {
    const command = promisify(execFile);
    const { stdout } = await command(inTree('bin/cairn'), args, {
      cwd: this.folder,
      env: { ...process.env, CAIRN_RUNTIME_DIR: this.runtime },
      maxBuffer: 64 << 20,
    });
    return stdout;
  }

  /** A picture for the documents, in test-results/pictures. */
  async picture(name: string): Promise<void> {
    mkdirSync(join(results, 'pictures'), { recursive: true });
    await this.window.page.screenshot({ path: join(results, 'pictures', `${name}.png`), animations: 'disabled' });
  }

  /** A picture and the logs of what went wrong. */
  async keep(name: string, cause: unknown): Promise<void> {
    mkdirSync(results, { recursive: true });
    const stem = join(results, `${this.options.name}-${name}`.replace(/[^\w.-]+/g, '-'));
    const notes = [String(cause instanceof Error ? cause.stack : cause), ...this.messages];
    await this.shown?.page
      .screenshot({ path: `${stem}.png` })
      .catch((error: unknown) => notes.push(`no picture: ${String(error)}`));
    if (this.workbench && existsSync(this.workbench.logFile)) cpSync(this.workbench.logFile, `${stem}.log`);
    writeFileSync(`${stem}.txt`, `${notes.join('\n')}\n`);
  }

  /** Ends everything, whatever of it had started. */
  async close(): Promise<void> {
    await this.browser?.close();
    await this.workbench?.stop();
    for (const session of liveSessions(this.runtime)) await stopSession(this.runtime, session.session);
    rmSync(this.run, { recursive: true, force: true });
  }
}

/**
 * Declares a suite for the tests of the calling file, and returns how to declare a test in it. The tests run one after the other
 * in the same window, which `run` gets; what comes after a failure is not tried, as it would only fail late.
 */
export function suite(options: SuiteOptions): (name: string, run: (window: Window, suite: Suite) => Promise<void>) => void {
  let shared: Suite | undefined;
  let broken: string | undefined;
  const timeout = options.timeoutMs ?? 120_000;
  before(
    async () => {
      shared = new Suite(options);
      try {
        await shared.start();
      } catch (error) {
        await shared.keep('start', error);
        throw error;
      }
    },
    { timeout: 300_000 },
  );
  after(() => shared?.close(), { timeout: 60_000 });
  return (name, run) => {
    test(name, async () => {
      if (!shared) throw new Error('the suite has not started');
      if (broken !== undefined) {
        const error = new Error(`not tried, since this failed before: ${broken}`);
        error.stack = error.message;
        throw error;
      }
      try {
        // Not node:test's own timeout: a picture of what hangs is wanted.
        const late = sleep(timeout, undefined, { ref: false }).then(() => {
          throw new Error(`the test was not through after ${timeout / 1000} s`);
        });
        await Promise.race([run(shared.window, shared), late]);
      } catch (error) {
        broken = name;
        await shared.keep(name, error);
        throw error;
      }
    });
  };
}
