/**
 * One connection of the agent protocol: the handshake, requests and their replies, in the coordinator's words. Knows nothing
 * of sessions or operations; what it cannot decide it asks its owner.
 *
 * Invariants: nothing is sent but a refusal before Hello is accepted; a request is settled exactly once, by its reply, by a
 * refusal, or by the connection's end.
 * Tests: test/protocol/coordinator.test.ts.
 */

import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProcessFacts, ProcessId } from '../platform/processes.js';
import {
  AGENT_PROTOCOL_MAJOR,
  AGENT_PROTOCOL_MINOR,
  encodeFrame,
  FrameReader,
  type MessageBody,
} from '../protocol/agent-frames.js';
import type { PluginStatus, TableKind } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import {
  type CheckpointRequest,
  type Hello,
  type HoldRequest,
  type InvitationSchema,
  type JoinReplySchema,
  type JoinRequest,
  type Log,
  type Message,
  type PhaseReply,
  type PhaseRequestSchema,
  type ProcessExit,
  Role,
  type SaveDone,
  type SettingSchema,
  type TableRow,
  type TracedCall,
} from '../protocol/generated/agent_pb.js';
import type { TimelineProcess } from '../protocol/timeline.js';
import type { PlacedProcess } from './hosts.js';
import type { SharedWords } from './shared-words.js';
import { type Deferred, deferred } from './strand.js';

const HANDSHAKE_MS = 10_000;
/** Why a process is refused that comes too late. */
export const COMPUTATION_OVER = 'the computation of this session has ended';

export interface AgentOwner {
  readonly words: SharedWords;
  /** Empty: welcome. Else why this process or launcher is refused. */
  greet(connection: AgentConnection): string;
  settings(connection: AgentConnection): MessageInitShape<typeof SettingSchema>[];
  ready(connection: AgentConnection): void;
  exited(connection: AgentConnection, exit: ProcessExit): void;
  log(connection: AgentConnection, log: Log): void;
  /** A checkpoint asked for from inside the application. Gives the snapshot's id. */
  checkpoint(connection: AgentConnection, request: CheckpointRequest): Promise<string>;
  /** The computation is to be held; resolves when it is. */
  hold(connection: AgentConnection, request: HoldRequest): Promise<void>;
  /** Whose user gives a restart up, by a signal. */
  restartCancelled(connection: AgentConnection, signal: number): void;
  /** A program on another host wants to take part, or is invited to. */
  join(connection: AgentConnection, request: JoinRequest): Promise<MessageInitShape<typeof JoinReplySchema>>;
  invite(connection: AgentConnection): MessageInitShape<typeof InvitationSchema>;
  closed(connection: AgentConnection): void;
  broken(connection: AgentConnection, why: string): void;
}

/** A request that is encoded once, however many processes are asked. Our ids are even ones, the agents' odd. */
export interface Call {
  id: bigint;
  frame: Uint8Array;
}

const ignored = (): void => undefined;

/** Words of Hello that most processes of a computation say. */
const sameInMany = ['buildId', 'host', 'executable', 'sessionId', 'snapshot', 'commandLine', 'architecture'] as const;

let lastId = 0n;
function call(body: MessageBody): Call {
  lastId += 2n;
  return { id: lastId, frame: encodeFrame(lastId, body) };
}

export function phaseCall(request: MessageInitShape<typeof PhaseRequestSchema>): Call {
  return call({ case: 'phaseRequest', value: request });
}

type Expected =
  | { kind: 'phase'; reply: Deferred<PhaseReply> }
  | { kind: 'table'; rows: TableRow[]; reply: Deferred<TableRow[]> }
  | { kind: 'facts'; reply: Deferred<ProcessFacts[]> }
  | { kind: 'settings'; reply: Deferred<void> }
  | { kind: 'plugin'; reply: Deferred<PluginAnswer> }
  | { kind: 'trace'; calls: TracedCall[]; reply: Deferred<Traced> };

/** Calls of plugins' wrappers in one process since it was last asked. */
export interface Traced {
  calls: TracedCall[];
  dropped: number;
  untraced: number;
}

