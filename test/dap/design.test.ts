/** The hierarchy as variables: what of a large design is asked for, and by what names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ask } from '../../debug-adapter/src/dap/design.js';
import { Variables } from '../../debug-adapter/src/dap/variables.js';
import { CairnError, failure } from '../../debug-adapter/src/protocol/errors.js';
import type { DesignSignal } from '../../debug-adapter/src/protocol/signals.js';

const SIGNALS = 100_000;
const time = { ticks: '1500', unit: -9 };
const facts = { virtualPid: 7, program: 'vvp', simulator: 'icarus', time };
const bit = (name: string): DesignSignal => ({ name, kind: 'reg', width: 1, range: null, value: "1'b0" });
const memory: DesignSignal = { name: 'top.m', kind: 'memory', width: 8, range: { left: 0, right: 299 }, value: null };

interface Asked {
  scope?: string;
  offset?: number;
  limit?: number;
  names?: string[];
  writes?: { name: string }[];
}

/** `top` has one scope with 100,000 signals and a memory; an answer has room for 3,000. */
function design(): { ask: Ask; asked: unknown[] } {
  const asked: unknown[] = [];
  const page = <T>(all: T[], offset: number, limit: number): T[] => all.slice(offset, offset + Math.min(limit, 3000));
  const answer = (method: string, params: Asked): unknown => {
    const { scope = '', offset = 0, limit = 200, names = [], writes = [] } = params;
    if (method === 'session/scope' && scope === '')
      return {
        ...facts,
        total: { scopes: 1, signals: 0 },
        scopes: [{ name: 'top', scopes: 1, signals: 1, module: 'board' }],
        signals: [],
        next: null,
      };
    if (method === 'session/scope' && scope === 'top') {
      const inner = { name: 'top.big', scopes: 0, signals: SIGNALS, module: '' };
      const both = page<unknown>([inner, memory], offset, limit);
      return {
        ...facts,
        total: { scopes: 1, signals: 1 },
        scopes: both.filter((one) => one === inner),
        signals: both.filter((one) => one !== inner),
        next: null,
      };
    }
    if (method === 'session/scope' && scope === 'top.big') {
      const all = Array.from({ length: Math.min(limit, 3000, SIGNALS - offset) }, (_, at) => bit(`top.big.s${offset + at}`));
      return { ...facts, total: { scopes: 0, signals: SIGNALS }, scopes: [], signals: all, next: null };
    }
    if (method === 'session/scope' && scope === 'top.m') {
      const words = Array.from({ length: limit }, (_, at) => bit(`top.m[${offset + at}]`));
      return { ...facts, total: { scopes: 0, signals: 300 }, scopes: [], signals: words, next: null };
    }
    if (method === 'session/readSignals')
      return { ...facts, signals: names[0] === 'top.big.s5' ? [bit('top.big.s5')] : [], missing: [] };
    if (method === 'session/writeSignals') {
      const name = writes[0]?.name;
      const outcome = name === 'top.big.s5' ? 'effective' : 'impossible';
      return {
        ...facts,
        written: [{ name, outcome, before: "1'b0", after: "1'b1", why: outcome === 'effective' ? '' : 'it is a memory' }],
      };
    }
    throw failure('noSuchSignal', { name: scope });
  };
  const ask = ((method: string, params: object) => {
    asked.push({ method, ...params });
    return Promise.resolve().then(() => answer(method, params as Asked));
  }) as Ask;
  return { ask, asked };
}

