/**
 * Simulations that were started without Cairn and attached on their way: the run that goes on, and a restart from a snapshot of it,
 * print what an uninterrupted run prints, and write its waveform.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { build, icarus, icarusFst, type Simulation, uninterrupted, verilator } from './simulation.js';

const SLOW = 180;

before(build, { timeout: 300_000 });

/** Otherwise it would be over before the command has begun, on a fast machine or on one where commands begin slowly. */
function longer(simulation: Simulation, init: number, work: number): Simulation {
  const command = simulation.command.filter((word) => !word.startsWith('+'));
  return { ...simulation, command: [...command, `+init=${init}`, `+work=${work}`] };
}

for (const simulation of [longer(icarus, 16, 12), longer(icarusFst, 16, 12), longer(verilator, 240, 60)]) {
  test(`attached: ${simulation.name}`, { timeout: 600_000 }, async () => {
    const scratch = new Scratch();
    try {
      const reference = await uninterrupted(simulation, scratch);
      const cwd = scratch.makeFolder(join(scratch.work, 'run'));
      const program = scratch.start(simulation.command, { cwd, env: simulation.env });
      await program.line(/^RISC-V SoC/, 60);
      await scratch.json(['attach', String(program.pid), '--session', 'sim']);
      const { snapshot } = await scratch.checkpoint('sim');
      assert.equal(await program.exit(SLOW), reference.status, program.transcript());
      assert.equal(program.stdout, reference.console, 'what the run that went on printed');
      assert.ok(
        simulation.read(join(cwd, simulation.waveform)).equals(reference.waveform),
        'the waveform of the run that went on',
      );
      const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'again'], { cwd: scratch.folder });
      assert.equal(await restarted.exit(SLOW), reference.status, restarted.transcript());
      assert.ok(reference.console.endsWith(restarted.stdout), `the restart printed something else\n${restarted.transcript()}`);
      const file = scratch.runFile(restarted, simulation.waveform);
      assert.ok(simulation.read(file).equals(reference.waveform), `the waveform ${file}`);
    } finally {
      await scratch.close();
    }
  });
}
