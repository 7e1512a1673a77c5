/** All faults of a campaign. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultSpace } from '../../debug-adapter/src/model/fault-space.js';
import type { FaultModel } from '../../debug-adapter/src/protocol/campaign.js';

const models: FaultModel[] = [
  {
    name: 'one',
    calls: { function: 'read', calls: { first: 3, last: 5 }, effects: [{ return: -1, errno: 'EIO' }, { flip: '0x1' }] },
  },
  { name: 'two', calls: { function: 'write', program: 'vvp', calls: { first: 1, last: 1 }, effects: [{ delayUs: 5 }] } },
];

test('each call of each model with each effect is one', () => {
  const space = new FaultSpace({ models });
  assert.equal(space.size, 7);
  const all = Array.from({ length: space.size }, (_, index) => space.at(index));
  assert.equal(new Set(all.map((one) => JSON.stringify(one))).size, 7);
  assert.deepEqual(all[0], {
    model: 'one',
    text: 'call 3 of read: return -1, errno EIO',
    plugin: 'fault-calls',
    settings: { faults: [{ function: 'read', return: -1, errno: 'EIO', calls: { nth: 3 } }] },
  });
  assert.deepEqual(all[5]?.settings, { faults: [{ function: 'read', flip: '0x1', calls: { nth: 5 } }] });
  assert.deepEqual(all[6]?.settings, { faults: [{ function: 'write', program: 'vvp', delayUs: 5, calls: { nth: 1 } }] });
  assert.throws(() => space.at(7), RangeError);
});
