/**
 * Upsets that are sampled over all registers of the SoC come to what they come to in a run from reset in which a test bench of this test's own
 * makes them, which knows nothing of Cairn: in Verilog on Icarus, in C++ on Verilator. CAIRN_FAULTS says how many (default 24).
 * Other models do what they say, and what cannot be done is said.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';
import { waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { folder, make, restart, runAll, spanOf, steady } from './campaigns.js';
import { runToEnd, Soc } from './soc.js';

const COUNT = Number(process.env['CAIRN_FAULTS'] ?? 24);
const soc = new Soc(inTree('build/test/soc'));
const rtl = inTree('examples/riscv-soc');
const hex = join(rtl, 'sw/program.hex');

/** Below the SoC. */
const registers = (
  'core.state core.pc core.regs core.bus_addr core.bus_wdata core.bus_wstrb core.mem_load core.mem_funct3 ' +
  'core.mem_rd core.mstatus_mie core.mstatus_mpie core.mie_mtie core.mtvec core.mepc core.mcause core.mtval ' +
  'core.mscratch core.mcycle core.minstret timer.prescaler timer.mtime timer.mtimecmp uart.divisor uart.countdown ' +
  'uart.shift uart.bits_left simctl.exit_valid simctl.exit_status'
).split(' ');

interface Simulator {
  name: string;
  scope: string;
  command: string[];
  until: string;
  /** Ticks after the restart. */
  last: number;
  /** Builds a test bench that makes these faults, by their numbers; gives the command, to which +fault=N and +at=TIME are added. */
  bench(faults: readonly Place[]): Promise<string[]>;
}

interface Place {
  /** Below the SoC, with the index of a memory's word. */
  signal: string;
  bit: number;
}

const sources = async (): Promise<string[]> => {
  const { stdout } = await runToEnd(
    ['sh', '-c', `ls ${rtl}/rtl/*.v ${rtl}/tb/board.v ${rtl}/tb/monitor.v ${rtl}/tb/terminal.v`],
    folder,
  );
  return stdout.trim().split('\n');
};

// At the end: a sum over registers and memory, and when that was.
const verilogBench = (faults: readonly Place[]): string => `
\`timescale 1ns / 1ns
module bench;
  integer fault, i;
  reg [63:0] at;
  reg flag;
  reg [31:0] sum;
  // Memory that nobody has written.
  function [31:0] known(input [31:0] word);
    known = ^word === 1'bx ? 32'h12345678 : word;
  endfunction
  initial begin
    flag = 0;
    if (!$value$plusargs("fault=%d", fault)) fault = -1;
    if (!$value$plusargs("at=%d", at)) at = 0;
    if (fault >= 0) begin
      #(at);
      // Behind all non-blocking assignments of this time step.
      flag <= 1; @(flag); flag <= 0; @(flag);
      case (fault)
${faults.map(({ signal, bit }, index) => `        ${index}: ${flipped(`tb.board.soc.${signal}`, bit)};`).join('\n')}
      endcase
    end
  end
  always @(posedge tb.board.soc.exit_valid) begin
    sum = 0;
    for (i = 0; i < 32; i = i + 1) sum = {sum[30:0], sum[31]} ^ known(tb.board.soc.core.regs[i]);
    for (i = 0; i < 8192; i = i + 1) sum = {sum[30:0], sum[31]} ^ known(tb.board.soc.ram.mem[i]);
    $display("bench %h %0d", sum, $time);
  end
endmodule
`;

/** One-bit registers have no range. */
const oneBit = /\.(state|mem_load|mstatus_mie|mstatus_mpie|mie_mtie|exit_valid)$/;
const flipped = (signal: string, bit: number): string => {
  const place = oneBit.test(signal) ? signal : `${signal}[${bit}]`;
  return `${place} = ~${place}`;
};

const member = (signal: string): string => `r->board__DOT__soc__DOT__${signal.replaceAll('.', '__DOT__')}`;

