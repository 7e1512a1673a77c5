/**
 * A tool that needs a licence from a daemon outside of the computation: what becomes of its seat at a checkpoint and at restarts, whatever the
 * daemon does. Seats are as the daemon counts them; each piece of work that a tool ever does lies within a lease that the daemon gave.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../support/processes.js';
import { withScratch } from '../support/scratch.js';
import { buildLicence, hasWorked, isRefused, Licences, lastLease, works } from './licences.js';

before(buildLicence);

const withLicences = (work: (licences: Licences) => Promise<void>): Promise<void> =>
  withScratch((scratch) => work(new Licences(scratch)));

const NO_SEAT = /says: no seat is free: 1 of 1 seats of sim are in use/;
const FREE = { used: 0, kept: 0 };
const USED = { used: 1, kept: 0 };
const KEPT = { used: 1, kept: 1 };

/** What the daemon does at a step, and what the user is told. */
const deviations = {
  refuse: /the licence daemon at \S+ says: not now/,
  die: /the licence daemon at \S+ has closed the connection/,
  'late:3000': /the licence daemon at \S+ does not answer in time/,
  forge: /the licence daemon at \S+ is not the vendor's/,
};
const brief = { patience_ms: 1200 };

test('seats are counted by session', () =>
  withLicences(async (licences) => {
    const daemon = await licences.start({ seats: 2 });
    const first = licences.tool(daemon.address, { LIC_SESSION: 'a' });
    const second = licences.tool(daemon.address, { LIC_SESSION: 'a' });
    await Promise.all([works(first), works(second)]);
    assert.deepEqual(await licences.seats(daemon), USED);
    const third = licences.tool(daemon.address);
    await works(third);
    assert.deepEqual(await licences.seats(daemon), { used: 2, kept: 0 });
    const fourth = licences.tool(daemon.address);
    assert.equal(await fourth.exit(), 3);
    await isRefused(fourth, /says: no seat is free: 2 of 2 seats of sim are in use, 0 of them kept: by process \d+ on /);
    await licences.endRight(first, second, third);
    assert.deepEqual(await licences.seats(daemon), FREE);
  }));

test('seats are counted by host', () =>
  withLicences(async (licences) => {
    const daemon = await licences.start({ by: 'host' });
    const tools = ['here', 'here', 'there'].map((LIC_HOST) => ({ LIC_HOST }));
    const first = licences.tool(daemon.address, tools[0]);
    await works(first);
    const second = licences.tool(daemon.address, tools[1]);
    await works(second);
    assert.deepEqual(await licences.seats(daemon), USED);
    const third = licences.tool(daemon.address, tools[2]);
    assert.equal(await third.exit(), 3);
    await isRefused(third, NO_SEAT);
    await licences.endRight(first, second);
  }));

test('heartbeats that stop: the seat is free after a while, and who comes back too late does not work', () =>
  withLicences(async (licences) => {
    const daemon = await licences.start({ leaseMs: 2000 });
    const dead = licences.tool(daemon.address);
    await works(dead);
    dead.end();
    await licences.seatsBecome(daemon, FREE);
    const late = licences.tool(daemon.address);
    await works(late);
    late.signal('SIGSTOP');
    await licences.seatsBecome(daemon, FREE);
    const next = licences.tool(daemon.address);
    await works(next);
    const from = late.lines.length;
    late.signal('SIGCONT');
    await isRefused(late, /says: no seat is free|the lease has run out/, from);
    await licences.endRight(next, late);
  }));

test('a daemon with another key, or none: the tool does not work, and says why', () =>
  withLicences(async (licences) => {
    const stranger = await licences.start({ key: await licences.otherKey() });
    for (const [address, why] of [
      [stranger.address, /is not the vendor's: its answer does not have the vendor's signature/],
      ['127.0.0.1:1', /cannot be reached/],
      ['localhost', /has no address/],
    ] as const) {
      const tool = licences.tool(address);
      assert.equal(await tool.exit(), 3);
      await isRefused(tool, why);
      assert.ok(!hasWorked(tool));
    }
  }));

test('the daemon goes and comes: the tool works as long as its lease is good, and again when there is one', () =>
  withLicences(async (licences) => {
    const first = await licences.start({ leaseMs: 1500 });
    const tool = licences.tool(first.address);
    await works(tool);
    await licences.end(first);
    await isRefused(tool, /cannot be reached/, tool.lines.length);
    const second = await licences.again(first);
    await works(tool);
    assert.deepEqual(await licences.seats(second), USED);
    await licences.endRight(tool);
  }));

