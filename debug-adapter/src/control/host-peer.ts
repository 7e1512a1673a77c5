/**
 * A connection to a coordinator on another host, for those that are no agents: `cairn join`, and a host's service. Knows frames and the
 * handshake. Tests: test/protocol/remote.test.ts.
 */
import type { Socket } from 'node:net';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { connectProven } from '../platform/proof.js';
import {
  AGENT_PROTOCOL_MAJOR,
  AGENT_PROTOCOL_MINOR,
  encodeFrame,
  FrameReader,
  type MessageBody,
} from '../protocol/agent-frames.js';
import type { NetworkAddress } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { HelloSchema, Message } from '../protocol/generated/agent_pb.js';

const ANSWER_MS = 30_000;

export class HostPeer {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #waiting: { resolve: (message: Message) => void; reject: (error: Error) => void }[] = [];
  #onMessage: ((message: Message) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined); // 'close' follows
    socket.on('data', (bytes) => {
      try {
        for (const message of this.#reader.push(bytes)) this.#take(message);
      } catch {
        socket.destroy();
      }
    });
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the coordinator closed the connection'));
    });
    socket.resume();
  }

  /** Connects and introduces itself; throws where it is refused. */
  static async open(to: NetworkAddress, secret: string, hello: MessageInitShape<typeof HelloSchema>): Promise<HostPeer> {
    const peer = new HostPeer(await connectProven(to, secret));
    const versions = { protocolMajor: AGENT_PROTOCOL_MAJOR, protocolMinor: AGENT_PROTOCOL_MINOR };
    const { body } = await peer.ask({ case: 'hello', value: { ...versions, ...hello } });
    const why = body.case === 'helloReply' ? body.value.refusal : `it answered with ${body.case ?? 'nothing'}`;
    if (why === '') return peer;
    peer.close();
    throw failure('cannotJoin', {
      why,
      remedy: 'Use the address and the secret of a session that runs, and one version of Cairn.',
    });
  }

  /** One question at a time, before onMessage. */
  ask(body: MessageBody): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the coordinator does not answer')), ANSWER_MS);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          settle(value);
        };
      this.#waiting.push({ resolve: settled(resolve), reject: settled(reject) });
      this.send(1n, body);
    });
  }

  onMessage(listener: (message: Message) => void): void {
    this.#onMessage = listener;
  }

  send(id: bigint, body: MessageBody): void {
    this.#socket.write(encodeFrame(id, body));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(message: Message): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(message);
    else this.#onMessage?.(message);
  }
}
