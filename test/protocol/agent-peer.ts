/**
 * The agent's end of the agent protocol, for tests of the coordinator: a process of a computation as the coordinator sees it
 * on the wire. It writes real image metadata; what an agent does to a real process is tested by the probes. Each phase can be
 * made to fail, to hang, or to end the connection.
 */

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { startTimeOf } from '../../debug-adapter/src/platform/processes.js';
import {
  AGENT_PROTOCOL_MAJOR,
  encodeFrame,
  FrameReader,
  type MessageBody,
} from '../../debug-adapter/src/protocol/agent-frames.js';
import {
  type Message,
  Phase,
  type PhaseReplySchema,
  type PhaseRequest,
  Role,
  type Setting,
} from '../../debug-adapter/src/protocol/generated/agent_pb.js';
import {
  EndSchema,
  type FileHandling,
  HeaderSchema,
  MappedFileSchema,
  NeededFileSchema,
  RecordType,
} from '../../debug-adapter/src/protocol/generated/image_pb.js';
import { checksum } from '../../debug-adapter/src/store/checksum.js';

export interface PeerPlugin {
  name: string;
  layer: number;
  barriers?: string[];
  restartBarriers?: string[];
  library?: string;
}

export interface PeerOptions {
  computation: string;
  /** A living process, whose pid is told; this one by default. */
  pid?: number;
  virtualPid?: number;
  snapshot?: string;
  reconnected?: boolean;
  major?: number;
  problem?: string;
  plugins?: PeerPlugin[];
  launcher?: boolean;
  /** Why it does not take them; not there: it is an agent that knows nothing of this. */
  takesSettings?: (settings: string) => string;
  /** What its plugins answer to what they are asked; undefined: nothing, ever; not there: it is an agent that knows nothing of this. */
  answers?: (plugin: string, text: string) => { errorNumber?: number; error?: string; text?: string } | undefined;
  /** Ends when it has its settings, with these words as an error of its log. */
  dies?: string;
  /** Keeps its end of the connection open when the coordinator has closed the other. */
  lingers?: boolean;
  /** What suspend tells of relatives. */
  parent?: number;
  children?: { virtualPid: number; realPid: number; ended?: boolean; waitStatus?: number }[];
  /** Phases that fail. */
  failing?: string[];
}

export type PhaseBehaviour = 'fail' | 'not now' | 'busy' | 'hang' | 'disconnect';

const phaseNames: Readonly<Partial<Record<Phase, string>>> = {
  [Phase.PRESUSPEND]: 'presuspend',
  [Phase.SUSPEND]: 'suspend',
  [Phase.SAVE]: 'save',
  [Phase.RESUME]: 'resume',
  [Phase.RUNNING]: 'running',
  [Phase.ABORT]: 'abort',
  [Phase.RESTART]: 'restart',
  [Phase.ASK]: 'ask',
};

export class AgentPeer {
  /** Phases in the order of their coming; a barrier by its name. */
  readonly phases: string[] = [];
  readonly settings: Setting[] = [];
  /** Libraries and settings that changed since. */
  readonly changed: [string, string][] = [];
  readonly behaviours = new Map<string, PhaseBehaviour>();
  /** Barriers at which a plugin waits for something outside, as long as they are here, and what for. */
  readonly waits = new Map<string, string>();
  /** Barriers at which it says that it needs no later one of that plugin. */
  readonly needsNoLater = new Set<string>();
  /** The last request to save said that the threads go on right after it. */
  goesOn = false;
  /** Requests that were answered so. */
  asked = 0;
  /** In a critical section: what it says of it; empty: in none. */
  section = '';
  /** What SaveDone says; 'silent' never sends it. */
  save: 'write' | 'error' | 'kept' | 'short' | 'silent' = 'write';
  /** Ends when it is asked for a table. */
  leavesAtTable = false;
  /** Why the coordinator does not want this process; empty: it does. */
  refusal = '';
  /** Requests of ours that were refused. */
  readonly refused: string[] = [];

  readonly #options: PeerOptions;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #settled: (() => void) | undefined;
  #answered: ((answer: { error: string; snapshot: string }) => void) | undefined;
  readonly closed: Promise<void>;

