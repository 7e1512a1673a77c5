/**
 * The agent server: takes connections of processes and launchers on agent.sock, and knows which processes the computation
 * has, and when it has ended.
 *
 * A computation has ended when no process of it is connected or lives, and its launcher has said so, or has gone. A process
 * without a connection may still live: it is within exec, or its agent connects again.
 * Tests: test/protocol/coordinator.test.ts.
 */

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { shellStatus } from '../platform/processes.js';
import { reason } from '../protocol/errors.js';
import {
  type CheckpointRequest,
  type HoldRequest,
  type InvitationSchema,
  type JoinReplySchema,
  type JoinRequest,
  type Log as LogMessage,
  type ProcessExit,
  Role,
  type SettingSchema,
} from '../protocol/generated/agent_pb.js';
import { AgentConnection, type AgentOwner, COMPUTATION_OVER } from './agent-connection.js';
import { sameProcess } from './hosts.js';
import type { Log, LogLevel } from './log.js';
import type { Session } from './session.js';
import { SharedWords } from './shared-words.js';

const LOOK_MS = 100;
/** For a launcher's report that comes after its program's end, on a connection of its own. */
const REPORT_MS = 1000;

const levels: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

export interface AgentEvents {
  settings(connection: AgentConnection): MessageInitShape<typeof SettingSchema>[];
  /** A process can take part in operations from now on. */
  ready(connection: AgentConnection): void;
  join(connection: AgentConnection, request: JoinRequest): Promise<MessageInitShape<typeof JoinReplySchema>>;
  invite(connection: AgentConnection): MessageInitShape<typeof InvitationSchema>;
  checkpoint(connection: AgentConnection, request: CheckpointRequest): Promise<string>;
  hold(connection: AgentConnection, request: HoldRequest): Promise<void>;
  restartCancelled(signal: number): void;
  /** No process is left. */
  ended(): void;
}

export class Agents implements AgentOwner {
  readonly words = new SharedWords();
  readonly launchers = new Set<AgentConnection>();
  /** True while the coordinator's own child, the launcher in its terminal, lives. */
  childLives = false;

  readonly #session: Session;
  readonly #log: Log;
  readonly #events: AgentEvents;
  readonly #connections = new Set<AgentConnection>();
  #server: Server | undefined;
  #timer: NodeJS.Timeout | undefined;
  #quietSince: number | undefined;
  #begun = false;
  #isClosed = false;

  constructor(session: Session, log: Log, events: AgentEvents) {
    this.#session = session;
    this.#log = log;
    this.#events = events;
  }

  /** Anything of the computation has been seen. */
  get begun(): boolean {
    return this.#begun;
  }

  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((socket) => this.accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  }