/** What a plugin has answered to what it was asked by its name. */
export interface PluginAnswer {
  /** Negative errno where it has refused, and then why. */
  errorNumber: number;
  error: string;
  text: string;
}

export interface Family {
  /** Virtual pid; 0: not known, 1: outside the computation. */
  parent: number;
  session: number;
  terminal: boolean;
  /** Children that nobody has waited for yet, with their wait status. */
  readonly ended: readonly { virtualPid: number; status: number; untold?: boolean }[];
}

/** Shared by thousands of connections, as long as nothing else is known. */
export const nothing: readonly never[] = [];
export const nobody: ReadonlySet<number> = new Set();
const unknownFamily: Family = { parent: 0, session: 0, terminal: false, ended: nothing };

/**
 * There may be ten thousand: what a connection seldom needs is made when it is needed, and what it has from others' mouths, too, is kept
 * once (test/bench, the coordinator's memory).
 */
export class AgentConnection {
  /** What Hello said; set before the owner sees the connection. */
  hello!: Hello;
  /** Complete when it is ready. */
  plugins: readonly PluginStatus[] = nothing;
  /** Made by the first operation that tells of it. */
  inTimelines: TimelineProcess | undefined;
  /** Not empty: why this process cannot be checkpointed. */
  problem = '';
  isOpen = true;
  /** What the last suspend found of its relatives. */
  family = unknownFamily;
  /** Children that lived then. */
  children: readonly { virtualPid: number; realPid: number }[] = nothing;
  /** Real ids of all children of which it has said something. */
  reported: ReadonlySet<number> = nobody;
  isReady = false;
  /** Stopped threads at the last suspend, or those that there were at the beginning. */
  threads = 1;

  readonly #socket: Socket;
  readonly #owner: AgentOwner;
  readonly #reader = new FrameReader();
  #expected: Map<bigint, Expected> | undefined;
  #saved: Map<bigint, Deferred<SaveDone>> | undefined;
  #awaitedSaves: Set<bigint> | undefined;
  #ready: Deferred<void> | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #greeted = false;