test('release: the seat is free while the run is held; it takes one again, or waits for one, before it works', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const daemon = await licences.start();
    const run = await licences.run('one', daemon.address, { at_checkpoint: 'release' });
    await scratch.checkpoint('one');
    await works(run);
    assert.deepEqual(await licences.seats(daemon), USED);
    await scratch.checkpoint('one', '--then', 'hold');
    assert.deepEqual(await licences.seats(daemon), FREE);
    const other = licences.tool(daemon.address);
    await works(other);
    const from = run.lines.length;
    await scratch.json(['resume', '--session', 'one']);
    await isRefused(run, NO_SEAT, from);
    other.signal('SIGTERM');
    await works(run);
    await licences.endRight(run);
  }));

test('keep: the seat stays the run’s, held or not, for longer than a lease; and that of a snapshot whose run has ended', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const leaseMs = 2500;
    const daemon = await licences.start({ leaseMs });
    const run = await licences.run('one', daemon.address, { at_checkpoint: 'keep' });
    for (const hold of [['hold'], ['checkpoint', '--then', 'hold']]) {
      await scratch.json([...hold, '--session', 'one']);
      if (hold.length === 1) await sleep(leaseMs + 200);
      assert.deepEqual(await licences.seats(daemon), KEPT);
      const refused = licences.tool(daemon.address);
      assert.equal(await refused.exit(), 3);
      await isRefused(refused, NO_SEAT);
      const lease = lastLease(run);
      await scratch.json(['resume', '--session', 'one']);
      await works(run);
      assert.notEqual(lastLease(run), lease, 'it has the lease that is in the snapshot');
    }
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await run.exit();
    await sleep(leaseMs + 200);
    assert.deepEqual(await licences.seats(daemon), KEPT);
    const restarted = licences.restart(snapshot, 'two', {});
    await works(restarted);
    await licences.endRight(restarted);
    assert.deepEqual(await licences.seats(daemon), FREE);
  }));

test('keep for a while: then the seat is free', () =>
  withLicences(async (licences) => {
    const daemon = await licences.start({ leaseMs: 1000 });
    const run = await licences.run('one', daemon.address, { at_checkpoint: 'keep', keep_s: 1 });
    const { snapshot } = await licences.scratch.checkpoint('one', '--then', 'kill');
    await run.exit();
    await licences.seatsBecome(daemon, FREE);
    const restarted = licences.restart(snapshot, 'two', {});
    await works(restarted);
    await licences.endRight(restarted);
  }));

for (const how of ['keep', 'release'] as const) {
  test(`two restarts of one snapshot at once (${how}): one seat is taken once; with a second one both work`, () =>
    withLicences(async (licences) => {
      const { scratch } = licences;
      const [one, two] = [await licences.start(), await licences.start({ seats: 2 })];
      const run = await licences.run('one', one.address, { at_checkpoint: how });
      const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
      await run.exit();
      assert.deepEqual(await licences.seats(one), how === 'keep' ? KEPT : FREE);
      const restarts = ['left', 'right'].map((session) => licences.restart(snapshot, session, { no_seat: 'wait' }));
      const first = await waitFor('one of them at work', () => restarts.find(hasWorked));
      const second = restarts.find((each) => each !== first) ?? first;
      await licences.waits(second === restarts[0] ? 'left' : 'right', 'waits for a licence: the licence daemon at');
      const refused = licences.restart(snapshot, 'refused', { no_seat: 'refuse' });
      assert.notEqual(await refused.exit(), 0);
      assert.match(
        refused.stderr,
        /there is no licence: the licence daemon at \S+ says: no seat is free: 1 of 1 seats of sim are in use/,
      );
      assert.ok(!hasWorked(second) && !hasWorked(refused), 'threads have run without a licence');
      assert.deepEqual(await licences.seats(one), USED);
      const elsewhere = ['third', 'fourth'].map((session) => licences.restart(snapshot, session, { server: two.address }));
      await Promise.all(elsewhere.map(works));
      assert.deepEqual(await licences.seats(two), { used: 2, kept: 0 });
      await scratch.json(['stop', '--session', first === restarts[0] ? 'left' : 'right']);
      await works(second);
      await licences.endRight(second, ...elsewhere);
    }));
}

