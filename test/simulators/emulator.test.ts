/**
 * A test bench of three processes on a hardware emulator outside of the computation: it is taken off for checkpoints and comes back, after
 * a restart on another emulator. Whatever the emulator does meanwhile, no transaction is lost or doubled: the checksum over all answers is
 * that of an uninterrupted run.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseSeed, randomNumbers } from '../support/moments.js';
import { waitFor } from '../support/processes.js';
import { withScratch } from '../support/scratch.js';
import { buildEmulator, Emulators, goesOn } from './emulators.js';

const CHECKPOINTS = 50;
const RESTART_EVERY = 5;
/** Of answers, in us: so that several turns are under way at any moment, and a second has some hundred turns. */
const LATENCY = ['--latency', '700'];

before(buildEmulator);

const withEmulators = (work: (emulators: Emulators, stop: string) => Promise<void>): Promise<void> =>
  withScratch((scratch) => work(new Emulators(scratch), join(scratch.folder, 'stop')));

const seen = (emulators: Emulators, session: string, why: string): Promise<true> =>
  waitFor(why, async () => (await emulators.scratch.cairn(['status', '--session', session, '--json'])).stdout.includes(why));

test(`${CHECKPOINTS} checkpoints at random moments, two emulators taking turns`, () =>
  withEmulators(async (emulators, stop) => {
    const seed = chooseSeed();
    const random = randomNumbers(seed);
    const { scratch } = emulators;
    const places = await Promise.all([emulators.start(...LATENCY), emulators.start(...LATENCY)]);
    let program = await emulators.run('s0', places[0]?.address ?? '', stop);
    for (let i = 1, restarts = 0; i <= CHECKPOINTS; i++) {
      await sleep(random() * 60);
      const leaves = i % RESTART_EVERY === 0;
      const { snapshot } = await scratch.checkpoint(`s${restarts}`, ...(leaves ? ['--then', 'kill'] : []));
      if (!leaves) continue;
      await program.exit();
      restarts++;
      const emulator = places[restarts % 2]?.address ?? '';
      program = emulators.restart(snapshot, `s${restarts}`, { emulator, slot: restarts % 3 === 0 ? 1 : 0 });
      await goesOn(program);
    }
    const [total] = await emulators.endRight([program], stop);
    assert.ok((total?.turns ?? 0) > 100, `only ${total?.turns} turns (CAIRN_TEST_SEED=${seed})`);
  }));

test('one snapshot on two emulators at once, beside the run that goes on; a slot is only one of them’s', () =>
  withEmulators(async (emulators, stop) => {
    const [here, there] = [await emulators.start(...LATENCY), await emulators.start(...LATENCY)];
    const program = await emulators.run('one', here.address, stop);
    const { snapshot } = await emulators.scratch.checkpoint('one');
    assert.ok(existsSync(join(emulators.store, `${snapshot}.state`)), 'the state does not have the name of the snapshot');
    await goesOn(program);
    const left = emulators.restart(snapshot, 'left', { emulator: there.address });
    await goesOn(left);
    const refused = emulators.restart(snapshot, 'busy', { emulator: there.address });
    assert.notEqual(await refused.exit(), 0);
    assert.match(refused.stderr, /does not take the computation: slot 0 is in use by process/);
    const right = emulators.restart(snapshot, 'right', { emulator: here.address, slot: 1 });
    await goesOn(right);
    await emulators.endRight([program, left, right], stop);
  }));

test('a held computation stays on the emulator; checkpointed twice, it is off until it goes on', () =>
  withEmulators(async (emulators, stop) => {
    const { scratch } = emulators;
    const [here, there] = [await emulators.start(...LATENCY), await emulators.start(...LATENCY)];
    const program = await emulators.run('one', here.address, stop);
    await scratch.json(['hold', '--session', 'one']);
    await scratch.json(['resume', '--session', 'one']);
    await goesOn(program);
    assert.ok(!here.program.lines.some((line) => line.includes('released')), here.program.transcript());
    await scratch.json(['hold', '--session', 'one']);
    await scratch.checkpoint('one');
    const { snapshot } = await scratch.checkpoint('one');
    await scratch.json(['resume', '--session', 'one']);
    await goesOn(program);
    assert.equal(here.program.lines.filter((line) => line.includes('released')).length, 1, here.program.transcript());
    const restarted = emulators.restart(snapshot, 'two', { emulator: there.address });
    await goesOn(restarted);
    await emulators.endRight([program, restarted], stop);
  }));