const cppBench = (faults: readonly Place[]): string => `
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "Vboard.h"
#include "Vboard___024root.h"
#include "verilated.h"
static void flip(Vboard___024root* r, long fault) {
  switch (fault) {
${faults.map(({ signal, bit }, index) => `    case ${index}: ${member(signal)} ^= decltype(+${member(signal)})(1) << ${bit}; break;`).join('\n')}
  }
}
int main(int argc, char** argv) {
  VerilatedContext context;
  context.commandArgs(argc, argv);
  long fault = -1, limit = 0;
  vluint64_t at = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::strncmp(argv[i], "+fault=", 7)) fault = std::atol(argv[i] + 7);
    if (!std::strncmp(argv[i], "+at=", 4)) at = std::strtoull(argv[i] + 4, nullptr, 10);
    if (!std::strncmp(argv[i], "+maxcycles=", 11)) limit = std::atol(argv[i] + 11);
  }
  Vboard board(&context);
  Vboard___024root* r = board.rootp;
  board.rst = 1;
  board.clk = 0;
  board.eval();
  for (long cycle = 0; !board.exit_valid; ++cycle) {
    if (cycle >= limit) {
      std::puts("error: too long");
      return 3;
    }
    for (int clk = 1; clk >= 0; --clk) {
      context.timeInc(5);
      if (clk) board.rst = context.time() < 42;
      board.clk = clk;
      board.eval();
      if (fault < 0 || context.time() != at) continue;
      flip(r, fault);
      board.eval();
    }
  }
  unsigned sum = 0;
  for (int i = 0; i < 32; ++i) sum = (sum << 1 | sum >> 31) ^ r->board__DOT__soc__DOT__core__DOT__regs[i];
  for (int i = 0; i < 8192; ++i) sum = (sum << 1 | sum >> 31) ^ r->board__DOT__soc__DOT__ram__DOT__mem[i];
  std::printf("bench %08x %llu\\n", sum, static_cast<unsigned long long>(context.time()));
  return board.exit_status;
}
`;

const icarusArguments = ['+novcd', '+init=1', '+work=3', '+maxcycles=150000'];
const verilatorArguments = ['+novcd', '+init=8', '+work=150', '+maxcycles=6000000'];

const simulators: Simulator[] = [
  {
    name: 'Icarus',
    scope: 'tb.board.soc',
    command: [...soc.command('Icarus'), ...icarusArguments],
    until: '^init=',
    last: 300_000,
    async bench(faults) {
      writeFileSync(join(folder, 'bench.v'), verilogBench(faults));
      const all = [...(await sources()), join(rtl, 'tb/tb.v'), 'bench.v'];
      await make(
        'iverilog',
        '-g2005',
        '-DINIT=1',
        '-DWORK=1',
        `-DPROGRAM="${hex}"`,
        '-s',
        'tb',
        '-s',
        'bench',
        '-o',
        'bench.vvp',
        ...all,
      );
      return ['vvp', 'bench.vvp', ...icarusArguments];
    },
  },
  {
    name: 'Verilator',
    scope: 'TOP.board.soc',
    command: [join(soc.build, 'faults/soc'), ...verilatorArguments],
    until: '^init=',
    last: 3_000_000,
    async bench(faults) {
      writeFileSync(join(folder, 'bench.cpp'), cppBench(faults));
      const options = [
        '--cc',
        '--exe',
        '--build',
        '-O3',
        '--public-flat-rw',
        '-Wno-fatal',
        `-DPROGRAM="${hex}"`,
        '--top-module',
        'board',
      ];
      const more = ['-CFLAGS', '-O2', '-Mdir', 'bench', '-o', 'bench'];
      await make('verilator', ...options, ...more, ...(await sources()), join(folder, 'bench.cpp'));
      return [join(folder, 'bench/bench'), ...verilatorArguments];
    },
  },
];

before(async () => {
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = await soc.make('icarus', 'faults');
  assert.equal(status, 0, stderr);
  const source = inTree('test/simulators/sources/models.v');
  await make('iverilog', '-g2005', '-o', 'models.vvp', source);
  await make('verilator', '--binary', '-Wno-fatal', '--vpi', '--public-flat-rw', '-GLAST=3000000', '--Mdir', 'models', source);
});

function campaign(scratch: Scratch, name: string, { scope, command, until }: Simulator, more: Record<string, unknown>): string {
  const file = join(scratch.work, `${name}.yaml`);
  const whole = {
    snapshot: 'begun',
    store: scratch.store,
    prepare: { command, until },
    observe: { signals: [`${scope}.core.regs*`, `${scope}.ram.mem*`] },
    hang: { status: [3] },
    ...more,
  };
  writeFileSync(file, JSON.stringify(whole));
  return file;
}

/** What becomes of the models of sources/models.v: that many clocks have seen the bit otherwise, itself and by the net; or what is said. */
interface Model {
  signals: Record<string, unknown>;
  flips?: [string, string];
  injection?: string;
}

