/** What a campaign and its jobs tell each other by files. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Campaign } from '../../debug-adapter/src/protocol/campaign.js';
import { Submission } from '../../debug-adapter/src/runners/slurm-exchange.js';

const counted = (number: number): { run: ReturnType<Submission['collect']>[number]['run']; console: string } => ({
  run: {
    number,
    model: 'reads',
    fault: `call ${number}`,
    target: 'read',
    scope: '',
    at: null,
    outcome: 'masked',
    effective: true,
    injection: 'effective',
    injectedAt: null,
    latency: null,
    deviation: '',
    status: 0,
    start: 'resident',
    startReason: '',
    elapsedMs: 1,
    finishedAt: '2026-01-01T00:00:00.000Z',
  },
  console: 'two\nlines',
});

test('each run is told once, and one that was cut off is made again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-exchange-'));
  try {
    const effects = [{ return: 0 }];
    const campaign = Campaign.parse({
      snapshot: 'a',
      models: [{ name: 'm', calls: { function: 'f', calls: { last: 9 }, effects } }],
    });
    const golden = { status: 0, lines: [], files: {}, design: null, targets: [] };
    const made = Submission.new(folder);
    assert.deepEqual(Submission.all(folder), []);
    const places = { folder, store: folder, snapshot: folder, stage: '/tmp' };
    made.write({ name: 'n', campaign, golden, goldenMs: 5, ...places }, [[4, 1, 7], [2]]);
    const [submission, ...others] = Submission.all(folder);
    assert.ok(submission !== undefined && others.length === 0);
    assert.deepEqual([submission.jobName, submission.task().goldenMs, submission.isThere], [made.jobName, 5, true]);
    assert.deepEqual([submission.missing(0), submission.missing(1)], [[4, 1, 7], [2]]);
    const numbers = (): number[] => submission.collect().map(({ run }) => run.number);
    const task = submission.writer(0, '17', 0);
    task.add(counted(4));
    assert.deepEqual(numbers(), [4]);
    task.add(counted(1));
    task.close();
    // As one that was killed while it wrote.
    const [file = ''] = readdirSync(submission.folder).filter((name) => name.endsWith('.jsonl'));
    appendFileSync(join(submission.folder, file), JSON.stringify(counted(7)).slice(0, 40));
    assert.deepEqual([numbers(), numbers()], [[1], []]);
    assert.deepEqual(submission.missing(0), [7]);
    // One that is only seen half is told when it is whole.
    const half = join(submission.folder, '1.18-0.jsonl');
    const line = `${JSON.stringify(counted(2))}\n`;
    appendFileSync(half, line.slice(0, 50));
    assert.deepEqual(numbers(), []);
    appendFileSync(half, line.slice(50));
    assert.deepEqual([numbers(), submission.missing(1)], [[2], []]);
    const again = submission.writer(0, '17', 1);
    again.add(counted(7));
    again.close();
    assert.deepEqual([numbers(), submission.missing(0)], [[7], []]);
    // Whoever comes later reads all of them.
    assert.deepEqual(
      Submission.at(submission.folder)
        .collect()
        .sort((a, b) => a.run.number - b.run.number)
        .map(({ run, console }) => [run.number, console]),
      [1, 2, 4, 7].map((number) => [number, 'two\nlines']),
    );
    submission.remove();
    assert.deepEqual([submission.isThere, Submission.all(folder)], [false, []]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
