/**
 * A running workbench: code-server on a loopback port of its own, with home, data and extensions in a run folder of its own, so
 * that nothing of the user's is touched. Owns its process group; stop() ends all of it.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, treeNode } from '../lib/tree.mjs';

/** What keeps a fresh workbench from showing anything but the folder and Cairn. */
export const defaultSettings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'debug.openDebug': 'openOnSessionStart',
  'debug.toolBarLocation': 'floating',
  'remote.autoForwardPorts': false,
  'git.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
};

/** Ready in half a second on an idle machine. */
const readyDeadlineMs = 60_000;
const stopDeadlineMs = 10_000;

/**
 * @param {{ codeServer: string, runFolder: string, vsix: string[], settings?: Record<string, unknown>, env?: Record<string, string>, port?: number }} options
 */
export async function startWorkbench({ codeServer, runFolder, vsix, settings = {}, env = {}, port = 0 }) {
  const folders = {
    home: join(runFolder, 'home'),
    data: join(runFolder, 'data'),
    extensions: join(runFolder, 'ext'),
    runtime: join(runFolder, 'rt'),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = join(runFolder, 'config.yaml');
  writeFileSync(config, '');
  mkdirSync(join(folders.data, 'User'), { recursive: true });
  writeFileSync(
    join(folders.data, 'User/settings.json'),
    `${JSON.stringify({ ...defaultSettings, ...settings }, undefined, 2)}\n`,
  );

  const environment = cleanEnvironment({
    HOME: folders.home,
    XDG_RUNTIME_DIR: folders.runtime,
    EXTENSIONS_GALLERY: '{}',
    ...env,
  });
  const own = ['--config', config, '--user-data-dir', folders.data, '--extensions-dir', folders.extensions];
  const entry = join(codeServer, 'out/node/entry.js');
  const logFile = join(runFolder, 'workbench.log');
  const log = createWriteStream(logFile, { flags: 'a' });
  const launch = (args) => {
    const child = spawn(treeNode, [entry, ...own, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => log.write(text));
    return child;
  };

  for (const file of vsix) {
    const install = launch(['--install-extension', file, '--force']);
    const status = await new Promise((done) => install.on('close', done));
    if (status !== 0) throw new Failure(`installing ${file} in the workbench failed, see ${logFile}:\n${tail(logFile)}`);
  }

  const server = launch([
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--auth',
    'none',
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-workspace-trust',
    '--disable-getting-started-override',
    '--disable-proxy',
  ]);
  let ended = false;
  /** @type {Promise<void>} */
  const end = new Promise((done) => {
    server.on('close', () => {
      ended = true;
      done();
    });
  });
  const stop = async () => {
    signalGroup(server.pid, 'SIGTERM');
    const late = setTimeout(() => signalGroup(server.pid, 'SIGKILL'), stopDeadlineMs);
    await end;
    clearTimeout(late);
    signalGroup(server.pid, 'SIGKILL'); // what it started and left
    log.end();
  };

  /** @type {Promise<string>} */
  const address = new Promise((done) => {
    let text = '';
    server.stdout.on('data', (more) => {
      text += more;
      const match = /HTTP server listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(text);
      if (match?.[1]) done(match[1]);
    });
  });
  const url = await Promise.race([address, end, sleep(readyDeadlineMs, undefined, { ref: false })]);
  if (!url) {
    await stop();
    throw new Failure(
      `the workbench ${ended ? 'ended at once' : `was not ready after ${readyDeadlineMs / 1000} s`}, see ${logFile}:\n${tail(logFile)}`,
    );
  }
  return {
    /** The address of a window on a folder, or on the folders that a .code-workspace names. */
    address: (path) => `${url}/?${path.endsWith('.code-workspace') ? 'workspace' : 'folder'}=${encodeURIComponent(path)}`,
    url,
    folders,
    logFile,
    pid: server.pid,
    /** Resolves when the server has ended, by stop() or by itself. */
    ended: end,
    stop,
  };
}

/** Without what a workbench or npm around us has set, which would lead the server or its terminals astray. */
function cleanEnvironment(extra) {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(VSCODE_|npm_|ELECTRON_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|CAIRN_|INIT_CWD$|CODE_SERVER_)/.test(name)) continue;
    env[name] = value;
  }
  return { ...env, ...extra };
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function tail(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-20).join('\n') : '';
}
