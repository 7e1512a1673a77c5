/**
 * The sample simulations on their own, without Cairn: what the tests of checkpoint and restart take for granted. The signature
 * is the reference model's, two runs print and write the same, the two simulators agree, and errors end with their status.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inTree } from '../support/tree.js';
import { consoleLines, type Result, runToEnd, type SimulatorName, Soc, waveform } from './soc.js';

const simulators: SimulatorName[] = ['Icarus', 'Verilator'];
const program = inTree('examples/riscv-soc/sw/program.hex');
const scratch = mkdtempSync(join(tmpdir(), 'cairn-t-'));
const soc = new Soc(join(scratch, 'build'));

/** Runs in a folder of its own, with soc.vcd there. */
function simulate(simulator: SimulatorName, run: string, plusargs: readonly string[]): Promise<Result> {
  mkdirSync(join(scratch, run));
  return runToEnd([...soc.command(simulator), ...plusargs], join(scratch, run));
}

before(async () => {
  const { status, stderr } = await soc.make('icarus', 'verilator', 'reference');
  assert.equal(status, 0, stderr);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

describe('sample SoC', () => {
  for (const simulator of simulators) {
    describe(simulator, () => {
      it('prints the reference signature and writes the same in two runs', async () => {
        const plusargs = simulator === 'Icarus' ? ['+init=4', '+work=2'] : ['+init=40', '+work=8'];
        const first = await simulate(simulator, `${simulator}-1`, plusargs);
        const second = await simulate(simulator, `${simulator}-2`, plusargs);
        assert.equal(first.status, 0, first.stderr);
        assert.equal(second.status, 0, second.stderr);
        assert.equal(first.stdout, second.stdout);
        const lines = consoleLines(first.stdout);
        assert.equal(lines.at(-1), await soc.signature(simulator, plusargs));
        const order = [
          /^init 50%/,
          /^init 100%/,
          /^== region of interest ==$/,
          /^work 50%/,
          /^work 100%/,
          /^signature: [0-9A-F]{8}$/,
        ];
        const places = order.map((pattern) => lines.findIndex((line) => pattern.test(line)));
        assert.ok(
          places.every((place, i) => place > (places[i - 1] ?? 0)),
          first.stdout,
        );

        const [one, two] = [1, 2].map((run) => waveform(join(scratch, `${simulator}-${run}`, 'soc.vcd')));
        assert.ok(one !== undefined && two !== undefined && one.equals(two), 'the two waveforms differ');
        assert.ok(one.length > 1_000_000, `the waveform has only ${one.length} bytes`);
      });

      it('follows the parameters as the reference model does', async () => {
        const seen = new Set<string>();
        for (const plusargs of [
          ['+init=1', '+work=1', '+seed=1'],
          ['+init=1', '+work=1', '+seed=77'],
          ['+init=1', '+work=2', '+seed=1'],
          ['+init=2', '+work=1', '+seed=1'],
          ['+init=0', '+work=0', '+seed=1'],
        ]) {
          const { status, stdout } = await runToEnd([...soc.command(simulator), '+novcd', ...plusargs], scratch);
          assert.equal(status, 0);
          const signature = consoleLines(stdout).at(-1) ?? '';
          assert.equal(signature, await soc.signature(simulator, plusargs), plusargs.join(' '));
          seen.add(signature);
        }
        assert.equal(seen.size, 5, 'different parameters gave the same signature');
      });

      it('has the defaults of its reference model', async () => {
        const { status, stdout } = await runToEnd([...soc.command(simulator), '+novcd', '+maxcycles=20000'], scratch);
        assert.equal(status, 3);
        const [, init, work, seed] = /^init=(\d+) work=(\d+) seed=(\d+)$/m.exec(stdout) ?? [];
        assert.ok(init && work && seed, stdout);
        const given = await soc.signature(simulator, [`+init=${init}`, `+work=${work}`, `+seed=${seed}`]);
        assert.equal(await soc.signature(simulator, []), given);
      });

      it('ends with status 1 when there is no program, and names the file', async () => {
        const { status, stdout } = await runToEnd([...soc.command(simulator), '+novcd', '+program=missing.hex'], scratch);
        assert.equal(status, 1);
        assert.match(stdout, /cannot read the program missing\.hex; name it by \+program=FILE/);
      });

      it('ends with status 2 at a trap, and says which', async () => {
        // The instruction that enables the timer interrupt (csrs mie, a5) becomes an illegal one.
        const words = readFileSync(program, 'latin1');
        assert.match(words, /^3047a073$/m, 'the program no longer holds the instruction that this test replaces');
        const file = join(scratch, `trap-${simulator}.hex`);
        writeFileSync(file, words.replace(/^3047a073$/m, 'ffffffff'));
        const { status, stdout } = await runToEnd([...soc.command(simulator), '+novcd', `+program=${file}`], scratch);
        assert.equal(status, 2);
        assert.match(stdout, /^trap: cause 2 at [0-9A-F]{8} value FFFFFFFF$/m);
      });
    });
  }

  it('prints the same on both simulators', async () => {
    const plusargs = ['+novcd', '+init=3', '+work=2', '+seed=5'];
    const [icarus, verilator] = await Promise.all(
      simulators.map((simulator) => runToEnd([...soc.command(simulator), ...plusargs], scratch)),
    );
    assert.deepEqual(consoleLines(icarus?.stdout ?? ''), consoleLines(verilator?.stdout ?? ''));
  });

  it('is not built again when nothing changed', async () => {
    const { status, stdout } = await soc.make('-q', 'icarus', 'verilator', 'reference');
    assert.equal(status, 0, stdout);
  });

  it('comes with the program that its sources give', async (test) => {
    const compiler = await runToEnd(['riscv64-unknown-elf-gcc', '-dumpfullversion'], scratch).catch(() => undefined);
    if (compiler?.stdout.trim() !== '12.2.0') {
      test.skip('needs gcc-riscv64-unknown-elf 12.2.0: another version may compile otherwise');
      return;
    }
    const rebuilt = join(scratch, 'program.hex');
    const { status, stderr } = await soc.make('program', `HEX=${rebuilt}`);
    assert.equal(status, 0, stderr);
    assert.equal(readFileSync(rebuilt, 'latin1'), readFileSync(program, 'latin1'));
  });
});
