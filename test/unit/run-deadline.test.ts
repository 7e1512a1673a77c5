/** When a run's time is over: as long as its simulated time goes on it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callWhenStill } from '../../debug-adapter/src/runners/restart-run.js';

test('a run is ended once its time is over in which nothing has gone on', ({ mock }) => {
  mock.timers.enable({ apis: ['setInterval'] });
  let progress = 0;
  let ended = 0;
  callWhenStill(
    () => ended++,
    1000,
    () => progress,
  );
  for (progress = 1; progress < 5; progress++) mock.timers.tick(1000);
  mock.timers.tick(999);
  assert.equal(ended, 0);
  mock.timers.tick(1001);
  assert.equal(ended, 1);
  mock.timers.tick(5000);
  assert.equal(ended, 1);
});

test('one that has ended by itself is not', ({ mock }) => {
  mock.timers.enable({ apis: ['setInterval'] });
  let ended = 0;
  const stop = callWhenStill(
    () => ended++,
    1000,
    () => 0,
  );
  stop();
  mock.timers.tick(5000);
  assert.equal(ended, 0);
});