const modelsOf = (scope: string, onNet: Pick<Model, 'flips' | 'injection'>): Record<string, Model> => {
  const common = { targets: [`${scope}.stead?`], times: [1000] };
  return {
    upset: { signals: { ...common, model: 'upset' }, flips: ['1', '1'] },
    transient: { signals: { ...common, model: 'transient', duration: 100 }, flips: ['10', '10'] },
    intermittent: { signals: { ...common, model: 'intermittent', period: 100, on: 30, duration: 1000 }, flips: ['30', '30'] },
    'stuck-1': { signals: { ...common, model: 'stuckAt', values: [1] }, flips: ['\\d{5,}', '\\d{5,}'] },
    'stuck-0': { signals: { ...common, model: 'stuckAt', values: [0] }, injection: 'unchanged' },
    bridge: { signals: { ...common, model: 'bridge', from: `${scope}.other` }, flips: ['\\d{5,}', '\\d{5,}'] },
    'bridge-and': { signals: { ...common, model: 'bridge', from: `${scope}.other`, kind: 'and' }, injection: 'unchanged' },
    net: { signals: { ...common, model: 'transient', targets: [`${scope}.ne?`], duration: 100 }, ...onNet },
  };
};

interface Seen {
  status: number;
  lines: string[];
  sum: string;
  time: string;
}

async function seen(command: readonly string[]): Promise<Seen> {
  const { status, stdout } = await runToEnd(command, folder);
  const lines = stdout.trimEnd().split('\n');
  const [, sum = '', time = ''] = lines.find((line) => line.startsWith('bench '))?.split(' ') ?? [];
  return { status, lines: lines.filter((line) => !line.startsWith('bench ')), sum, time };
}

function outcomeOf(golden: Seen, { status, lines, sum, time }: Seen): Run['outcome'] {
  if (status !== 0) return status === 3 ? 'hang' : 'trap';
  if (lines.join('\n') !== golden.lines.join('\n')) return 'silentDataCorruption';
  if (time !== golden.time) return 'timing';
  return sum === golden.sum ? 'masked' : 'latent';
}

const place = (run: Run, scope: string): Place => {
  const [, signal = '', bit] = /^upset of (\S+) bit (\d+) after \d+$/.exec(run.fault) ?? [];
  assert.ok(signal.startsWith(`${scope}.`), run.fault);
  return { signal: signal.slice(scope.length + 1), bit: Number(bit) };
};

const upsets = ({ scope, last }: Simulator): Record<string, unknown> => ({
  name: 'upsets',
  signals: {
    model: 'upset',
    // Without a wildcard a name would also be a part of others'.
    targets: registers.map((name) => `${scope}.${name.slice(0, -1)}?`),
    times: { from: 0, to: last, step: 5 },
  },
});

for (const simulator of simulators)
  test(`${simulator.name}: each of ${COUNT} upsets comes to what it comes to in a run from reset`, () =>
    withScratch(async (scratch) => {
      const models = [upsets(simulator)];
      const file = campaign(scratch, 'upsets', simulator, { models, sample: COUNT, seed: 7 });
      const runs = await runAll(scratch, file);
      assert.equal(runs.length, COUNT);
      const { begin } = spanOf(scratch, 'upsets');
      const command = await simulator.bench(runs.map((run) => place(run, simulator.scope)));
      const golden = await seen(command);
      assert.equal(golden.status, 0);
      assert.match(golden.sum, /^[0-9a-f]{8}$/);
      for (const run of runs) {
        const after = Number(/after (\d+)$/.exec(run.fault)?.[1]);
        assert.deepEqual([run.effective, run.injectedAt], [true, after], JSON.stringify(run));
        const other = await seen([...command, `+fault=${run.number}`, `+at=${begin + after}`]);
        assert.equal(run.outcome, outcomeOf(golden, other), `${JSON.stringify(run)}\n${JSON.stringify(other)}`);
      }
    }));

test('the same seed gives the same faults and outcomes, on one worker or two', () =>
  withScratch(async (scratch) => {
    const [, simulator] = simulators;
    assert.ok(simulator);
    const some = { models: [upsets(simulator)], sample: 6, seed: 3 };
    const same = (runs: readonly Run[]): unknown[] => runs.map((run) => ({ ...run, elapsedMs: 0, finishedAt: '' }));
    const one = await runAll(scratch, campaign(scratch, 'one', simulator, some), '--workers', '1');
    const two = await runAll(scratch, campaign(scratch, 'two', simulator, some), '--workers', '2');
    assert.deepEqual(same(one), same(two));
  }));

