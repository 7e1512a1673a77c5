/** Frames, against byte vectors that the C++ side reads too (its bytes are checked by protoc, not made by this code's writer). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { encodeFrame, FrameReader, MAX_FRAME, type MessageBody } from '../../debug-adapter/src/protocol/agent-frames.js';
import { MessageSchema } from '../../debug-adapter/src/protocol/generated/agent_pb.js';

const { frames } = JSON.parse(readFileSync(new URL('./vectors/agent-frames.json', import.meta.url), 'utf8')) as {
  frames: { name: string; hex: string; message: JsonValue }[];
};

for (const { name, hex, message } of frames) {
  test(`vector: ${name}`, () => {
    const bytes = Buffer.from(hex, 'hex');
    const [read, ...others] = new FrameReader().push(bytes);
    assert.ok(read);
    assert.deepEqual(others, []);
    assert.deepEqual(toJson(MessageSchema, read), message);
    const { id, body } = fromJson(MessageSchema, message);
    assert.equal(Buffer.from(encodeFrame(id, body as MessageBody)).toString('hex'), hex);
  });
}

test('frames come whole, however the bytes are cut', () => {
  const bytes = Buffer.concat(frames.map(({ hex }) => Buffer.from(hex, 'hex')));
  for (const size of [1, 3, 4, 5, 7, 64, bytes.length]) {
    const reader = new FrameReader();
    const read = [];
    for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
    assert.deepEqual(
      read.map((message) => toJson(MessageSchema, message)),
      frames.map(({ message }) => message),
    );
  }
});

test('a frame that is too long is refused before it is read', () => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(MAX_FRAME + 1);
  assert.throws(() => new FrameReader().push(head), RangeError);
  assert.throws(() => encodeFrame(0n, { case: 'refusal', value: { reason: 'x'.repeat(MAX_FRAME) } }), RangeError);
});

test('what is no message is an error', () => {
  assert.throws(() => new FrameReader().push(Buffer.from('01000000ff', 'hex')));
});

test('a text that is no UTF-8, as a name of a file may be, is shown as far as it is', () => {
  const frame = encodeFrame(0n, { case: 'refusal', value: { reason: 'caf?' } });
  frame[frame.indexOf('?'.charCodeAt(0))] = 0xe9;
  const [read] = new FrameReader().push(frame);
  assert.equal(read?.body.case === 'refusal' ? read.body.value.reason : '', 'caf\u{fffd}');
});
