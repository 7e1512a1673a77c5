/** When the rates of a campaign are known well enough. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stopping } from '../../debug-adapter/src/model/early-stop.js';
import { FaultSpace } from '../../debug-adapter/src/model/fault-space.js';
import { sameFaults } from '../../debug-adapter/src/model/same-faults.js';
import { shuffled, wilson } from '../../debug-adapter/src/model/statistics.js';
import { EarlyStop, FaultModel, type Outcome } from '../../debug-adapter/src/protocol/campaign.js';

const POPULATION = 1_000_000;
const outcomeOf = (number: number): Outcome => (number % 5 === 0 ? 'hang' : 'masked');

/** After how many runs of that order. */
function after(stop: Partial<EarlyStop>, outcomes: Iterable<Outcome>): number {
  const stopping = new Stopping(EarlyStop.parse({ margin: 0.05, ...stop }), 0.95, POPULATION);
  for (const outcome of outcomes) {
    stopping.add(outcome);
    if (stopping.enough) break;
  }
  return stopping.enough ? stopping.runs : -1;
}

test('the first moment at which each of the intervals meant is narrow enough', () => {
  const outcomes = Array.from({ length: 2000 }, (_, number) => outcomeOf(number));
  const width = (runs: number): number => {
    const { low, high } = wilson(outcomes.slice(0, runs).filter((one) => one === 'hang').length, runs, 0.95, POPULATION);
    return (high - low) / 2;
  };
  const found = after({ outcomes: ['hang'] }, outcomes);
  assert.ok(width(found) <= 0.05 && width(found - 1) > 0.05, `${found}: ${width(found - 1)}, ${width(found)}`);
  // Of all: the widest is that of the two that there are.
  assert.equal(after({}, outcomes), found);
  // A rate that is 0 is known sooner, but not before so many runs are made.
  assert.equal(after({ outcomes: ['crash'], margin: 0.1 }, outcomes), 100);
  assert.equal(after({ outcomes: ['crash'], margin: 0.1, atLeast: 150 }, outcomes), 150);
  assert.equal(after({ margin: 0.001 }, outcomes), -1);
});

test('what could not be made says nothing', () => {
  const outcomes: Outcome[] = Array.from({ length: 400 }, (_, at) => (at % 2 === 0 ? 'toolError' : 'masked'));
  assert.equal(after({ outcomes: ['crash'], margin: 0.1 }, outcomes), 200);
});

test('faults that are the same are known, the first in the order for all of them', () => {
  const calls = (name: string, flips: string[]): FaultModel =>
    FaultModel.parse({
      name,
      calls: { function: 'read', calls: { last: 3 }, effects: flips.map((flip) => ({ output: { argument: 2, flip } })) },
    });
  const same = (...models: FaultModel[]): Map<number, number> => {
    const space = new FaultSpace({ models });
    const all = Array.from({ length: space.size }, (_, index) => index);
    const order = shuffled(space.size, 1);
    const found = sameFaults({ models }, space, all, order);
    for (const [number, first] of found) {
      assert.ok(order.indexOf(first) < order.indexOf(number));
      assert.deepEqual(space.at(number).settings, space.at(first).settings);
    }
    return found;
  };
  assert.equal(same(calls('a', ['01', '02'])).size, 0);
  assert.equal(same(calls('a', ['01', '02']), calls('b', ['02', '03'])).size, 3);
  // Also where one list has it twice.
  assert.equal(same(calls('a', ['01', '01'])).size, 3);
});