test('the settings: all that their JSON Schema has are taken, and others are not', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const daemon = await licences.start({ seats: 2 });
    const run = await licences.run('one', daemon.address, { ...licences.allSettings, server: daemon.address, limit_s: 1 });
    const { snapshot } = await scratch.checkpoint('one');
    // By the schema, before anything begins.
    const told = /"at_checkpoint" must be one of "release", "keep"/;
    const unread = licences.restart(snapshot, 'three', { at_checkpoint: 'perhaps' as 'keep' });
    assert.notEqual(await unread.exit(), 0);
    assert.match(unread.stderr, told);
    await licences.endRight(run);
  }));

test('a job of several processes: those of one session have one seat, after a restart, too, and another restart has none of theirs', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const daemon = await licences.start({ seats: 3, faults: ['renew=late:3000'] });
    const both = { used: 2, kept: 0 };
    const job = await licences.run('one', daemon.address, { at_checkpoint: 'keep', ...brief }, ['a', 'a', 'b']);
    await licences.seatsBecome(daemon, both);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await job.exit();
    assert.deepEqual(await licences.seats(daemon), { used: 2, kept: 2 });
    const late = licences.restart(snapshot, 'late', brief);
    assert.notEqual(await late.exit(), 0);
    assert.match(late.stderr, deviations['late:3000']);
    // What the others of it had by then is as it was.
    await licences.seatsBecome(daemon, { used: 2, kept: 2 });
    const restarted = licences.restart(snapshot, 'two', {});
    await works(restarted);
    assert.deepEqual(await licences.seats(daemon), both);
    const refused = licences.restart(snapshot, 'three', {});
    assert.notEqual(await refused.exit(), 0);
    assert.match(refused.stderr, /says: no seat is free: 3 of 3 seats of sim are in use/);
    assert.ok(!hasWorked(refused), refused.transcript());
    // It was one seat short, and has none of those that it could have had.
    await licences.seatsBecome(daemon, both);
    await licences.endRight(restarted);
    assert.deepEqual(await licences.seats(daemon), FREE);
  }));

test('a restart that waits goes on when the seat is free; one with a limit, or that is cancelled, ends without', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const daemon = await licences.start();
    const run = await licences.run('one', daemon.address, { at_checkpoint: 'keep' });
    const { snapshot } = await scratch.checkpoint('one');
    // The seat is that of the run that goes on, whatever the snapshot has kept.
    const limited = licences.restart(snapshot, 'limited', { no_seat: 'wait', limit_s: 1 });
    assert.notEqual(await limited.exit(), 0);
    assert.match(limited.stderr, /there is no licence within the time that the settings give: .*no seat is free/);
    const cancelled = licences.restart(snapshot, 'cancelled', { no_seat: 'wait' });
    await licences.waits('cancelled', 'says: no seat is free: 1 of 1 seats of sim are in use');
    await scratch.cairn(['stop', '--session', 'cancelled']);
    assert.notEqual(await cancelled.exit(), 0);
    assert.ok(!hasWorked(limited) && !hasWorked(cancelled));
    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      for (const how of [{}, { detach: true }, { pty: true }]) {
        if (how.pty && signal !== 'SIGINT') continue;
        const session = [signal.toLowerCase(), ...Object.keys(how)].join('-');
        const given = licences.restart(snapshot, session, { no_seat: 'wait' }, how);
        await licences.waits(session, 'says: no seat is free: 1 of 1 seats of sim are in use');
        if (how.pty) given.type('\x03');
        else given.signal(signal);
        assert.equal(await given.exit(3), status, given.transcript());
        assert.ok(!hasWorked(given));
        assert.match((await scratch.cairn(['status', '--session', session])).stdout, /^state +exited/m);
      }
    }
    assert.deepEqual(readdirSync(join(scratch.store, 'runs')), []);
    // What its user ignores is no word of theirs.
    const waiting = licences.restart(snapshot, 'waiting', { no_seat: 'wait' }, { ignored: 'INT TERM' });
    await licences.waits('waiting', 'waits for a licence');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) waiting.signal(signal);
    await works(run);
    assert.ok(!hasWorked(waiting));
    assert.deepEqual(await licences.seats(daemon), USED);
    await scratch.cairn(['stop', '--session', 'one']);
    await works(waiting);
    await licences.endRight(waiting);
  }));