test('a checkpoint that is given up while the emulator saves: the computation goes on at once, and the next one is whole', () =>
  withEmulators(async (emulators, stop) => {
    const { scratch } = emulators;
    const slow = await emulators.start(...LATENCY, '--save-time', '2500');
    const program = await emulators.run('one', slow.address, stop);
    const checkpoint = scratch.cairnProgram(['checkpoint', '--session', 'one']);
    await seen(emulators, 'one', `waits for the emulator at ${slow.address} to save the design in slot 0`);
    checkpoint.signal('SIGINT');
    assert.notEqual(await checkpoint.exit(), 0);
    await goesOn(program);
    const { snapshot } = await scratch.checkpoint('one');
    const restarted = emulators.restart(snapshot, 'two', { emulator: slow.address, slot: 1 });
    await goesOn(restarted);
    await emulators.endRight([program, restarted], stop);
  }));

/** What the emulator does at a step of a checkpoint, and what the user is told. */
const deviations: Record<string, { fault: string; told: Record<string, RegExp> }> = {
  refuses: {
    fault: 'refuse',
    told: {
      quiesce: /does not stop its clock: not now/,
      save: /does not save its state: not now/,
      release: /does not release its slot: not now/,
    },
  },
  dies: {
    fault: 'die',
    told: {
      quiesce: /while it was to stop its clock, it closed the connection/,
      save: /while it was to save its state, it closed the connection/,
      release: /while it was to release its slot, it closed the connection/,
    },
  },
  'answers late': {
    fault: 'late:3000',
    told: {
      quiesce: /while it was to stop its clock, it did not answer in time/,
      save: /while it was to save its state, it did not answer in time/,
      release: /while it was to release its slot, it did not answer in time/,
    },
  },
};

for (const [does, { fault, told }] of Object.entries(deviations)) {
  for (const [step, reason] of Object.entries(told)) {
    test(`an emulator that ${does} at "${step}": the checkpoint fails, the computation goes on`, () =>
      withEmulators(async (emulators, stop) => {
        const { scratch } = emulators;
        // Once more after a checkpoint: there is a state then that the emulator that stands by has to go on from.
        const here = await emulators.start(...LATENCY, '--fault', `${step}@2=${fault}`);
        const there = await emulators.start(...LATENCY);
        const settings = { patience_ms: 1200, standby: [there.address] };
        const program = await emulators.run('one', here.address, stop, settings);
        await scratch.checkpoint('one');
        await goesOn(program);
        const failed = await scratch.cairn(['checkpoint', '--session', 'one']);
        assert.notEqual(failed.status, 0, failed.stdout);
        assert.match(failed.stderr, reason);
        await goesOn(program);
        await scratch.checkpoint('one');
        await goesOn(program);
        await emulators.endRight([program], stop);
      }));
  }

  for (const step of ['attach', 'load']) {
    test(`an emulator that ${does} at "${step}" when the computation comes back after a checkpoint: it goes on`, () =>
      withEmulators(async (emulators, stop) => {
        // The first to attach is the test bench itself.
        const here = await emulators.start(...LATENCY, '--fault', `${step}${step === 'attach' ? '@2' : ''}=${fault}`);
        const there = await emulators.start(...LATENCY);
        const settings = { patience_ms: 1200, standby: [there.address] };
        const program = await emulators.run('one', here.address, stop, settings);
        await emulators.scratch.checkpoint('one');
        await goesOn(program);
        await emulators.endRight([program], stop);
      }));
  }
}

