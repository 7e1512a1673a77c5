/**
 * A campaign on the SoC before it is run and after: what its patterns mean in the design of the snapshot, what its plan comes to, a run's fault in a
 * restart that is held just before it, and where its waveform differs. On Icarus.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Run, Target } from '../../debug-adapter/src/protocol/campaign.js';
import type { CampaignFigures } from '../../debug-adapter/src/protocol/campaign-figures.js';
import type { ArmedFault, CampaignPlan, WaveformDifference } from '../../debug-adapter/src/protocol/campaign-plan.js';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { ReadSignalsResult } from '../../debug-adapter/src/protocol/signals.js';
import { waitFor } from '../support/processes.js';
import { withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { Soc } from './soc.js';

const soc = new Soc(inTree('build/test/soc'));
const CORE = 'tb.board.soc.core';
const RUNS = 12;

before(async () => {
  const { status, stderr } = await soc.make('icarus');
  assert.equal(status, 0, stderr);
});

test('a campaign is planned, run, and followed from its figures into the design', async () =>
  withScratch(async (scratch) => {
    const file = join(scratch.work, 'soc.yaml');
    const campaign = {
      snapshot: 'begun',
      store: scratch.store,
      prepare: {
        command: [...soc.command('Icarus'), '+vcd=soc.vcd', '+init=1', '+work=3', '+maxcycles=150000'],
        until: '^init=',
      },
      seed: 5,
      sample: RUNS,
      models: [
        { name: 'upsets', signals: { model: 'upset', targets: [`${CORE}.regs*`], times: { from: 100, to: 40_000, step: 10 } } },
      ],
      observe: { signals: [`${CORE}.regs*`] },
      hang: { status: [3] },
    };
    const write = (more: object = {}): void => writeFileSync(file, JSON.stringify({ ...campaign, ...more }));
    write();
    const plan = async (): Promise<CampaignPlan> =>
      JSON.parse((await scratch.cairn(['campaign', 'plan', file, '--json'])).stdout) as CampaignPlan;
    const first = await plan();
    assert.deepEqual([first.snapshot, first.prepares, first.population, first.problems], [null, true, null, []]);

    const trial = await scratch.cairn(['campaign', 'try', file, '--number', '0'], { seconds: 300 });
    assert.match(trial.stderr, /fault 0 of 12: upset of tb\.board\.soc\.core\.regs\[\d+\] bit \d+ after \d+/);
    assert.match(trial.stderr, /the fault was (effective|unchanged|overwritten).*, after \d+ ticks; it ended with status \d+/);
    const known = await plan();
    assert.equal(known.designKnown, true);
    assert.deepEqual(known.models[0]?.targets, { told: true, registers: 0, nets: 0, memories: 1, bits: 1024 });
    assert.deepEqual([known.population, known.runs, known.seconds], [1024 * 3991, RUNS, null]);
    const { targets } = await scratch.json<{ targets: Target[] }>(['campaign', 'design', 'begun', '--store', scratch.store]);
    const pc = targets.find(({ name }) => name === `${CORE}.pc`);
    assert.deepEqual([pc?.width, pc?.memory, pc?.net], [32, false, undefined]);
    assert.ok(targets.some(({ net }) => net));
    // What only the design can tell is told as the check tells its own.
    write({ observe: { signals: ['nowhere'] } });
    assert.deepEqual((await plan()).problems, [
      { line: 0, path: ['observe', 'signals', 0], message: 'no signal of the design is meant by nowhere' },
    ]);
    write();

    const { status, stderr } = await scratch.cairn(['campaign', 'run', file], { seconds: 600 });
    assert.equal(status, 0, stderr);
    const after = await plan();
    assert.equal(after.measuredBy, 'soc');
    assert.ok((after.runsPerSecond ?? 0) > 0 && (after.seconds ?? 0) > 0 && (after.end ?? 0) > 40_000, JSON.stringify(after));
    const figures = await scratch.json<CampaignFigures>(['campaign', 'figures', file]);
    assert.deepEqual(
      figures.scopes.map(({ scope }) => scope),
      [CORE],
    );
    const runs = await scratch.json<Run[]>(['campaign', 'show', file]);
    assert.equal(runs.length, RUNS);
    for (const { fault, target, scope, at } of runs) {
      assert.equal(scope, CORE);
      assert.ok(fault.includes(`${target} bit`) && fault.endsWith(`after ${at}`), fault);
    }
    const { total } = await scratch.json<{ total: number }>([
      'campaign',
      'show',
      file,
      '--target',
      runs[0]?.target ?? '',
      '--limit',
      '5',
    ]);
    assert.equal(total, runs.filter(({ target }) => target === runs[0]?.target).length);

    // Held just before the fault, with the very time and value; then the fault is there.
    const one =
      runs.find(({ effective, injection }) => effective && injection === 'effective') ?? assert.fail('no fault was effective');
    const armed = await scratch.json<ArmedFault>(['campaign', 'arm', file, String(one.number)]);
    assert.equal(armed.holds, true);
    const settings = join(scratch.work, 'armed.json');
    writeFileSync(settings, JSON.stringify(armed.plugin.settings));
    const held = [
      'restart',
      armed.snapshot,
      '--store',
      armed.store,
      '--session',
      'held',
      '--plugin',
      `fault-signals=${settings}`,
    ];
    await scratch.cairn([...held, '--detach'], { seconds: 60 });
    const state = async (): Promise<SessionStatus> => scratch.json<SessionStatus>(['status', '--session', 'held']);
    await waitFor('it is held', async () => (await state()).state === 'held', 60);
    assert.match(JSON.stringify(await state()), /a fault is put there when it goes on/);
    const value = async (): Promise<ReadSignalsResult> => scratch.json(['signals', one.target, '--session', 'held']);
    const before = await value();
    const again = await value();
    assert.deepEqual([again.time, again.signals], [before.time, before.signals]);
    await scratch.cairn(['resume', '--session', 'held']);
    await waitFor('it has ended', async () => (await state()).state === 'exited', 120);
    await scratch.cairn(['stop', '--session', 'held']);

    // In the waveform every register is seen that differs.
    const changed = runs.find(({ outcome }) => !['masked', 'latent'].includes(outcome)) ?? one;
    const difference = await scratch.json<WaveformDifference>(['campaign', 'waveform', file, String(changed.number)], {
      seconds: 300,
    });
    if (difference.file === '') assert.equal(difference.first, null);
    else {
      assert.match(readFileSync(difference.file, 'utf8').slice(0, 2000), /\$scope module difference \$end/);
      assert.ok((difference.first?.time ?? -1) > 0);
    }
    assert.equal(existsSync(join(scratch.store, 'campaigns/soc/waveforms', String(changed.number), 'fault')), false);
  }));
