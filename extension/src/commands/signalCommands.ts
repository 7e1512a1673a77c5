/**
 * Commands on design signals: set, force, release, find, and which are noted with snapshots. Called on a variable of the scope Signals they act on
 * it; called without one they let the user find the signal.
 */
import * as vscode from 'vscode';
import type { DesignSignal, SignalAction } from '../../../debug-adapter/src/protocol/signals.js';
import { UserError } from '../platform/errors.js';
import type { CurrentSession } from '../session/current.js';
import type { LiveSession } from '../session/liveSession.js';

const MOST_FOUND = 200;
const SEARCH_MS = 150;
const MESSAGE_MS = 6000;

interface Found extends vscode.QuickPickItem {
  readonly name: string;
}

export class SignalCommands {
  readonly #current: CurrentSession;

  constructor(current: CurrentSession) {
    this.#current = current;
  }

  all(): Record<string, (node?: unknown) => Promise<void>> {
    return {
      'cairn.setSignal': (node) => this.#write('set', node),
      'cairn.forceSignal': (node) => this.#write('force', node),
      'cairn.releaseSignal': (node) => this.#write('release', node),
      'cairn.findSignal': () => this.#find(),
      'cairn.noteSignal': (node) => this.#note(node),
      'cairn.chooseSignals': () => this.#choose(),
    };
  }

  async #signal(node: unknown, title: string): Promise<{ session: LiveSession; name: string }> {
    const session = await this.#current.pick(title);
    const name = signalOfVariable(node);
    return { session, name: name ?? (await findSignal(session, title)) };
  }

  async #write(action: SignalAction, node: unknown): Promise<void> {
    const title = { set: 'Set Signal', force: 'Force Signal', release: 'Release Signal' }[action];
    const { session, name } = await this.#signal(node, title);
    let value: string | undefined;
    if (action !== 'release') {
      const { signals } = await session.request('session/readSignals', { names: [name] });
      value = await vscode.window.showInputBox({
        title: `${title}: ${name}`,
        prompt: "As Verilog writes it: 42, 8'hff, 'b10xz, or of a real 1.5",
        value: signals[0]?.value ?? '',
      });
      if (value === undefined) throw new vscode.CancellationError();
    }
    const writes = [{ action, name, ...(value === undefined ? {} : { value }) }];
    const { written } = await session.request('session/writeSignals', { writes });
    const [one] = written;
    if (one === undefined || one.outcome !== 'effective')
      throw new UserError(`${name} was not written: ${one?.why ?? 'no answer'}`);
    const done = { set: 'is', force: 'is forced to', release: 'is released, and is' }[action];
    void vscode.window.setStatusBarMessage(`${name} ${done} ${one.after ?? ''}`, MESSAGE_MS);
  }

  /** What to do with it is asked when it is found. */
  async #find(): Promise<void> {
    const session = await this.#current.pick('Find Signal');
    const name = await findSignal(session, 'Find Signal');
    const actions: (vscode.QuickPickItem & { run: () => Thenable<unknown> })[] = [
      { label: '$(edit) Set…', run: () => this.#write('set', name) },
      { label: '$(lock) Force…', run: () => this.#write('force', name) },
      { label: '$(unlock) Release', run: () => this.#write('release', name) },
      { label: '$(device-camera) Note with Each Snapshot', run: () => this.#note(name) },
      { label: '$(copy) Copy Name', run: () => vscode.env.clipboard.writeText(name) },
    ];
    const { signals } = await session.request('session/readSignals', { names: [name] });
    const title = `${name} = ${signals[0]?.value ?? 'no value'}`;
    const picked = await vscode.window.showQuickPick(actions, { title, placeHolder: 'What to do' });
    if (!picked) throw new vscode.CancellationError();
    await picked.run();
  }

  async #note(node: unknown): Promise<void> {
    const { session, name } = await this.#signal(node, 'Note Signal with Each Snapshot');
    const { names } = await session.request('session/chooseSignals', { names: [...session.status.chosenSignals, name] });
    void vscode.window.setStatusBarMessage(`Noted with each snapshot: ${names.join(', ')}`, MESSAGE_MS);
  }

  /** Those that are noted, to be taken off. */
  async #choose(): Promise<void> {
    const session = await this.#current.pick('Signals Noted with Snapshots');
    const { names } = await session.request('session/chooseSignals', {});
    if (names.length === 0) {
      await this.#note(undefined);
      return;
    }
    const picked = await vscode.window.showQuickPick(
      names.map((label) => ({ label, picked: true })),
      { title: 'Signals Noted with Snapshots', canPickMany: true, placeHolder: 'Those that are to be noted from now on' },
    );
    if (!picked) throw new vscode.CancellationError();
    await session.request('session/chooseSignals', { names: picked.map(({ label }) => label) });
  }
}

/** Of the Variables view's menus, or a name. */
function signalOfVariable(node: unknown): string | undefined {
  if (typeof node === 'string') return node;
  const { variable } = (typeof node === 'object' && node !== null ? node : {}) as { variable?: { evaluateName?: unknown } };
  return typeof variable?.evaluateName === 'string' ? variable.evaluateName : undefined;
}

/** By any part of the name, or a pattern with * and ?. */
async function findSignal(session: LiveSession, title: string): Promise<string> {
  const pick = vscode.window.createQuickPick<Found>();
  pick.title = title;
  pick.placeholder = 'Part of a name, a pattern with * and ?, or MEMORY[INDEX]';
  pick.matchOnDescription = true;
  let asked = 0;
  const search = async (pattern: string): Promise<void> => {
    const mine = ++asked;
    pick.busy = true;
    try {
      const { signals, next } = await session.request('session/signals', { pattern, limit: MOST_FOUND });
      if (mine !== asked) return;
      pick.items = signals.map(foundItem);
      pick.title = next === null ? title : `${title} (the first ${MOST_FOUND})`;
    } catch (error) {
      if (mine === asked)
        pick.items = [{ label: error instanceof Error ? error.message : String(error), name: '', alwaysShow: true }];
    } finally {
      if (mine === asked) pick.busy = false;
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const listening = pick.onDidChangeValue((value) => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(value), SEARCH_MS);
  });
  try {
    const picked = new Promise<string | undefined>((resolve) => {
      pick.onDidAccept(() => {
        const name = pick.selectedItems[0]?.name;
        if (name) resolve(name);
      });
      pick.onDidHide(() => resolve(undefined));
    });
    pick.show();
    void search('');
    const name = await picked;
    if (name === undefined) throw new vscode.CancellationError();
    return name;
  } finally {
    clearTimeout(timer);
    listening.dispose();
    pick.dispose();
  }
}

function foundItem({ name, value, kind, range, width }: DesignSignal): Found {
  const limits = range === null ? '' : ` [${range.left}:${range.right}]`;
  // It is found by a pattern that the quick pick does not know.
  return { label: name, description: `${value ?? `${width} bits a word`} · ${kind}${limits}`, alwaysShow: true, name };
}