test('an emulator that refuses, dies or answers late for a restart: the restart is refused with the reason', () =>
  withEmulators(async (emulators, stop) => {
    const here = await emulators.start(...LATENCY);
    const program = await emulators.run('one', here.address, stop);
    const { snapshot } = await emulators.scratch.checkpoint('one');
    for (const [fault, why] of [
      ['attach=refuse', 'does not take the computation: not now'],
      ['attach=die', 'does not take the computation: it closes the connection'],
      ['attach=late:3000', 'does not take the computation: it does not answer in time'],
      ['load=refuse', 'does not load the state: not now'],
      ['load=die', `closed the connection, when it was to load the state: ${snapshot}`],
      ['load=late:3000', `does not load the state in time: ${snapshot}`],
    ] as const) {
      const there = await emulators.start(...LATENCY, '--fault', fault);
      const refused = emulators.restart(snapshot, 'two', { patience_ms: 1200, emulator: there.address });
      assert.notEqual(await refused.exit(), 0);
      assert.ok(refused.stderr.includes(`the emulator at ${there.address} ${why}`), refused.stderr);
    }
    await goesOn(program);
    await emulators.endRight([program], stop);
  }));

test('an emulator that cannot be reached, or has no such slot or state: the restart is refused with the reason', () =>
  withEmulators(async (emulators, stop) => {
    const { scratch } = emulators;
    const here = await emulators.start(...LATENCY);
    const stranger = await new Emulators(scratch, 'another-store').start(...LATENCY);
    const program = await emulators.run('one', here.address, stop);
    const { snapshot } = await scratch.checkpoint('one');
    const damaged = await emulators.start(...LATENCY);
    const state = join(emulators.store, `${snapshot}.state`);
    const content = readFileSync(state);
    for (const [settings, why] of [
      [{ emulator: '127.0.0.1:1' }, /does not take the computation: it cannot be reached/],
      // By the schema beside the plugin's library, before anything is started.
      [{ emulator: 'localhost' }, /"emulator" must match pattern/],
      [{ emulator: here.address, slot: 7 }, /does not take the computation: there is no slot 7/],
      [{ emulator: stranger.address }, /does not load the state: it has no state/],
      [{ emulator: damaged.address }, /does not load the state: the state \w+ is damaged/],
    ] as const) {
      // It is the last one's turn only: one byte of the design is another.
      if (settings.emulator === damaged.address) writeFileSync(state, content.fill((content[5000] ?? 0) ^ 1, 5000, 5001));
      const refused = emulators.restart(snapshot, 'two', settings);
      assert.notEqual(await refused.exit(), 0);
      assert.match(refused.stderr, why);
    }
    await emulators.endRight([program], stop);
  }));

test('user threads are held until the emulator is ready, and one can see what is waited for', () =>
  withEmulators(async (emulators, stop) => {
    const { scratch } = emulators;
    const here = await emulators.start(...LATENCY);
    const slow = await emulators.start(...LATENCY, '--load-time', '2500');
    const program = await emulators.run('one', here.address, stop);
    const { snapshot } = await scratch.checkpoint('one');
    const began = performance.now();
    const restarted = emulators.restart(snapshot, 'two', { emulator: slow.address });
    await seen(emulators, 'two', `waits for the emulator at ${slow.address} to load the design into slot 0`);
    await goesOn(restarted);
    assert.ok(performance.now() - began > 2500, 'it went on before the emulator was ready');
    await emulators.endRight([program, restarted], stop);
  }));

test('bad bytes from clients end their connections and nothing else', () =>
  withEmulators(async (emulators, stop) => {
    const seed = chooseSeed();
    const random = randomNumbers(seed);
    const here = await emulators.start(...LATENCY);
    const program = await emulators.run('one', here.address, stop);
    const port = Number(here.address.split(':')[1]);
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256)));
      // Half of them look like messages: a kind that there is, a size that is possible, now and then for a slot that is free.
      if (i % 2 === 0 && bytes.length >= 32) {
        bytes.writeUInt16LE([1, 2, 3, 4, 5, 7, 8, 66][i % 8] ?? 1, 0);
        bytes.writeUInt32LE(Math.floor(random() * 220), 4);
        if (i % 3 === 0) bytes.writeBigUInt64LE(1n, 8);
        bytes.writeBigUInt64LE(BigInt(i % 4), 16);
      }
      await new Promise<void>((done) => {
        const socket = createConnection(port, '127.0.0.1', () => socket.end(bytes));
        socket.on('error', () => done());
        socket.on('close', () => done());
        socket.resume();
      });
    }
    assert.equal(
      here.program.status,
      undefined,
      `the emulator has ended (CAIRN_TEST_SEED=${seed})\n${here.program.transcript()}`,
    );
    await goesOn(program);
    await emulators.endRight([program], stop);
  }));