  constructor(socket: Socket, owner: AgentOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#deadline = setTimeout(() => this.#break('it did not introduce itself in time'), HANDSHAKE_MS);
    socket.on('data', (bytes) => {
      try {
        for (const message of this.#reader.push(bytes)) this.#take(message);
      } catch (error) {
        this.#break(reason(error));
      }
      if (this.#greeted) this.#forgetDeadline();
    });
    socket.on('error', ignored); // 'close' follows
    socket.on('close', () => this.#end());
  }

  get isLauncher(): boolean {
    return this.hello.role === Role.LAUNCHER;
  }
  get isProcess(): boolean {
    return this.hello.role === Role.AGENT;
  }
  get host(): number {
    return this.hello.hostNumber;
  }
  /** Of a connection over a network; undefined: on the coordinator's own machine. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }
  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }
  /** Somebody is at the other end, who may be asked; false for a moment before a connection that the other end has closed is seen as such. */
  get canAnswer(): boolean {
    return this.isOpen && this.#socket.writable;
  }
  get virtualPid(): number {
    return this.hello.virtualPid;
  }
  get process(): PlacedProcess {
    return { pid: this.hello.realPid, startTime: Number(this.hello.startTime), host: this.host };
  }
  /** It was asked something that it has not answered. */
  get isAsked(): boolean {
    return !this.isReady || this.owesReply || (this.#awaitedSaves?.size ?? 0) > 0;
  }
  get owesReply(): boolean {
    return (this.#expected?.size ?? 0) > 0;
  }
  get argv(): string[] {
    return this.hello.commandLine.replace(/\0$/, '').split('\0');
  }
  /** For messages: the program's name without its folder. */
  get program(): string {
    return this.hello.executable.slice(this.hello.executable.lastIndexOf('/') + 1) || this.argv[0] || '?';
  }

  /** Resolves when the agent has said what it is made of; rejected when the connection ends before. */
  get ready(): Promise<void> {
    if (this.isReady) return Promise.resolve();
    if (!this.isOpen) return Promise.reject(this.#lost());
    this.#ready ??= deferred<void>();
    return this.#ready.promise;
  }

  phase(request: Call): Promise<PhaseReply> {
    const reply = deferred<PhaseReply>();
    this.#ask({ kind: 'phase', reply }, request);
    return reply.promise;
  }

  table(kind: TableKind): Promise<TableRow[]> {
    const reply = deferred<TableRow[]>();
    this.#ask({ kind: 'table', rows: [], reply }, call({ case: 'tableRequest', value: { kind } }));
    return reply.promise;
  }

  /** Of a host's service: what it sees of processes there. */
  look(ids: readonly (ProcessId & { virtualPid?: number })[]): Promise<ProcessFacts[]> {
    const reply = deferred<ProcessFacts[]>();
    const processes = ids.map(({ pid, startTime, virtualPid = 0 }) => ({ pid, startTime: BigInt(startTime), virtualPid }));
    this.#ask({ kind: 'facts', reply }, call({ case: 'processLook', value: { processes } }));
    return reply.promise;
  }

  /** Resolves when the process's plugin has taken them, or the process does not have it. */
  changeSettings(library: string, settings: string): Promise<void> {
    const reply = deferred<void>();
    this.#ask({ kind: 'settings', reply }, call({ case: 'pluginSettings', value: { library, settings } }));
    return reply.promise;
  }

  /** Resolves when the process, whose threads are stopped, has the plugin, or has it no more. */
  givePlugin(library: string, settings: string, takeOut = false): Promise<void> {
    const reply = deferred<void>();
    this.#ask({ kind: 'settings', reply }, call({ case: 'pluginGift', value: { library, settings, takeOut } }));
    return reply.promise;
  }

  /** Calls of plugins' wrappers are noted from now on, or no more; gives those since it was last asked. */
  trace(on: boolean): Promise<Traced> {
    const reply = deferred<Traced>();
    this.#ask({ kind: 'trace', calls: [], reply }, call({ case: 'traceRequest', value: { on } }));
    return reply.promise;
  }

  /** Asks a plugin by its name, in a form of the plugin's own; it gives up after `deadlineMs`. */
  askPlugin(plugin: string, text: string, deadlineMs: number): Promise<PluginAnswer> {
    const reply = deferred<PluginAnswer>();
    const value = { plugin, text: new TextEncoder().encode(text), deadlineMs };
    this.#ask({ kind: 'plugin', reply }, call({ case: 'pluginRequest', value }));
    return reply.promise;
  }

  signal({ pid, startTime }: ProcessId, signal: NodeJS.Signals): void {
    const process = { pid, startTime: BigInt(startTime) };
    this.#send(0n, { case: 'processSignal', value: { process, signal: constants.signals[signal] } });
  }

  /** It is not needed any more. */
  dismiss(why: string): void {
    this.#send(0n, { case: 'refusal', value: { reason: why } });
    this.#socket.end();
  }

  /** An option that changes. No answer: what is asked for later finds it so. */
  set(option: MessageInitShape<typeof SettingSchema>): void {
    this.#send(0n, { case: 'setting', value: option });
  }

  /** Settled by SaveDone of that operation, which may already have come. */
  saved(operation: bigint): Promise<SaveDone> {
    const { promise } = this.#savedEntry(operation);
    this.#awaitedSaves ??= new Set();
    const awaited = this.#awaitedSaves;
    awaited.add(operation);
    const over = (): void => void awaited.delete(operation);
    promise.then(over, over);
    return promise;
  }

  close(): void {
    this.#socket.end();
  }

  /** Nobody is there to answer what it was asked; what it may still have sent, and what writes its image sends, is taken. */
  giveUp(): void {
    const expected = this.#expected?.values() ?? nothing;
    this.#expected = undefined;
    for (const { reply } of expected) reply.reject(this.#lost());
  }

  #savedEntry(operation: bigint): Deferred<SaveDone> {
    this.#saved ??= new Map();
    const entry = this.#saved.get(operation) ?? deferred<SaveDone>();
    this.#saved.set(operation, entry);
    if (!this.isOpen) entry.reject(this.#lost());
    return entry;
  }

  #ask(expected: Expected, { id, frame }: Call): void {
    if (!this.canAnswer) {
      expected.reply.reject(this.#lost());
      return;
    }
    this.#expected ??= new Map();
    this.#expected.set(id, expected);
    this.#write(frame);
  }

  #send(id: bigint, body: MessageBody): void {
    if (this.canAnswer) this.#write(encodeFrame(id, body));
  }

  /**
   * What is said to a process in one go is written at once: phases that are sent ahead must not find it waiting for the next one while
   * its threads are stopped, and each write would wake it, on the processor that the next one is to be made on.
   */
  #write(frame: Uint8Array): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(frame);
  }

  #take(message: Message): void {
    const { body, id } = message;
    if (!this.#greeted) {
      if (body.case !== 'hello') throw new Error(`it began with "${body.case ?? 'nothing'}" instead of hello`);
      this.#greet(id, body.value);
      return;
    }
    switch (body.case) {
      case 'pluginInfo': {
        const { name, version, author, library, layer, barriers, restartBarriers, error } = body.value;
        const names = (text: string): string[] => text.split('\0').filter((one) => one !== '');
        const own = { barriers: names(barriers), restartBarriers: names(restartBarriers) };
        // They are told again when one has come.
        const before = layer === 0 ? nothing : this.plugins;
        this.plugins = [...before, { name, version, author, library, layer, ...own, error }];
        return;
      }
      case 'ready':
        this.problem = body.value.error;
        this.plugins = this.#owner.words.plugins(this.plugins);
        this.isReady = true;
        this.#ready?.resolve();
        this.#ready = undefined;
        this.#owner.ready(this);
        return;
      case 'phaseReply':
      case 'tableRow':
      case 'tableEnd':
      case 'tracedCall':
      case 'traceEnd':
      case 'processFacts':
      case 'pluginSettingsEnd':
      case 'pluginReply':
      case 'refusal':
        this.#settle(id, body);
        return;
      case 'joinRequest':
        this.#owner.join(this, body.value).then(
          (reply) => this.#send(id, { case: 'joinReply', value: reply }),
          (error: unknown) => this.#send(id, { case: 'joinReply', value: { error: reason(error) } }),
        );
        return;
      case 'invitationRequest':
        this.#send(id, { case: 'invitation', value: this.#owner.invite(this) });
        return;
      case 'saveDone':
        this.#savedEntry(body.value.operation).resolve(body.value);
        if (body.value.alone) this.#socket.end();
        return;
      case 'processExit':
        this.#owner.exited(this, body.value);
        return;
      case 'restartCancelled':
        this.#owner.restartCancelled(this, body.value.signal);
        return;
      case 'log':
        this.#owner.log(this, body.value);
        return;
      case 'checkpointRequest':
        this.#owner.checkpoint(this, body.value).then(
          (snapshot) => this.#send(id, { case: 'checkpointReply', value: { snapshot } }),
          (error: unknown) => this.#send(id, { case: 'checkpointReply', value: { error: reason(error) } }),
        );
        return;
      case 'holdRequest':
        this.#owner.hold(this, body.value).then(
          () => this.#send(id, { case: 'checkpointReply', value: {} }),
          (error: unknown) => this.#send(id, { case: 'checkpointReply', value: { error: reason(error) } }),
        );
        return;
      default:
        if (id !== 0n)
          this.#send(id, { case: 'refusal', value: { reason: `a coordinator does not answer "${body.case ?? 'unknown'}"` } });
    }
  }

  #greet(id: bigint, hello: Hello): void {
    const { words } = this.#owner;
    for (const key of sameInMany) hello[key] = words.word(hello[key]);
    this.hello = hello;
    this.threads = Math.max(1, hello.threads);
    const ours = { protocolMajor: AGENT_PROTOCOL_MAJOR, protocolMinor: AGENT_PROTOCOL_MINOR };
    const refusal =
      hello.protocolMajor === AGENT_PROTOCOL_MAJOR
        ? this.#owner.greet(this)
        : `it speaks version ${hello.protocolMajor} of the agent protocol, this coordinator ${AGENT_PROTOCOL_MAJOR}: use parts of one version of Cairn`;
    this.#greeted = true;
    this.#send(id, { case: 'helloReply', value: { ...ours, refusal, over: refusal === COMPUTATION_OVER } });
    if (refusal !== '') {
      this.#owner.broken(this, refusal);
      this.#socket.end();
      return;
    }
    if (!this.isProcess) return;
    for (const setting of this.#owner.settings(this)) this.#send(0n, { case: 'setting', value: setting });
    this.#send(0n, { case: 'settingsEnd', value: {} });
  }

  #settle(
    id: bigint,
    body: Extract<
      Message['body'],
      {
        case:
          | 'phaseReply'
          | 'tableRow'
          | 'tableEnd'
          | 'tracedCall'
          | 'traceEnd'
          | 'processFacts'
          | 'pluginSettingsEnd'
          | 'pluginReply'
          | 'refusal';
      }
    >,
  ): void {
    const expected = this.#expected?.get(id);
    if (expected === undefined) return;
    if (body.case === 'tableRow') {
      if (expected.kind === 'table') expected.rows.push(body.value);
      return;
    }
    if (body.case === 'tracedCall') {
      if (expected.kind === 'trace') expected.calls.push(body.value);
      return;
    }
    this.#expected?.delete(id);
    if (this.#expected?.size === 0) this.#expected = undefined;
    const who = { pid: this.virtualPid, program: this.program };
    if (body.case === 'phaseReply' && expected.kind === 'phase') expected.reply.resolve(body.value);
    else if (body.case === 'processFacts' && expected.kind === 'facts')
      expected.reply.resolve(
        body.value.facts.map(({ alive, outside, ended, waitStatus, callback }) => ({
          alive,
          outside,
          ended: ended ? waitStatus : undefined,
          callback,
        })),
      );
    else if (body.case === 'traceEnd' && expected.kind === 'trace')
      expected.reply.resolve({ calls: expected.calls, dropped: Number(body.value.dropped), untraced: body.value.untraced });
    else if (body.case === 'pluginSettingsEnd' && expected.kind === 'settings') {
      if (body.value.error === '') expected.reply.resolve();
      else expected.reply.reject(failure('refused', { ...who, why: body.value.error }));
    } else if (body.case === 'pluginReply' && expected.kind === 'plugin') {
      const { errorNumber, error, text } = body.value;
      expected.reply.resolve({ errorNumber, error, text: new TextDecoder().decode(text) });
    } else if (expected.kind === 'plugin' && body.case === 'refusal')
      expected.reply.reject(
        failure('refused', { ...who, why: 'its agent is of an older version of Cairn, whose plugins cannot be asked' }),
      );
    else if (expected.kind === 'settings' && body.case === 'refusal')
      expected.reply.reject(
        failure('refused', {
          ...who,
          why: 'its agent is of an older version of Cairn, which changes plugins at a restart only',
        }),
      );
    else if (body.case === 'tableEnd' && expected.kind === 'table') {
      if (body.value.error === '') expected.reply.resolve(expected.rows);
      else expected.reply.reject(failure('refused', { ...who, why: body.value.error }));
    } else
      expected.reply.reject(
        failure('refused', {
          ...who,
          why: body.case === 'refusal' ? body.value.reason : `${body.case} does not answer the request`,
        }),
      );
  }

  #lost(): Error {
    return new ConnectionLost(this);
  }

  #forgetDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #break(why: string): void {
    this.#owner.broken(this, why);
    this.#socket.destroy();
  }

  #end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#forgetDeadline();
    this.#ready?.reject(this.#lost());
    this.giveUp();
    for (const entry of this.#saved?.values() ?? nothing) entry.reject(this.#lost());
    if (this.#greeted) this.#owner.closed(this);
  }
}

/** The connection ended before the answer came. The operation says what that meant. */
export class ConnectionLost extends Error {
  readonly connection: AgentConnection;
  constructor(connection: AgentConnection) {
    super('the connection ended');
    this.connection = connection;
  }
}