for (const [fault, reason] of Object.entries(deviations)) {
  test(`a daemon that does "${fault}" when a lease is put aside, or given back: the checkpoint fails, the run goes on, the next one is whole`, () =>
    withLicences(async (licences) => {
      const { scratch } = licences;
      let daemon = await licences.start({ faults: [`pause=${fault}`, `return=${fault}`] });
      const run = await licences.run('one', daemon.address, brief);
      for (const [what, faults] of [
        ['put aside', [`return=${fault}`]],
        ['given back', []],
      ] as const) {
        const failed = await scratch.cairn(['checkpoint', '--session', 'one']);
        assert.notEqual(failed.status, 0, failed.stdout);
        assert.match(failed.stderr, new RegExp(`the licence cannot be ${what}: ${reason.source}`));
        if (fault === 'die') daemon = await licences.again(daemon, { faults });
        // A connection that was lost is made again by the library.
        await licences.seatsBecome(daemon, USED);
        await works(run);
      }
      await scratch.checkpoint('one');
      await works(run);
      await licences.endRight(run);
      assert.deepEqual(await licences.seats(daemon), FREE);
    }));

  for (const [step, at_checkpoint] of [
    ['renew', 'keep'],
    ['checkout@2', 'release'],
  ] as const) {
    test(`a daemon that does "${fault}" at "${step}" when the run goes on after a checkpoint: it works when it has a lease again`, () =>
      withLicences(async (licences) => {
        const daemon = await licences.start({ faults: [`${step}=${fault}`] });
        const run = await licences.run('one', daemon.address, { ...brief, at_checkpoint });
        await licences.scratch.checkpoint('one');
        if (fault === 'die') {
          await daemon.program.exit();
          await isRefused(run, /has closed the connection|cannot be reached|the lease has run out/);
          await licences.again(daemon);
        }
        await works(run);
        await licences.endRight(run);
      }));
  }
}

test('a daemon that is not there, refuses, dies, answers late or is not the vendor’s: the restart is refused with the reason', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const here = await licences.start();
    const run = await licences.run('one', here.address);
    const { snapshot } = await scratch.checkpoint('one');
    const refuses = async (server: string, why: RegExp): Promise<void> => {
      const restarted = licences.restart(snapshot, 'two', { ...brief, server, no_seat: 'wait' });
      assert.notEqual(await restarted.exit(), 0);
      assert.match(restarted.stderr, new RegExp(`there is no licence( any more)?: ${why.source}`));
      assert.ok(!hasWorked(restarted), restarted.transcript());
    };
    for (const [fault, reason] of Object.entries(deviations)) {
      await refuses((await licences.start({ faults: [`checkout=${fault}`] })).address, reason);
    }
    await refuses((await licences.start({ faults: ['renew=die'] })).address, deviations.die);
    await refuses((await licences.start({ key: await licences.otherKey() })).address, deviations.forge);
    await refuses('127.0.0.1:1', /the licence daemon at \S+ cannot be reached/);
    await works(run);
    await licences.endRight(run);
  }));

test('a snapshot of a tool that had lost its daemon: nothing runs without a licence after a restart either', () =>
  withLicences(async (licences) => {
    const { scratch } = licences;
    const gone = await licences.start({ leaseMs: 1000 });
    const run = await licences.run('one', gone.address);
    await licences.end(gone);
    await isRefused(run, /cannot be reached/, run.lines.length);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await run.exit();
    const refused = licences.restart(snapshot, 'two', {});
    assert.notEqual(await refused.exit(), 0);
    assert.match(refused.stderr, /there is no licence: the licence daemon at \S+ cannot be reached/);
    const there = await licences.start();
    const restarted = licences.restart(snapshot, 'three', { server: there.address });
    await works(restarted);
    await licences.endRight(restarted);
  }));

test('bad bytes from clients end their connections and nothing else', () =>
  withLicences(async (licences) => {
    const daemon = await licences.start();
    const tool = licences.tool(daemon.address);
    await works(tool);
    const port = Number(daemon.address.split(':')[1]);
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.alloc(1 + i * 9, 0x80 + i);
      if (i % 2 === 0 && bytes.length > 8) bytes.writeUInt32LE(0x4c494331, 0);
      await new Promise<void>((done) => {
        const socket = createConnection(port, '127.0.0.1', () => socket.end(bytes));
        socket.on('error', () => done());
        socket.on('close', () => done());
        socket.resume();
      });
    }
    assert.deepEqual(await licences.seats(daemon), USED);
    await licences.endRight(tool);
  }));
