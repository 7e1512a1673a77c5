/** Design signals by the debug adapter, of real simulations: variables, evaluation, values that are set, data breakpoints. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { buildDesign, simulators, within } from '../simulators/design.js';
import { waitFor } from '../support/processes.js';
import type { Scratch } from '../support/scratch.js';
import { Adapter } from './adapter.js';

before(buildDesign);

type Variable = DebugProtocol.Variable;
const all = { Icarus: simulators.Icarus, Verilator: simulators.Verilator };

async function children(adapter: Adapter, variablesReference: number, page: object = {}): Promise<Variable[]> {
  return (await adapter.ask<{ variables: Variable[] }>('variables', { variablesReference, ...page })).variables;
}

const named = (variables: readonly Variable[], name: string): Variable =>
  variables.find((one) => one.name === name) ??
  assert.fail(`${name} is not among ${variables.map((one) => one.name).join(', ')}`);

/** The variables of the module, opened down from the scope. */
async function moduleOf(adapter: Adapter, path: string): Promise<{ reference: number; time: string; variables: Variable[] }> {
  const { threads } = await adapter.ask<{ threads: DebugProtocol.Thread[] }>('threads');
  const { scopes } = await adapter.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', { frameId: threads[0]?.id });
  const signals = scopes.find(({ name }) => name === 'Signals') ?? assert.fail();
  const top = await children(adapter, signals.variablesReference);
  const time = named(top, 'simulated time').value;
  const reference = named(top, path).variablesReference;
  return { reference, time, variables: await children(adapter, reference) };
}

async function session(scratch: Scratch, work: (adapter: Adapter) => Promise<void>): Promise<void> {
  const adapter = await new Adapter(scratch).start();
  try {
    await work(adapter);
    await adapter.ask('disconnect', { terminateDebuggee: true });
  } finally {
    await adapter.stop();
  }
}

const launch = (adapter: Adapter, { command: [program, ...args] }: { command: string[] }): Promise<unknown> =>
  adapter.ask('launch', { program, args, session: 'design' });