  private constructor(socket: Socket, options: PeerOptions) {
    this.#socket = socket;
    this.#options = options;
    for (const phase of options.failing ?? []) this.behaviours.set(phase, 'fail');
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const message of this.#reader.push(bytes)) void this.#take(message);
    });
  }

  /** Connects and goes through the handshake, until Ready or a refusal. */
  static async join(socketPath: string, options: PeerOptions): Promise<AgentPeer> {
    const socket = connect({ path: socketPath, allowHalfOpen: options.lingers ?? false });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const peer = new AgentPeer(socket, options);
    const settled = new Promise<void>((resolve) => (peer.#settled = resolve));
    peer.#hello();
    await settled;
    return peer;
  }

  get virtualPid(): number {
    return this.#options.virtualPid ?? this.#options.pid ?? process.pid;
  }

  #hello(): void {
    const {
      computation,
      pid = process.pid,
      snapshot = '',
      reconnected = false,
      major = AGENT_PROTOCOL_MAJOR,
      launcher = false,
    } = this.#options;
    this.send(1n, {
      case: 'hello',
      value: {
        protocolMajor: major,
        buildId: 'test',
        role: launcher ? Role.LAUNCHER : Role.AGENT,
        virtualPid: this.virtualPid,
        realPid: pid,
        startTime: BigInt(startTimeOf(pid) ?? 0),
        host: 'test',
        executable: '/usr/bin/simulator',
        sessionId: computation,
        snapshot,
        threads: 3,
        reconnected,
        commandLine: 'simulator\0design.vvp',
      },
    });
  }

  send(id: bigint, body: MessageBody): void {
    this.#socket.write(encodeFrame(id, body));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  get coordinatorCloses(): Promise<unknown> {
    return once(this.#socket, 'end');
  }

  close(): void {
    this.#socket.destroy();
  }

  requestCheckpoint(name: string): Promise<{ error: string; snapshot: string }> {
    const answer = new Promise<{ error: string; snapshot: string }>((resolve) => (this.#answered = resolve));
    this.send(3n, { case: 'checkpointRequest', value: { name } });
    return answer;
  }

  async #take(message: Message): Promise<void> {
    const { body, id } = message;
    switch (body.case) {
      case 'helloReply':
        this.refusal = body.value.refusal;
        if (this.refusal !== '' || this.#options.launcher) this.#settled?.();
        return;
      case 'setting':
        this.settings.push(body.value);
        return;
      case 'settingsEnd':
        if (this.#options.dies !== undefined) {
          this.send(0n, { case: 'log', value: { level: 3, text: this.#options.dies } });
          this.#socket.end();
          return this.#settled?.();
        }
        for (const plugin of this.#options.plugins ?? []) {
          const { name, layer, library = '', barriers = [], restartBarriers = [] } = plugin;
          this.send(0n, {
            case: 'pluginInfo',
            value: {
              name,
              version: '1',
              layer,
              library,
              barriers: barriers.join('\0'),
              restartBarriers: restartBarriers.join('\0'),
            },
          });
        }
        this.send(0n, { case: 'ready', value: { error: this.#options.problem ?? '' } });
        this.#settled?.();
        return;
      case 'phaseRequest':
        return this.#phase(id, body.value);
      case 'tableRequest':
        if (this.leavesAtTable) return this.close();
        if (body.value.kind === 'path')
          this.send(id, { case: 'tableRow', value: { virtualName: '/a', realName: '/b', owner: 'path' } });
        this.send(id, { case: 'tableEnd', value: { rows: 1 } });
        return;
      case 'pluginSettings': {
        const { library, settings } = body.value;
        this.changed.push([library, settings]);
        if (this.#options.takesSettings === undefined) this.send(id, { case: 'refusal', value: { reason: 'unknown request' } });
        else this.send(id, { case: 'pluginSettingsEnd', value: { error: this.#options.takesSettings(settings) } });
        return;
      }
      case 'pluginRequest': {
        const { plugin, text } = body.value;
        if (this.#options.answers === undefined) return this.send(id, { case: 'refusal', value: { reason: 'unknown request' } });
        const answer = this.#options.answers(plugin, new TextDecoder().decode(text));
        if (answer === undefined) return;
        const { errorNumber = 0, error = '', text: words = '' } = answer;
        return this.send(id, { case: 'pluginReply', value: { errorNumber, error, text: new TextEncoder().encode(words) } });
      }
      case 'checkpointReply':
        this.#answered?.(body.value);
        return;
      case 'refusal':
        this.refused.push(body.value.reason);
        return;
      default:
        if (id !== 0n) this.send(id, { case: 'refusal', value: { reason: 'unknown request' } });
    }
  }

  /** As an agent: one that was to be alone refuses where it is not. */
  #relatives({ alone }: PhaseRequest): MessageInitShape<typeof PhaseReplySchema> {
    const { parent = 1, children = [] } = this.#options;
    const living = children.some((child) => !child.ended);
    const refused = alone && living ? { error: 'the process has children', errorNumber: -11 } : {};
    return { virtualParent: parent, virtualSession: 1, children, ...refused };
  }

  async #phase(id: bigint, request: PhaseRequest): Promise<void> {
    const name = request.phase === Phase.BARRIER ? request.barrier : (phaseNames[request.phase] ?? '?');
    const waitsFor = this.waits.get(name) ?? '';
    const forbidden = this.section !== '' && ['presuspend', 'suspend', 'ask'].includes(name);
    if (waitsFor !== '' || forbidden) {
      const refused = forbidden ? { error: this.section, errorNumber: -16, culprit: 'critical section' } : {};
      this.asked++;
      this.send(id, { case: 'phaseReply', value: { operation: request.operation, phase: request.phase, waitsFor, ...refused } });
      return;
    }
    this.phases.push(name);
    if (request.phase === Phase.SAVE) this.goesOn = request.goesOn;
    const behaviour = this.behaviours.get(name);
    if (behaviour === 'hang') return;
    if (behaviour === 'disconnect') return this.close();
    const error = behaviour === undefined ? '' : 'the disk is on fire';
    this.send(id, {
      case: 'phaseReply',
      value: {
        operation: request.operation,
        phase: request.phase,
        error,
        culprit: error === '' ? '' : 'test',
        last: this.needsNoLater.has(name),
        errorNumber: behaviour === 'not now' ? -11 : behaviour === 'busy' ? -16 : 0,
        threads: 3,
        heldNs: 2_500_000n,
        ...(request.phase === Phase.SUSPEND && this.#relatives(request)),
      },
    });
    if (request.phase === Phase.SAVE && error === '') await this.#write(request);
  }

  async #write(request: PhaseRequest): Promise<void> {
    if (this.save === 'silent') return;
    const files: { name: string; size: bigint; checksum: bigint }[] = [];
    const add = async (name: string, content: Uint8Array): Promise<void> => {
      const path = join(request.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, this.save === 'short' ? content.subarray(1) : content);
      files.push({ name, size: BigInt(content.length), checksum: BigInt(`0x${await checksum(content)}`) });
    };
    const prefix = `p${this.virtualPid}`;
    const pages = Buffer.alloc(8192, 'pages');
    await add(`${prefix}.pages`, pages);
    await add(
      `${prefix}.meta`,
      await imageMetadata({ virtualPid: this.virtualPid, snapshot: request.snapshot, pages: pages.length }),
    );
    await add(`${prefix}.files/1`, Buffer.from('what the program wrote'));
    const failures = { error: ['no space left on device', -28], kept: ['memory is kept from children', -95] } as const;
    const [error, errorNumber] = this.save === 'error' || this.save === 'kept' ? failures[this.save] : ['', 0];
    this.send(0n, {
      case: 'saveDone',
      value: { operation: request.operation, error, errorNumber, files, simulatedTime: '1500', timeUnit: -9 },
    });
  }
}

export interface MetadataOptions {
  virtualPid: number;
  snapshot: string;
  pages: number;
  features?: string[];
  xfeatures?: bigint;
  memory?: number;
  mapped?: { path: string; size: bigint; mtimeNs: bigint; buildId: string }[];
  needed?: { path: string; real: string; size: bigint; mtimeNs: bigint; handling?: FileHandling }[];
}

/** An image's metadata as native-agent/protocol/image.proto lays it out. */
export async function imageMetadata({
  virtualPid,
  snapshot,
  pages,
  features = [],
  xfeatures = 3n,
  memory = pages,
  mapped = [],
  needed = [],
}: MetadataOptions): Promise<Uint8Array> {
  const start = Buffer.alloc(16);
  start.write('CAIRNIMG', 0, 'latin1');
  start.writeUInt32LE(1, 8);
  const record = (type: RecordType, body: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  const header = create(HeaderSchema, {
    format: 1,
    architecture: 'x86_64',
    pageSize: 4096,
    virtualPid,
    buildId: 'test',
    kernel: 'test',
    libc: '2.36',
    xfeatures,
    cpuModel: 'a processor',
    pagesBytes: BigInt(pages),
    memoryBytes: BigInt(memory),
    snapshot,
    cpuFeatures: features,
  });
  const files = mapped.map((file, index) =>
    record(RecordType.RECORD_MAPPED_FILE, toBinary(MappedFileSchema, create(MappedFileSchema, { index, ...file }))),
  );
  const open = needed.map((file) =>
    record(RecordType.RECORD_NEEDED_FILE, toBinary(NeededFileSchema, create(NeededFileSchema, file))),
  );
  const all = Buffer.concat([start, record(RecordType.RECORD_HEADER, toBinary(HeaderSchema, header)), ...files, ...open]);
  const end = create(EndSchema, { checksum: BigInt(`0x${await checksum(all)}`) });
  return Buffer.concat([all, record(RecordType.RECORD_END, toBinary(EndSchema, end))]);
}
