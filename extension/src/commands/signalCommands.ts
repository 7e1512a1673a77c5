/**
 * Commands on design signals: set, force, release, find, and which are noted with snapshots. Called on a variable of the scope Signals they act on
 * it; called without one they let the user find the signal.
 */
import * as vscode from 'vscode';
import { ProcessOfVariable } from '../../../debug-adapter/src/protocol/debug.js';
import type { DesignSignal, SignalAction } from '../../../debug-adapter/src/protocol/signals.js';
import { UserError } from '../platform/errors.js';
import type { CurrentSession } from '../session/current.js';
import type { LiveSession } from '../session/liveSession.js';
import { formatCommandLine } from '../views/format.js';

const MOST_FOUND = 200;
const SEARCH_MS = 150;
const MESSAGE_MS = 6000;

interface Found extends vscode.QuickPickItem {
  readonly name: string;
}

/** A signal of a simulation. */
interface Signal {
  readonly session: LiveSession;
  readonly name: string;
  readonly of: Simulation;
}

/** `virtualPid`: which of several; without: the only one. */
interface Simulation {
  readonly virtualPid?: number;
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

  async #signal(node: unknown, title: string): Promise<Signal> {
    const session = await this.#current.pick(title);
    const name = signalOfVariable(node);
    if (name !== undefined) return { session, name, of: await simulationOfVariable(node) };
    const of = await pickSimulation(session, title);
    return { session, name: await findSignal(session, of, title), of };
  }

  async #write(action: SignalAction, node: unknown): Promise<void> {
    const title = { set: 'Set Signal', force: 'Force Signal', release: 'Release Signal' }[action];
    await this.#writeSignal(action, title, await this.#signal(node, title));
  }

  async #writeSignal(action: SignalAction, title: string, { session, name, of }: Signal): Promise<void> {
    let value: string | undefined;
    if (action !== 'release') {
      const { signals } = await session.request('session/readSignals', { names: [name], ...of });
      value = await vscode.window.showInputBox({
        title: `${title}: ${name}`,
        prompt: "As Verilog writes it: 42, 8'hff, 'b10xz, or of a real 1.5",
        value: signals[0]?.value ?? '',
      });
      if (value === undefined) throw new vscode.CancellationError();
    }
    const writes = [{ action, name, ...(value === undefined ? {} : { value }) }];
    const { written } = await session.request('session/writeSignals', { writes, ...of });
    const [one] = written;
    if (one === undefined || one.outcome !== 'effective')
      throw new UserError(`${name} was not written: ${one?.why ?? 'no answer'}`);
    const done = { set: 'is', force: 'is forced to', release: 'is released, and is' }[action];
    void vscode.window.setStatusBarMessage(`${name} ${done} ${one.after ?? ''}`, MESSAGE_MS);
  }

  /** What to do with it is asked when it is found. */
  async #find(): Promise<void> {
    const session = await this.#current.pick('Find Signal');
    const of = await pickSimulation(session, 'Find Signal');
    const name = await findSignal(session, of, 'Find Signal');
    const found = { session, name, of };
    const actions: (vscode.QuickPickItem & { run: () => Thenable<unknown> })[] = [
      { label: '$(edit) Set…', run: () => this.#writeSignal('set', 'Set Signal', found) },
      { label: '$(lock) Force…', run: () => this.#writeSignal('force', 'Force Signal', found) },
      { label: '$(unlock) Release', run: () => this.#writeSignal('release', 'Release Signal', found) },
      { label: '$(device-camera) Note with Each Snapshot', run: () => this.#noteSignal(session, name) },
      { label: '$(copy) Copy Name', run: () => vscode.env.clipboard.writeText(name) },
    ];
    const { signals } = await session.request('session/readSignals', { names: [name], ...of });
    const title = `${name} = ${signals[0]?.value ?? 'no value'}`;
    const picked = await vscode.window.showQuickPick(actions, { title, placeHolder: 'What to do' });
    if (!picked) throw new vscode.CancellationError();
    await picked.run();
  }

  async #note(node: unknown): Promise<void> {
    const { session, name } = await this.#signal(node, 'Note Signal with Each Snapshot');
    await this.#noteSignal(session, name);
  }

  async #noteSignal(session: LiveSession, name: string): Promise<void> {
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

/** As menus of the Variables view give it. */
interface VariableNode {
  readonly sessionId?: unknown;
  readonly container?: { readonly variablesReference?: unknown };
  readonly variable?: { readonly evaluateName?: unknown };
}

const variableNode = (node: unknown): VariableNode => (typeof node === 'object' && node !== null ? node : {});

function signalOfVariable(node: unknown): string | undefined {
  const { variable } = variableNode(node);
  return typeof variable?.evaluateName === 'string' ? variable.evaluateName : undefined;
}

async function simulationOfVariable(node: unknown): Promise<Simulation> {
  const { sessionId, container } = variableNode(node);
  const debug = vscode.debug.activeDebugSession;
  const variablesReference = container?.variablesReference;
  if (debug === undefined || debug.id !== sessionId || typeof variablesReference !== 'number') return {};
  const { virtualPid } = ProcessOfVariable.result.parse(await debug.customRequest('cairnProcess', { variablesReference }));
  return virtualPid === null ? {} : { virtualPid };
}

/** Of several the one that the user picks. */
async function pickSimulation(session: LiveSession, title: string): Promise<Simulation> {
  const { processes } = session.status;
  if (processes.length < 2) return {};
  const several = await session.request('session/scope', { limit: 1 }).then(
    () => false,
    (error: unknown) => error instanceof UserError && error.code === 'severalSimulations',
  );
  if (!several) return {};
  const looked = await Promise.allSettled(
    processes.map(({ virtualPid }) => session.request('session/scope', { limit: 1, virtualPid })),
  );
  const items = looked.flatMap((one) => {
    if (one.status === 'rejected') return [];
    const { virtualPid, program, simulator } = one.value;
    const detail = formatCommandLine(processes.find((process) => process.virtualPid === virtualPid)?.argv ?? []);
    return [{ label: `${program} · ${virtualPid}`, description: simulator, detail, virtualPid }];
  });
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'Simulation' });
  if (!picked) throw new vscode.CancellationError();
  return { virtualPid: picked.virtualPid };
}

/** By any part of the name, or a pattern with * and ?. */
async function findSignal(session: LiveSession, of: Simulation, title: string): Promise<string> {
  const pick = vscode.window.createQuickPick<Found>();
  pick.title = title;
  pick.placeholder = 'Part of a name, a pattern with * and ?, or MEMORY[INDEX]';
  pick.matchOnDescription = true;
  let asked = 0;
  const search = async (pattern: string): Promise<void> => {
    const mine = ++asked;
    pick.busy = true;
    try {
      const { signals, next } = await session.request('session/signals', { pattern, limit: MOST_FOUND, ...of });
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
