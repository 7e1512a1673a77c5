/**
 * The folder of all live sessions of this user: what is in it, and word when a session appears there. It is the file system
 * that tells, so that sessions started by the command are seen as well as those of other windows.
 */
import { type FSWatcher, mkdirSync, statSync, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { SessionStatus } from '../../../debug-adapter/src/protocol/control.js';
import { CONTROL_SOCKET, runtimeRoot, SESSION_FILE } from '../../../debug-adapter/src/protocol/runtime.js';

export class RuntimeFolder implements vscode.Disposable {
  readonly #root: string;
  readonly #appeared = new vscode.EventEmitter<string>();
  /** A session of this name has begun to listen, as far as can be seen from outside. */
  readonly onDidAppear = this.#appeared.event;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(env: NodeJS.ProcessEnv = process.env) {
    const uid = process.getuid?.() ?? 0;
    const xdg = env['XDG_RUNTIME_DIR'];
    // That of another user, as su leaves it behind, is not ours; the coordinator decides likewise.
    this.#root = runtimeRoot(xdg && !isOwn(xdg, uid) ? { ...env, XDG_RUNTIME_DIR: undefined } : env, uid);
  }

  /** Throws where the folder cannot be made or watched. */
  watch(): void {
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    const watcher = watch(this.#root, (_, name) => {
      if (name) this.#watchSession(name);
    });
    this.#watchers.set('', watcher);
  }

  /** Names of all folders, live or left over. Each is watched from now on. */
  async names(): Promise<string[]> {
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    for (const name of names) this.#watchSession(name, false);
    return names;
  }

  /** What the session's coordinator has written down last; undefined: nothing, or of another version. */
  async record(name: string): Promise<SessionStatus | undefined> {
    try {
      return SessionStatus.parse(JSON.parse(await readFile(join(this.#root, name, SESSION_FILE), 'utf8')));
    } catch {
      return undefined;
    }
  }

  socket(name: string): string {
    return join(this.#root, name, CONTROL_SOCKET);
  }

  #watchSession(name: string, tell = true): void {
    const folder = join(this.#root, name);
    if (!isDirectory(folder)) {
      this.#watchers.get(name)?.close();
      this.#watchers.delete(name);
      return;
    }
    if (!this.#watchers.has(name)) {
      const watcher = watch(folder, (_, file) => {
        if (file === CONTROL_SOCKET || file === SESSION_FILE) this.#appeared.fire(name);
      });
      // The folder was removed; another one of this name is announced by the root.
      watcher.on('error', () => undefined);
      this.#watchers.set(name, watcher);
    }
    if (tell) this.#appeared.fire(name);
  }

  dispose(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#appeared.dispose();
  }
}

function isOwn(folder: string, uid: number): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