for (const [name, simulator] of Object.entries(all)) {
  test(`${name}: a held design is looked at, changed, and goes on so`, async () => {
    await within((scratch) =>
      session(scratch, async (adapter) => {
        await launch(adapter, simulator);
        // Not before it has begun: it could not be looked at.
        const begun = (): Promise<true | undefined> =>
          adapter.ask('evaluate', { expression: `${simulator.scope}.count`, context: 'watch' }).then(
            () => true,
            () => undefined,
          );
        await waitFor('the simulation', begun);
        await adapter.ask('pause', { threadId: 1 });
        await adapter.event('stopped');
        const { reference, variables } = await moduleOf(adapter, simulator.scope);
        const kept = named(variables, 'kept');
        assert.deepEqual([kept.value, kept.type, kept.evaluateName], ["32'h12345678", 'reg [31:0]', `${simulator.scope}.kept`]);
        const memory = named(variables, 'memory');
        const [word] = await children(adapter, memory.variablesReference, { filter: 'indexed', start: 3, count: 1 });
        assert.deepEqual([word?.name, word?.value], ['[3]', "8'h13"]);
        const set = await adapter.ask<{ value: string }>('setVariable', {
          variablesReference: reference,
          name: 'kept',
          value: "'hcafe",
        });
        assert.equal(set.value, "32'h0000cafe");
        const inMemory = { variablesReference: memory.variablesReference, name: '[3]', value: '7' };
        assert.equal((await adapter.ask<{ value: string }>('setVariable', inMemory)).value, "8'h07");
        await adapter.event('invalidated');
        const evaluated = (expression: string, context: string): Promise<{ result: string }> =>
          adapter.ask('evaluate', { expression, context });
        assert.equal((await evaluated(`${simulator.scope}.kept`, 'watch')).result, "32'h0000cafe");
        assert.equal((await evaluated(`${simulator.scope}.memory[3]`, 'hover')).result, "8'h07");
        assert.match((await evaluated('*kept', 'repl')).result, /\.kept = 32'h0000cafe/);
        await evaluated(`${simulator.scope}.kept = 5`, 'repl');
        assert.equal((await evaluated(`${simulator.scope}.kept`, 'watch')).result, "32'h00000005");
        assert.match((await adapter.refusal('evaluate', { expression: 'no.such', context: 'watch' })).text, /no signal no\.such/);
        const refused = await adapter.refusal('setVariable', { variablesReference: reference, name: 'kept', value: 'much' });
        assert.match(refused.text, /is no value/);
        assert.equal(adapter.events('continued').length, 0, 'it is held throughout');
        await adapter.ask('continue', { threadId: 1 });
        await adapter.event('continued');
        assert.equal((await evaluated(`${simulator.scope}.kept`, 'watch')).result, "32'h00000005");
      }),
    );
  });

  test(`${name}: a data breakpoint stops it at the change, and at a value`, async () => {
    await within((scratch) =>
      session(scratch, async (adapter) => {
        const signal = `${simulator.scope}.count`;
        const set = async (...breakpoints: object[]): Promise<DebugProtocol.Breakpoint[]> =>
          (await adapter.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>('setDataBreakpoints', { breakpoints })).breakpoints;
        // Set before there is a simulation: it is told when there is one.
        const [early] = await set({ dataId: signal, condition: '== 300' });
        assert.equal(early?.verified, false);
        await launch(adapter, simulator);
        const { breakpoint } = await adapter.event<{ breakpoint: DebugProtocol.Breakpoint }>('breakpoint');
        assert.deepEqual([breakpoint.id, breakpoint.verified], [early?.id, true]);
        const stopped = await adapter.event<DebugProtocol.StoppedEvent['body']>('stopped');
        assert.deepEqual([stopped.reason, stopped.hitBreakpointIds], ['data breakpoint', [early?.id]]);
        assert.match(stopped.description ?? '', /count: 16'h012b → 16'h012c$/);
        const { variables, reference } = await moduleOf(adapter, simulator.scope);
        assert.equal(named(variables, 'count').value, "16'h012c");
        const info = await adapter.ask<{ dataId: string | null }>('dataBreakpointInfo', {
          variablesReference: reference,
          name: 'count',
        });
        assert.equal(info.dataId, signal);
        const none = await adapter.ask<{ dataId: string | null; description: string }>('dataBreakpointInfo', {
          name: 'nothing.here',
        });
        assert.deepEqual([none.dataId, /no signal/.test(none.description)], [null, true]);
        const changed = await set(
          { dataId: signal },
          { dataId: `${simulator.scope}.none` },
          { dataId: signal, condition: '> much' },
        );
        assert.deepEqual(
          changed.map(({ verified }) => verified),
          [true, false, false],
        );
        await adapter.ask('continue', { threadId: 1 });
        const next = await adapter.event<DebugProtocol.StoppedEvent['body']>('stopped', 1);
        assert.match(next.description ?? '', /16'h012c → 16'h012d$/);
        // Held there, it can be checkpointed.
        const { snapshot } = await adapter.ask<{ snapshot: string }>('cairnCheckpoint', { name: 'here', then: 'hold' });
        assert.match(snapshot, /^[0-9a-f]{12}$/);
        await set();
        await adapter.ask('continue', { threadId: 1 });
        await waitFor(
          'some cycles',
          async () =>
            (await adapter.ask<{ result: string }>('evaluate', { expression: signal, context: 'watch' })).result > "16'h0200",
        );
        assert.equal(adapter.events('stopped').length, 2);
      }),
    );
  });
}

test('in a script the simulations are told of data breakpoints, set, and looked at, each by itself', async () => {
  await within((scratch) =>
    session(scratch, async (adapter) => {
      const { command, scope } = simulators.Icarus;
      const signal = `${scope}.count`;
      const line = command.map((word) => `'${word}'`).join(' ');
      const set = async (...breakpoints: object[]): Promise<DebugProtocol.Breakpoint[]> =>
        (await adapter.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>('setDataBreakpoints', { breakpoints })).breakpoints;
      await set({ dataId: signal, condition: '== 500' });
      const go = join(scratch.work, 'go');
      execFileSync('mkfifo', [go]);
      const script = `${line} & read go < '${go}'; ${line} & wait`;
      await adapter.ask('launch', { program: '/bin/sh', args: ['-c', script], session: 'design' });
      const stopped = await adapter.event<DebugProtocol.StoppedEvent['body']>('stopped');
      assert.deepEqual([stopped.reason, stopped.hitBreakpointIds], ['data breakpoint', [100_000]]);
      await set();
      await adapter.ask('continue', { threadId: 1 });
      writeFileSync(go, 'go\n');
      const simulations = async (): Promise<DebugProtocol.Thread[]> =>
        (await adapter.ask<{ threads: DebugProtocol.Thread[] }>('threads')).threads.filter(({ name }) => name.startsWith('vvp'));
      await waitFor('two simulations', async () => (await simulations()).length === 2);
      const several = (): Promise<boolean> =>
        adapter.refusal('evaluate', { expression: signal, context: 'watch' }).then(
          ({ text }) => text.includes('Several processes are simulations'),
          () => false,
        );
      await waitFor('both can be asked', several);
      await adapter.ask('pause', { threadId: 1 });
      await adapter.event('stopped', 1);
      const [first, second] = await simulations();
      assert.ok(first && second);
      const of = async ({ id }: DebugProtocol.Thread): Promise<{ frameId: number; reference: number }> => {
        const { stackFrames } = await adapter.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', { threadId: id });
        const frameId = stackFrames[0]?.id ?? assert.fail();
        const { scopes } = await adapter.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', { frameId });
        const signals = scopes.find(({ name }) => name === 'Signals') ?? assert.fail();
        const top = await children(adapter, signals.variablesReference);
        const { variablesReference: reference } = named(top, scope);
        await children(adapter, reference);
        return { frameId, reference };
      };
      const [one, other] = [await of(first), await of(second)];
      const { virtualPid } = await adapter.ask<{ virtualPid: number }>('cairnProcess', { variablesReference: other.reference });
      assert.equal(virtualPid, second.id);
      const kept = async ({ frameId }: { frameId: number }, expression = `${scope}.kept`): Promise<string> =>
        (await adapter.ask<{ result: string }>('evaluate', { expression, context: 'repl', frameId })).result;
      await adapter.ask('setVariable', { variablesReference: one.reference, name: 'kept', value: '1' });
      await kept(other, `${scope}.kept = 2`);
      assert.match(await kept(one), /^32'h00000001 /);
      assert.match(await kept(other), /^32'h00000002 /);
      const info = async (reference: number): Promise<{ dataId: string; description: string; canPersist: boolean }> =>
        adapter.ask('dataBreakpointInfo', { variablesReference: reference, name: 'count' });
      const [here, there] = [await info(one.reference), await info(other.reference)];
      assert.notEqual(here.dataId, there.dataId);
      assert.deepEqual([there.description, there.canPersist], [`${signal} of process ${second.id}`, false]);
      assert.deepEqual(
        (await set({ dataId: there.dataId })).map(({ verified }) => verified),
        [true],
      );
      const before = await kept(other, signal);
      await adapter.ask('continue', { threadId: 1 });
      const held = await adapter.event<DebugProtocol.StoppedEvent['body']>('stopped', 2);
      assert.deepEqual(held.hitBreakpointIds, [100_000]);
      assert.ok(held.description?.includes(`${before.split(' ')[0]} →`), `${held.description} after ${before}`);
    }),
  );
});
