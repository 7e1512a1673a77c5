/** What processes on several hosts tell each other between two phases, as the coordinator passes it on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentConnection } from '../../debug-adapter/src/coordinator/agent-connection.js';
import { Exchange } from '../../debug-adapter/src/coordinator/exchange.js';
import { Hosts } from '../../debug-adapter/src/coordinator/hosts.js';
import { addressBytes } from '../../debug-adapter/src/platform/proof.js';
import type { HostName } from '../../debug-adapter/src/protocol/generated/agent_pb.js';

const on = (host: number): AgentConnection => ({ host }) as unknown as AgentConnection;
const said = (key: string, value?: string): HostName =>
  ({
    space: 7,
    key: Buffer.from(key),
    value: Buffer.from(value ?? ''),
    wanted: value === undefined,
    host: 0,
    address: Buffer.alloc(0),
  }) as unknown as HostName;

function twoHosts(): Hosts {
  const hosts = new Hosts(() => undefined);
  hosts.add({ name: 'a', identity: 'one', local: true });
  hosts.add({ name: 'b', identity: 'one', local: true });
  return hosts;
}

test('with one host requests are as they always were', () => {
  const hosts = new Hosts(() => undefined);
  hosts.add({ name: 'a', identity: 'one', local: true });
  assert.equal(new Exchange(hosts).request(on(0), 'barrier'), undefined);
});

test('an answer is sent once it has been told, in whatever order, and once', () => {
  const exchange = new Exchange(twoHosts());
  exchange.folder = '/store/tmp/1';
  const [one, other] = [on(0), on(1)];
  exchange.take(one, [said('k'), said('nobody')]);
  assert.deepEqual(exchange.request(one, 'barrier')?.names, []);
  exchange.take(other, [said('k', 'v')]);
  const answer = exchange.request(one, 'barrier');
  assert.equal(answer?.hosts, 2);
  assert.equal(answer?.exchangeFolder, '/store/tmp/1');
  const [name, ...more] = answer?.names ?? [];
  assert.deepEqual(more, []);
  assert.deepEqual([Buffer.from(name?.value ?? []).toString(), name?.host], ['v', 1]);
  assert.deepEqual(Buffer.from(name?.address ?? []), addressBytes('127.0.0.1'));
  assert.deepEqual(exchange.request(one, 'barrier')?.names, []);
  assert.deepEqual(exchange.request(other, 'barrier')?.names, []);
});

test('addresses that have changed come with the restart', () => {
  const exchange = new Exchange(twoHosts());
  exchange.moved = [['192.0.2.1', '2001:db8::5']];
  const [name] = exchange.request(on(0), 'restart')?.names ?? [];
  assert.equal(
    Buffer.from(name?.value ?? []).toString('hex'),
    '00000000000000000000ffffc0000201' + '20010db8000000000000000000000005',
  );
  assert.deepEqual(exchange.request(on(0), 'barrier')?.names, []);
});

test('addresses are 16 bytes', () => {
  assert.equal(addressBytes('::1').toString('hex'), `${'0'.repeat(31)}1`);
  assert.equal(addressBytes('::ffff:10.0.0.1').toString('hex'), '00000000000000000000ffff0a000001');
  assert.equal(addressBytes('fe80::1:2%eth0').toString('hex'), 'fe800000000000000000000000010002');
  assert.equal(addressBytes('no address').length, 0);
});
