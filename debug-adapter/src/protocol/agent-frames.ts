/**
 * Frames of the agent protocol (native-agent/protocol/agent.proto): a 32-bit little-endian length and one Message. Pure.
 * Tests: test/protocol/frames.test.ts, with byte vectors that the C++ side reads too.
 */
import './foreign-text.js';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Message, MessageSchema } from './generated/agent_pb.js';

export const AGENT_PROTOCOL_MAJOR = 1;
export const AGENT_PROTOCOL_MINOR = 0;

/** Longest body; a peer that announces more is not one of ours. */
export const MAX_FRAME = 1 << 20;

export type MessageBody = NonNullable<MessageInitShape<typeof MessageSchema>['body']>;

export function encodeFrame(id: bigint, body: MessageBody): Uint8Array {
  const bytes = toBinary(MessageSchema, create(MessageSchema, { id, body }));
  if (bytes.length > MAX_FRAME) throw new RangeError(`a message of ${bytes.length} bytes is longer than a frame may be`);
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length, true);
  frame.set(bytes, 4);
  return frame;
}

const nothing = new Uint8Array(0);

/** Takes bytes as they come and gives whole messages. Throws on what is no frame of ours; then nothing more can be read. */
export class FrameReader {
  #rest = nothing;

  push(chunk: Uint8Array): Message[] {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    const messages: Message[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let position = 0;
    while (bytes.length - position >= 4) {
      const length = view.getUint32(position, true);
      if (length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes was announced; at most ${MAX_FRAME} are allowed`);
      if (bytes.length - position - 4 < length) break;
      messages.push(fromBinary(MessageSchema, bytes.subarray(position + 4, position + 4 + length)));
      position += 4 + length;
    }
    // A copy, and nothing where nothing is left: a view would keep the whole of what was read.
    this.#rest = position === bytes.length ? nothing : new Uint8Array(bytes.subarray(position));
    return messages;
  }
}