  /** A connection whose other side may be one of ours: it is on our own socket, or has proven itself. */
  accept(socket: Socket): void {
    this.#connections.add(new AgentConnection(socket, this));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#server?.close();
    for (const one of this.#connections) one.close();
  }

  /** Looks whether the computation has ended, now and until it has, while there is nothing else that would tell. */
  look(): void {
    clearTimeout(this.#timer);
    const { lingering, processes, state } = this.#session;
    if (state === 'exited' || !this.#begun || this.#isClosed) return;
    const gone = lingering.filter((one) => !this.#session.hosts.lives(one));
    for (const one of gone) lingering.splice(lingering.indexOf(one), 1);
    if (processes.length > 0 || this.childLives) return;
    if (lingering.length > 0 || this.launchers.size > 0) {
      this.#quietSince = undefined;
      if (lingering.length > 0) this.#timer = setTimeout(() => this.look(), LOOK_MS);
      return;
    }
    this.#quietSince ??= performance.now();
    if (this.#session.exitStatus !== null || performance.now() - this.#quietSince >= REPORT_MS) this.#events.ended();
    else this.#timer = setTimeout(() => this.look(), LOOK_MS);
  }

  /** The computation is known of though nothing has connected: taken over, or started in our terminal. */
  expect(): void {
    this.#begun = true;
    this.look();
  }

  greet(one: AgentConnection): string {
    const { hello } = one;
    const ended = this.#session.state === 'exited' ? COMPUTATION_OVER : '';
    // Who comes for the first time does not know which computation it is.
    if (hello.role === Role.JOINER) return ended;
    if (hello.sessionId !== this.#session.computation) {
      return `it belongs to the computation ${hello.sessionId || 'none'}; this is the coordinator of ${this.#session.computation || 'none yet'}`;
    }
    if (ended !== '') return ended;
    if (hello.role === Role.INVITER) return '';
    if (this.#session.hosts.byNumber(one.host) === undefined) return `the computation has no host ${one.host}`;
    if (hello.role === Role.HOST) return this.#session.hosts.serve(one);
    this.#begun = true;
    if (one.isLauncher) {
      this.launchers.add(one);
      return '';
    }
    const { processes, lingering } = this.#session;
    // After exec, the same process comes with a new connection; the old one may still be closing.
    const before = processes.findIndex((other) => other.host === one.host && other.hello.realPid === hello.realPid);
    if (before >= 0) processes.splice(before, 1)[0]?.close();
    const waited = lingering.findIndex((other) => sameProcess(other, one.process));
    if (waited >= 0) lingering.splice(waited, 1);
    processes.push(one);
    if (this.#session.root === 0) this.#session.root = one.virtualPid;
    this.#log.add(
      'info',
      `process ${hello.realPid} (${one.program})${this.#where(one)} ${hello.reconnected ? 'connected again' : 'connected'}`,
      {
        virtualPid: one.virtualPid,
      },
    );
    this.#session.changed();
    // From here on there is a computation that a coordinator after this one has to find.
    if (processes.length === 1) this.#session.flush();
    return '';
  }

  #where({ host }: AgentConnection): string {
    const { hosts } = this.#session;
    return hosts.several ? ` on ${hosts.nameOf(host)}` : '';
  }

  join(one: AgentConnection, request: JoinRequest): Promise<MessageInitShape<typeof JoinReplySchema>> {
    return this.#events.join(one, request);
  }

  invite(one: AgentConnection): MessageInitShape<typeof InvitationSchema> {
    return this.#events.invite(one);
  }

  settings(one: AgentConnection): MessageInitShape<typeof SettingSchema>[] {
    return this.#events.settings(one);
  }

  ready(one: AgentConnection): void {
    if (one.problem !== '') this.#log.add('warning', `cannot be checkpointed: ${one.problem}`, { virtualPid: one.virtualPid });
    for (const plugin of one.plugins)
      if (plugin.error !== '') this.#log.add('warning', `plugin ${plugin.name}: ${plugin.error}`, { virtualPid: one.virtualPid });
    this.#events.ready(one);
    this.#session.changed();
  }

  exited(launcher: AgentConnection, exit: ProcessExit): void {
    const status = shellStatus(exit.waitStatus);
    this.#log.add('info', `process ${exit.realPid}${this.#where(launcher)} ended with status ${status}`);
    // Of the computation's first host: others' end is nobody's.
    if (launcher.host === this.#session.rootHost) this.#session.exitStatus = status;
    this.#session.changed();
    // The launcher ends when it sees that its report was read.
    launcher.close();
    this.look();
  }

  log(one: AgentConnection, log: LogMessage): void {
    const time = new Date(Number(log.timeNs / 1_000_000n)).toISOString();
    const level = levels[log.level] ?? 'info';
    if (level === 'error' && this.#session.state === 'restarting' && !one.isReady)
      this.#session.restartProblem ||= `process ${one.virtualPid} (${one.program}): ${log.text}`;
    this.#log.add(level, log.text, { virtualPid: one.virtualPid, ...(log.timeNs === 0n ? {} : { time }) });
  }

  checkpoint(one: AgentConnection, request: CheckpointRequest): Promise<string> {
    return this.#events.checkpoint(one, request);
  }

  hold(one: AgentConnection, request: HoldRequest): Promise<void> {
    return this.#events.hold(one, request);
  }

  restartCancelled(one: AgentConnection, signal: number): void {
    this.#log.add('info', `the restart is given up: signal ${signal}`, { virtualPid: one.virtualPid });
    this.#events.restartCancelled(signal);
  }

  closed(one: AgentConnection): void {
    this.#connections.delete(one);
    this.launchers.delete(one);
    if (this.#isClosed) return;
    this.#session.hosts.unserve(one);
    const { processes, lingering } = this.#session;
    const index = processes.indexOf(one);
    if (index >= 0) {
      processes.splice(index, 1);
      lingering.push({ ...one.process, virtualPid: one.virtualPid });
      this.#session.changed();
    }
    this.look();
  }

  broken(one: AgentConnection, why: string): void {
    this.#connections.delete(one);
    this.#log.add('warning', `a connection to agent.sock was refused: ${reason(why)}`);
  }
}
