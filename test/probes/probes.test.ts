/**
 * Every probe in every flavour. CAIRN_PROBES=expression selects some; CAIRN_PROBE_FLAVOURS=control,plain selects flavours;
 * CAIRN_PROBE_BITS=32 (or all) runs all of them as 32-bit programs, not only those that stand for their family. On a slow machine some
 * probes are tried in the flavours of `always` alone, and name the others as skipped: CAIRN_PROBE_MINUTES=0 tries everything, however long.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../support/pace.js';
import { Scratch } from '../support/scratch.js';
import { buildProbes, inParallel, lacks32Bit, type Probe, selectedProbes } from './catalogue.js';
import { ProbeRun, Skipped } from './flavours.js';

const TWICE = 'twice at once beside the run';
const WENT_ON = 'restart after the run went on';
const OTHER_USER = 'as another user, all old ids taken';
const wanted = process.env['CAIRN_PROBE_FLAVOURS']?.split(',');
const isWanted = (name: string): boolean => !wanted || wanted.some((prefix) => name.startsWith(prefix));

const flavours: readonly (readonly [string, (run: ProbeRun, isTried: (name: string) => boolean) => Promise<void>])[] = [
  ['control', (run) => run.control()],
  ['plain run', (run) => run.plain()],
  [
    'checkpoint and go on',
    (run, isTried) => run.goOn(!isTried(TWICE) || run.probe.alone !== undefined || run.probe.overtaken !== undefined),
  ],
  [TWICE, (run) => run.twiceAtOnce()],
  [WENT_ON, (run) => run.restart()],
  ['kill and restart', (run) => run.killAndRestart()],
  ['five cycles', (run) => run.fiveCycles()],
  [OTHER_USER, (run) => run.asAnotherUser()],
  ['attached', (run) => run.attached()],
];
/** What no machine is too slow for. */
const always = new Set(['control', 'checkpoint and go on', 'kill and restart']);
const MINUTES = Number(process.env['CAIRN_PROBE_MINUTES'] ?? 12);
/** Flavours in which a probe may fail for the capability that its line `missing:` names; one that passes is an error. */
const beyondLife = new Set([TWICE, WENT_ON, 'kill and restart', 'five cycles', OTHER_USER, 'attached']);
const isPassing = (error: unknown): boolean => error instanceof Error && error.message.startsWith('it passes:');
const WIDTH = Number(process.env['CAIRN_PROBE_WIDTH'] ?? 3);

test('probes', { concurrency: true, timeout: 1_800_000 }, async (suite) => {
  const probes = selectedProbes();
  await buildProbes(probes);
  const pace = new Pace(MINUTES, probes.length);
  const job = (probe: Probe) => async (): Promise<void> => {
    await suite.test(probe.name, { timeout: 240_000 }, async (group) => {
      const scratch = new Scratch();
      try {
        const run = new ProbeRun(probe, scratch);
        const late = pace.isLate();
        const isTried = (name: string): boolean => isWanted(name) && (!late || always.has(name));
        let unavailable = probe.bits === 32 || probe.partner ? (await lacks32Bit()) || undefined : undefined;
        for (const [name, flavour] of flavours) {
          if (!isWanted(name) || (name === TWICE && probe.alone !== undefined)) continue;
          if (probe.overtaken !== undefined && (name === TWICE || name === WENT_ON)) continue;
          await group.test(name, async (context) => {
            const lacks = beyondLife.has(name) ? probe.missing : undefined;
            if (unavailable === undefined && !isTried(name)) {
              context.skip(`this machine is too slow for all of them in ${MINUTES} minutes`);
              return;
            }
            if (unavailable === undefined) {
              try {
                await flavour(run, isTried);
                assert.equal(lacks, undefined, 'it passes: the line "missing:" in the probe is no longer true');
                return;
              } catch (error) {
                if (error instanceof Skipped && error.here) {
                  context.skip(error.message);
                  return;
                }
                if (lacks !== undefined && !isPassing(error)) {
                  unavailable = `missing: ${lacks}`;
                } else if (!(error instanceof Skipped)) {
                  if (error instanceof Error) error.message += `\n${scratch.logs()}`;
                  throw error;
                }
                unavailable ??= error instanceof Error ? error.message : String(error);
                await scratch.clear();
              } finally {
                await run.end();
              }
            }
            context.skip(unavailable);
          });
        }
      } finally {
        await scratch.close();
      }
    });
  };
  // A terminal's master side would be inherited by programs that are started at the same time.
  await inParallel(probes.filter((probe) => !probe.pty).map(job), WIDTH);
  for (const probe of probes.filter(({ pty }) => pty)) await job(probe)();
});
