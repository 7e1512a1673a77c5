/**
 * Probes can fail: each is run without Cairn, spoilt from outside as a faulty restart would have left it (its comment
 * `sabotage:`), and must notice. A probe without such a comment fails here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { buildProbes, inParallel, lacks32Bit, selectedProbes } from './catalogue.js';
import { ProbeRun, Skipped } from './flavours.js';

test('sabotaged probes turn red', { concurrency: true, timeout: 600_000 }, async (suite) => {
  // A probe is the same source as a 32-bit program, and what spoils it knows the other kind.
  const probes = selectedProbes().filter(({ bits }) => bits === 64);
  await buildProbes(probes);
  const jobs = probes.map((probe) => async () => {
    await suite.test(probe.name, { timeout: 60_000 }, async (context) => {
      assert.ok(probe.sabotage.length > 0, `${probe.source} has no comment "sabotage:"`);
      const lacking = probe.partner === undefined ? '' : await lacks32Bit();
      if (lacking !== '') return context.skip(lacking);
      const scratch = new Scratch();
      try {
        await new ProbeRun(probe, scratch).sabotaged();
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        context.skip(error.message);
      } finally {
        await scratch.close();
      }
    });
  });
  await inParallel(jobs, 3);
});