for (const [name, scope, command, onNet] of [
  ['Icarus', 'models', ['vvp', join(folder, 'models.vvp')], { flips: ['0', '10'] }],
  // Its models drive anew what is no register.
  ['Verilator', 'TOP.models', [join(folder, 'models/Vmodels')], { injection: 'overwritten' }],
] as const)
  test(`${name}: each model does what it says`, () =>
    withScratch(async (scratch) => {
      const models = modelsOf(scope, onNet as Pick<Model, 'flips' | 'injection'>);
      const file = join(scratch.work, 'models.yaml');
      const whole = {
        snapshot: 'ready',
        store: scratch.store,
        prepare: { command, until: '^ready' },
        models: Object.entries(models).map(([model, { signals }]) => ({ name: model, signals })),
        observe: { ignore: ['\\$finish called'] },
      };
      writeFileSync(file, JSON.stringify(whole));
      const runs = await runAll(scratch, file);
      assert.equal(runs.length, Object.keys(models).length);
      for (const run of runs) {
        const { flips, injection } = models[run.model] ?? assert.fail(run.model);
        if (flips === undefined) assert.deepEqual([run.outcome, run.injection], ['masked', injection], JSON.stringify(run));
        else {
          assert.deepEqual([run.outcome, run.injection], ['silentDataCorruption', 'effective'], JSON.stringify(run));
          assert.match(run.deviation, new RegExp(`"flips ${flips[0]} ${flips[1]}" instead of "flips 0 0"`), run.model);
        }
      }
    }));

test('a simulation that a shell has started, which is stripped, gets its faults', () =>
  withScratch(async (scratch) => {
    const command = ['sh', '-c', `vvp ${join(folder, 'models.vvp')}; true`];
    const signals = { model: 'upset', targets: ['models.stead?'], times: [1000] };
    const [run, ...others] = await runAll(scratch, steady(scratch, command, { models: [{ name: 'upset', signals }] }));
    assert.deepEqual([run?.injection, others.length], ['effective', 0], JSON.stringify(run));
    assert.match(run?.deviation ?? '', /"flips 1 1" instead of "flips 0 0"/);
  }));

test('Icarus: a bridge to its own inverse does not keep the time step from ending', () =>
  withScratch(async (scratch) => {
    const signals = { model: 'upset', targets: ['models.stead?'], times: [1000] };
    const command = ['vvp', join(folder, 'models.vvp')];
    await runAll(scratch, steady(scratch, command, { models: [{ name: 'upset', signals }] }));
    const settings = join(scratch.work, 'ring.json');
    const bridge = { model: 'bridge', kind: 'dominant', signal: 'models.steady', from: 'models.inverse' };
    const fault = { ...bridge, duration: 100, when: { after: 1000 } };
    writeFileSync(settings, JSON.stringify({ faults: [fault] }));
    assert.match(await restart(scratch, 'ready', '--plugin', `fault-signals=${settings}`), /^flips \d+ \d+$/m);
  }));

test('Icarus: the faults of a snapshot that is restarted without their plugin end', () =>
  withScratch(async (scratch) => {
    const at = (session: string, command: string, ...args: string[]) => scratch.cairn([command, '--session', session, ...args]);
    const does = async (session: string, command: string, ...args: string[]): Promise<void> => {
      const { status, stderr } = await at(session, command, ...args);
      assert.equal(status, 0, stderr);
    };
    const isSteady = (session: string, value: number) =>
      waitFor(
        `models.steady to be ${value}`,
        async () => new RegExp(`1'b${value}\\b`).test((await at(session, 'signals', 'models.stead?', '--json')).stdout),
        60,
      );
    const settings = join(scratch.work, 'stuck.json');
    writeFileSync(settings, JSON.stringify({ faults: [{ model: 'stuckAt', signal: 'models.steady', value: 1 }] }));
    const source = inTree('test/simulators/sources/models.v');
    await make('iverilog', '-g2005', '-Pmodels.LAST=2000000000', '-o', 'long.vvp', source);
    try {
      await does('design', 'run', '--detach', '--', 'vvp', join(folder, 'long.vvp'));
      await isSteady('design', 0);
      await does('design', 'checkpoint', '--name', 'ready');
      await does('design', 'stop');
      scratch.cairnProgram(['restart', 'ready', '--session', 'stuck', '--plugin', `fault-signals=${settings}`]);
      await isSteady('stuck', 1);
      await does('stuck', 'checkpoint', '--name', 'stuck');
      await does('stuck', 'stop');
      scratch.cairnProgram(['restart', 'stuck', '--session', 'free', '--without', 'fault-signals']);
      await isSteady('free', 0);
    } finally {
      for (const session of ['design', 'stuck', 'free']) await at(session, 'stop');
    }
  }));