async function opened(): Promise<{ variables: Variables; asked: unknown[]; top: number; big: number; memoryOf: number }> {
  const { ask, asked } = design();
  const variables = new Variables(() => Promise.resolve([]), ask);
  const scope = variables.scopes(7).find(({ name }) => name === 'Signals') ?? assert.fail();
  assert.ok(scope.expensive);
  const [now, top] = (await variables.children(scope.variablesReference)) ?? [];
  assert.deepEqual(
    [now?.name, now?.value, top?.name, top?.value],
    ['simulated time', '1.5 µs', 'top', 'board: 1 scope, 1 signal'],
  );
  const [big, m] = (await variables.children(top?.variablesReference ?? 0)) ?? [];
  assert.deepEqual([big?.name, big?.namedVariables, big?.indexedVariables], ['big', 0, SIGNALS]);
  assert.deepEqual([m?.name, m?.value, m?.indexedVariables], ['m', '300 words of 8 bits', 300]);
  asked.length = 0;
  return {
    variables,
    asked,
    top: top?.variablesReference ?? 0,
    big: big?.variablesReference ?? 0,
    memoryOf: m?.variablesReference ?? 0,
  };
}

test('of a scope of 100,000 signals a page is asked for and no more', async () => {
  const { variables, asked, big } = await opened();
  const page = await variables.children(big, { filter: 'indexed', start: 77_700, count: 100 });
  assert.deepEqual(asked, [{ method: 'session/scope', virtualPid: 7, scope: 'top.big', offset: 77_700, limit: 100 }]);
  assert.equal(page?.length, 100);
  assert.deepEqual(page?.[1], {
    name: 's77701',
    type: 'reg',
    evaluateName: 'top.big.s77701',
    value: "1'b0",
    variablesReference: 0,
    __vscodeVariableMenuContext: 'cairnSignal',
  });
  assert.deepEqual(await variables.children(big, { filter: 'named' }), []);
});

test('a client that knows no pages gets all, in as many answers as it takes', async () => {
  const { variables, asked, big } = await opened();
  assert.equal((await variables.children(big))?.length, SIGNALS);
  assert.equal(asked.length, Math.ceil(SIGNALS / 3000));
});

test('of a scope the scopes are named and the signals indexed; words of a memory have its name in front', async () => {
  const { variables, top, memoryOf } = await opened();
  const names = async (filter: 'named' | 'indexed'): Promise<string[]> =>
    ((await variables.children(top, { filter, start: 0, count: 100 })) ?? []).map(({ name }) => name);
  assert.deepEqual([await names('named'), await names('indexed')], [['big'], ['m']]);
  const words = await variables.children(memoryOf, { filter: 'indexed', start: 200, count: 2 });
  assert.deepEqual(
    words?.map(({ name, evaluateName }) => [name, evaluateName]),
    [
      ['[200]', 'top.m[200]'],
      ['[201]', 'top.m[201]'],
    ],
  );
  const place = variables.place(memoryOf) ?? assert.fail();
  assert.equal(variables.design.nameOf(place, '[200]'), 'top.m[200]');
  assert.equal(variables.design.nameOf(place, '[3]'), 'top.m[3]');
});

test('an expression is a signal or a scope; only the debug console writes', async () => {
  const { variables } = await opened();
  const { design } = variables;
  assert.equal((await design.evaluate(' top.big.s5 ', false)).result, "1'b0");
  assert.equal((await design.evaluate('top.big.s5', true)).result, "1'b0  at 1.5 µs");
  assert.equal((await design.evaluate('top.big', false)).indexedVariables, SIGNALS);
  assert.equal((await design.evaluate('force top.big.s5 = 1', true)).result, "1'b1");
  const fails = (work: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(work, (error) => error instanceof CairnError && error.code === code);
  await fails(design.evaluate('top.big.s5 = 1', false), 'noSuchSignal');
  await fails(design.evaluate('top.m = 1', true), 'signalNotWritten');
  await fails(design.evaluate('a + b', true), 'noSuchSignal');
});

test('a process that is no simulation says what is missing', async () => {
  const ask = (() => Promise.reject(failure('noSignals', { pid: 7, program: 'sh', why: 'it has no VPI' }))) as Ask;
  const variables = new Variables(() => Promise.resolve([]), ask);
  const scope = variables.scopes(7).find(({ name }) => name === 'Signals') ?? assert.fail();
  const [only, ...others] = (await variables.children(scope.variablesReference)) ?? [];
  assert.equal(others.length, 0);
  assert.match(only?.value ?? '', /it has no VPI.*README/);
});
