/**
 * A session's secret, and the proof by both sides of a connection over a network that they know it, before anything else is read. The
 * other side in processes of the computation is native-agent/src/wire/remote.cc, whose header says how it goes.
 *
 * It keeps strangers out; what flows then is not encrypted. Tests: test/protocol/remote.test.ts.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, isIPv4, isIPv6, type Socket } from 'node:net';
import type { NetworkAddress } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { readIfThere } from './files.js';

const GREETING = Buffer.from('CAIRN/1\n');
const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
const SECRET = /^[0-9a-f]{64}$/;
const CONNECT_MS = 10_000;
/** As the native side has it: a host that is gone is noticed. */
const KEEP_ALIVE_MS = 15_000;

export function addressText({ address, port }: NetworkAddress): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** IPv4 as IPv4, also where a socket of IPv6 tells it. */
export function plainAddress(text: string | undefined): string {
  return (text ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** As 16 bytes of IPv6; none for what is no address. IPv4 in its form of IPv6. */
export function addressBytes(text: string): Buffer {
  const plain = plainAddress(text).split('%')[0] ?? '';
  const parts = plain.split('.');
  if (isIPv4(plain)) return Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...parts.map(Number)]);
  if (!isIPv6(plain) || parts.length > 1) return Buffer.alloc(0);
  const [head = '', tail] = plain.split('::');
  const groups = (part: string | undefined): number[] => (part ? part.split(':').map((one) => Number.parseInt(one, 16)) : []);
  const [before, after] = [groups(head), groups(tail)];
  const all = tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The secret in that file, made where there is none: 64 hexadecimal digits, for this user alone. */
export function ownSecret(path: string): string {
  const there = readIfThere(path)?.trim();
  if (there !== undefined && SECRET.test(there)) return there;
  const secret = randomBytes(32).toString('hex');
  writeFileSync(path, `${secret}\n`, { mode: 0o600 });
  return secret;
}

export function isSecret(text: string): boolean {
  return SECRET.test(text);
}

/** Throws where others could have read it, or where it is none. */
export function readSecret(path: string): string {
  let text: string;
  try {
    const found = lstatSync(path);
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.uid !== process.getuid?.()) throw new Error(`it belongs to user ${found.uid}`);
    if ((found.mode & 0o077) !== 0) throw new Error('others may read it: its mode has to be 0600');
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw failure('fileNotReadable', { what: 'secret', path, why: reason(cause) }, cause);
  }
  if (!SECRET.test(text))
    throw failure('fileNotReadable', { what: 'secret', path, why: 'it does not hold 64 hexadecimal digits' });
  return text;
}

function proof(secret: string, side: 'client' | 'server', server: Uint8Array, client: Uint8Array): Buffer {
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(side).update(server).update(client).digest();
}

/** Collects exactly `size` bytes; rejects when the peer closes, is too slow, or sends more. */
function exactly(socket: Socket, size: number, ms: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let taken = Buffer.alloc(0);
    const done = (error?: Error): void => {
      clearTimeout(timer);
      socket.off('data', take).off('close', closed).off('error', failed);
      socket.pause();
      if (error) reject(error);
      else resolve(taken);
    };
    const take = (bytes: Buffer): void => {
      taken = Buffer.concat([taken, bytes]);
      if (taken.length > size) done(new Error('it sent more than the proof'));
      else if (taken.length === size) done();
    };
    const closed = (): void => done(new Error('it closed the connection'));
    const failed = (error: Error): void => done(error);
    const timer = setTimeout(() => done(new Error('it was too slow')), ms);
    socket.on('data', take).on('close', closed).on('error', failed);
    socket.resume();
  });
}

function settle(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/** The server's side. Resolves, with the socket paused, when the peer has proven itself; rejects with what was wrong. */
export async function demandProof(socket: Socket, secret: string, ms: number): Promise<void> {
  settle(socket);
  const ours = randomBytes(NONCE_BYTES);
  socket.write(Buffer.concat([GREETING, ours]));
  const answer = await exactly(socket, GREETING.length + NONCE_BYTES + PROOF_BYTES, ms);
  const greeting = answer.subarray(0, GREETING.length);
  const theirs = answer.subarray(GREETING.length, GREETING.length + NONCE_BYTES);
  if (!greeting.equals(GREETING)) throw new Error('it does not speak this protocol');
  if (!timingSafeEqual(answer.subarray(GREETING.length + NONCE_BYTES), proof(secret, 'client', ours, theirs)))
    throw new Error('it does not know the secret of this session');
  socket.write(proof(secret, 'server', ours, theirs));
}

/** The client's side: a connection on which both have proven themselves, paused. */
export async function connectProven(to: NetworkAddress, secret: string): Promise<Socket> {
  const socket = connect({ host: to.address, port: to.port });
  const where = addressText(to);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer')), CONNECT_MS);
      socket.once('connect', resolve).once('error', reject);
      socket.once('close', () => clearTimeout(timer)).once('connect', () => clearTimeout(timer));
    });
    settle(socket);
    const greeting = await exactly(socket, GREETING.length + NONCE_BYTES, CONNECT_MS);
    if (!greeting.subarray(0, GREETING.length).equals(GREETING)) throw new Error('what listens there is no coordinator');
    const theirs = greeting.subarray(GREETING.length);
    const ours = randomBytes(NONCE_BYTES);
    socket.write(Buffer.concat([GREETING, ours, proof(secret, 'client', theirs, ours)]));
    const answer = await exactly(socket, PROOF_BYTES, CONNECT_MS).catch((error: unknown) => {
      throw reason(error).includes('closed') ? new Error('it does not take this secret') : error;
    });
    if (!timingSafeEqual(answer, proof(secret, 'server', theirs, ours))) throw new Error('it does not know the secret itself');
    return socket;
  } catch (cause) {
    socket.destroy();
    throw failure('coordinatorUnreachable', { where, why: reason(cause) }, cause);
  }
}
