/**
 * Design signals of simulations that were started as ever: read, set, forced and released by `cairn signals`, in Icarus and in models of
 * Verilator's. Nothing of a run is another for having been read.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { DesignSignal, SignalsResult } from '../../debug-adapter/src/protocol/signals.js';
import { inTree } from '../support/tree.js';
import { buildDesign, Design, folder, make, number, running, simulators, verilate, within } from './design.js';
import { build, icarus, uninterrupted } from './simulation.js';

before(async () => {
  await build();
  await buildDesign();
  await verilate('exporting', '--vpi', '--public-flat-rw', '-LDFLAGS', '-rdynamic');
  await verilate('without');
  await make('ghdl-mcode', '-a', `--workdir=${folder}`, inTree('test/simulators/sources/waiting.vhd'));
  await make('cp', 'plain/Vdesign', 'stripped');
  await make('strip', 'stripped');
});

const { Icarus: onIcarus } = simulators;

for (const [name, simulator] of Object.entries(simulators)) {
  test(`${name}: signals are listed with what they are, and a counter is what it is at that time`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      const before = await design.list('');
      assert.equal(before.simulator, name.startsWith('Icarus') ? 'icarus' : 'verilator');
      assert.equal(before.time.unit, -12);
      assert.equal(before.next, null);
      const kinds = Object.fromEntries(before.signals.map((one) => [one.name.split('.').at(-1), `${one.kind} ${one.width}`]));
      const net = name === 'Icarus' ? 'net' : 'reg';
      for (const [signal, kind] of Object.entries({
        count: 'reg 16',
        kept: 'reg 32',
        wide: 'reg 70',
        twice: `${net} 16`,
        level: `real ${kinds['level']?.split(' ')[1]}`,
        memory: 'memory 8',
      }))
        assert.equal(kinds[signal], kind, signal);
      const value = (of: SignalsResult, signal: string): DesignSignal =>
        of.signals.find((one) => one.name === `${simulator.scope}.${signal}`) ?? assert.fail(signal);
      assert.equal(value(before, 'kept').value, "32'h12345678");
      assert.equal(value(before, 'wide').value, "70'h3f0123456789abcdef");
      assert.equal(value(before, 'level').value, '0.5');
      assert.equal(value(before, 'memory').value, null);
      assert.deepEqual(value(before, 'memory').range, { left: 0, right: 15 });
      assert.deepEqual(value(before, 'count').range, { left: 15, right: 0 });
      // A look in the middle of a time step would find them apart, now and then.
      const looks = [before];
      while (looks.length < 16) looks.push(await design.list(`${simulator.scope}.`));
      assert.ok(BigInt(looks.at(-1)?.time.ticks ?? 0) > BigInt(before.time.ticks));
      for (const one of looks) {
        const edges = (BigInt(one.time.ticks) / 1000n + 5n) / 10n;
        assert.equal(number(value(one, 'count')), Number(edges % 65536n));
        assert.equal(number(value(one, 'twice')), Number((edges * 2n) % 65536n));
      }
      const { signals: words } = await design.list(`${simulator.scope}.memory[3]`);
      assert.deepEqual(
        words.map((one) => [one.name, one.value]),
        [[`${simulator.scope}.memory[3]`, "8'h13"]],
      );
    });
  });

  test(`${name}: what is set is there at the end of the time step and stays, 30 times of 30`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      for (let round = 0; round < 30; round++) {
        const value = (0x9e3779b9 * (round + 1)) % 2 ** 32;
        assert.equal(await design.set(`kept='h${value.toString(16)}`), `32'h${value.toString(16).padStart(8, '0')}`);
        assert.equal(number(await design.read('kept')), value);
      }
      assert.equal(await design.set('memory[3]=165'), "8'ha5");
      assert.equal(await design.set('wide=-2'), "70'h3ffffffffffffffffe");
      // Verilator's VPI counts bits from the least significant one, whatever the range was.
      assert.equal(await design.set('upwards[0]=0'), name === 'Icarus' ? "8'h01" : "8'h80");
      const real = (await design.write('set', 'level=2.25')).written[0];
      assert.deepEqual([real?.outcome, real?.after], name === 'Icarus' ? ['effective', '2.25'] : ['impossible', null]);
      const several = await design.write('set', "kept='h5", 'memory[4]=1', 'nothing=1', 'memory[16]=1', 'count=65536');
      assert.equal(several.status, 1);
      assert.deepEqual(
        several.written.map((one) => one.outcome),
        ['effective', 'effective', 'impossible', 'impossible', 'impossible'],
      );
      assert.match(several.written[2]?.why ?? '', /no signal of this name/);
      assert.match(several.written[3]?.why ?? '', /no such word/);
      assert.match(several.written[4]?.why ?? '', /fewer bits/);
    });
  });

  test(`${name}: after a restart as before; the design goes on with what was set`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      await design.set("kept='hcafe");
      const made = await scratch.cairn(['checkpoint', '--session', 'design', '--name', 'there', '--then', 'kill']);
      assert.equal(made.status, 0, made.stderr);
      const program = scratch.cairnProgram(['restart', 'there', '--session', 'again']);
      const again = new Design(scratch, program, simulator.scope, 'again');
      await running(again);
      assert.equal(number(await again.read('kept')), 0xcafe);
      await again.set("kept='hbeef");
      await again.set("memory[3]='h77");
      await again.set('stop=1');
      assert.equal(await program.exit(60), 0, program.transcript());
      assert.match(program.stdout, /^stopped: kept 0000beef, memory\[3\] 77$/m);
    });
  });
}

for (const [name, simulator] of Object.entries(simulators))
  test(`${name}: registers in generate blocks are listed, in a scope of their own, and written`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      const { signals } = await design.list('phase');
      const values = Object.fromEntries(signals.map((one) => [one.name, one.value]));
      assert.deepEqual(
        [values[`${simulator.scope}.block.phase`], values[`${simulator.scope}.block.inner.phase`]],
        ["4'h2", "4'h3"],
      );
      assert.equal(signals.length, new Set(Object.keys(values)).size);
      assert.equal(await design.set('block.inner.phase=9'), "4'h9");
      const { status, stdout } = await scratch.cairn([
        'signals',
        'tree',
        `${simulator.scope}.block`,
        '--session',
        'design',
        '--json',
      ]);
      assert.equal(status, 0);
      const { signals: inBlock } = JSON.parse(stdout) as SignalsResult;
      assert.deepEqual(
        inBlock.map((one) => one.name),
        [`${simulator.scope}.block.phase`],
      );
    });
  });

test('Several bits of one signal are written in one time step, and each is judged by itself', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, onIcarus);
    const { written } = await design.write('set', 'kept[0]=1', 'kept[31]=1', 'kept[4]=0');
    assert.deepEqual(
      written.map((one) => one.outcome),
      ['effective', 'effective', 'effective'],
    );
    assert.equal(number(await design.read('kept')), 0x92345669);
  });
});

test('Icarus: a name with a point in it is found as it is listed', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, onIcarus);
    assert.equal((await design.read('core.phase')).value, "4'h1");
    assert.equal(await design.set('core.phase=6'), "4'h6");
    assert.equal(await design.set('core.phase[0]=1'), "4'h7");
  });
});

test('What a simulator cannot hold, or does not describe as it is, is not said to be held or there', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, onIcarus);
    const [forced] = (await design.write('force', 'memory[9]=1')).written;
    assert.deepEqual([forced?.outcome, /does not force a word/.test(forced?.why ?? '')], ['impossible', true], forced?.why);
    assert.equal((await design.list('signals.flags[3]')).signals[0]?.value, "1'b1");
  });
  await within(async (scratch) => {
    const design = await Design.start(scratch, simulators.Verilator);
    assert.deepEqual((await design.list('flags')).signals, []);
  });
});

test('Icarus: variables of an automatic function are no signals, and whoever asks for one does the simulation no harm', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, onIcarus);
    const { signals } = await design.list('*');
    assert.ok(signals.some((one) => one.name === 'signals.halved'));
    assert.ok(!signals.some((one) => one.name.startsWith('signals.half.')));
    const [set] = (await design.write('set', 'half.result=1')).written;
    assert.deepEqual([set?.outcome, /automatic/.test(set?.why ?? '')], ['impossible', true], set?.why);
    await design.set('stop=1');
  });
});

test('Icarus: what is forced holds until it is released; x and z are values', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, onIcarus);
    const forced = await design.write('force', "twice='h1234", "kept='hf");
    assert.deepEqual(
      forced.written.map((one) => [one.outcome, one.after]),
      [
        ['effective', "16'h1234"],
        ['effective', "32'h0000000f"],
      ],
    );
    assert.equal(number(await design.read('twice')), 0x1234);
    assert.equal(number(await design.read('kept')), 0xf);
    // A net that something drives is driven anew at its next event.
    const released = await design.write('release', 'twice', 'kept');
    assert.deepEqual(
      released.written.map((one) => one.outcome),
      ['effective', 'effective'],
    );
    const { signals } = await design.list('signals.');
    const of = (name: string): number => number(signals.find((one) => one.name === `signals.${name}`) ?? assert.fail(name));
    assert.equal(of('twice'), (of('count') * 2) % 65536);
    assert.equal(await design.set("kept='b1x0z"), "32'b00000000000000000000000000001x0z");
  });
});

test('Verilator: what its VPI cannot do is said, and nothing is done', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, simulators.Verilator);
    const forced = await design.write('force', 'kept=1');
    assert.deepEqual([forced.status, forced.written[0]?.outcome], [1, 'impossible']);
    assert.match(forced.written[0]?.why ?? '', /does not force/);
    const unknown = await design.write('set', "kept='bx");
    assert.match(unknown.written[0]?.why ?? '', /no x/);
    assert.equal((await design.read('kept')).value, "32'h12345678");
  });
});

test('Of many signals one page is told at a time', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, onIcarus);
    const all = (await design.list('signals.*')).signals.map((one) => one.name);
    const seen: string[] = [];
    for (let next: number | null = 0; next !== null; ) {
      const page: SignalsResult = await design.list('signals.*', '--limit', '3', '--offset', String(next));
      assert.ok(page.signals.length <= 3);
      seen.push(...page.signals.map((one) => one.name));
      next = page.next;
    }
    assert.deepEqual(seen, all);
    assert.ok(all.length > 6);
  });
});

const missing: [what: string, command: string[], says: RegExp][] = [
  ['a model without VPI', [join(folder, 'without/Vdesign')], /--vpi --public-flat-rw/],
  ['GHDL', ['ghdl-mcode', '-r', `--workdir=${folder}`, 'waiting'], /ghdl --synth --out=verilog/],
  ['a stripped model', [join(folder, 'stripped')], /stripped/],
  ['a program that is none', ['sleep', '1000'], /stripped|neither VPI/],
];
for (const [what, command, says] of missing)
  test(`${what}: what is missing is said`, async () => {
    await within(async (scratch) => {
      await Design.start(scratch, { command, scope: '' });
      const { status, stderr } = await scratch.cairn(['signals', '--session', 'design']);
      assert.equal(status, 1);
      assert.match(stderr, says);
    });
  });

test('Icarus: a $stop of its own stays one; a request that comes at its prompt is given up, and does no harm', async () => {
  await within(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'design', '--', ...onIcarus.command], { pty: true });
    const design = new Design(scratch, program, onIcarus.scope, 'design');
    await running(design);
    await design.set('pause=1');
    await program.line(/VVP Stop/);
    const { status, stderr } = await scratch.cairn(['signals', '--session', 'design']);
    assert.equal(status, 1);
    assert.match(stderr, /has not come to where/);
    const stops = (): number => program.stdout.split('VVP Stop').length;
    const before = stops();
    program.type('cont\n');
    assert.equal(await design.set("kept='h77"), "32'h00000077");
    assert.equal(number(await design.read('kept')), 0x77);
    await design.set('stop=1');
    assert.equal(await program.exit(60), 0, program.transcript());
    assert.equal(stops(), before, program.transcript());
  });
});

test('the SoC on Icarus: a run whose signals were read prints and writes what another run does', async () => {
  await within(async (scratch) => {
    const reference = await uninterrupted(icarus, scratch);
    const cwd = scratch.makeFolder(join(scratch.work, 'run'));
    const program = scratch.cairnProgram(['run', '--session', 'design', '--', ...icarus.command], { cwd });
    await program.line(/^RISC-V SoC/, 60);
    let looks = 0;
    while (program.status === undefined) {
      const { status, stdout } = await scratch.cairn(['signals', '*pc*', '--session', 'design', '--json']);
      if (status !== 0) break;
      const { signals, time } = JSON.parse(stdout) as SignalsResult;
      assert.ok(signals.length > 0 && BigInt(time.ticks) > 0n);
      looks++;
    }
    assert.ok(looks > 0, program.transcript());
    assert.equal(await program.exit(120), reference.status, program.transcript());
    assert.equal(program.stdout, reference.console);
    assert.ok(icarus.read(join(cwd, icarus.waveform)).equals(reference.waveform), 'the waveform differs');
  });
});
