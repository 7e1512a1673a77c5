/** Runs in the formats of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportText } from '../../debug-adapter/src/model/campaign-report.js';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';

const runs: Run[] = [
  {
    number: 0,
    model: 'reads',
    fault: 'call 1 of read: output {"argument":2}',
    outcome: 'silentDataCorruption',
    effective: true,
    injection: 'effective',
    injectedAt: 40,
    latency: null,
    deviation: 'line 1: "<a&b\u0001>" instead of "c"',
    status: 0,
    elapsedMs: 1500,
    finishedAt: '2026-01-01T00:00:00.000Z',
  },
  {
    number: 1,
    model: 'reads',
    fault: 'call 2 of read: return -1',
    outcome: 'toolError',
    effective: null,
    injection: '',
    injectedAt: null,
    latency: null,
    deviation: 'two\nlines',
    status: null,
    elapsedMs: 0.4,
    finishedAt: '2026-01-01T00:00:01.000Z',
  },
];

test('CSV quotes what has to be quoted', () => {
  assert.equal(
    reportText('c', runs, 'csv'),
    'number,model,fault,outcome,effective,injection,injectedAt,latency,status,deviation,elapsedMs,finishedAt\r\n' +
      '0,reads,"call 1 of read: output {""argument"":2}",silentDataCorruption,true,effective,40,,0,"line 1: ""<a&b\u0001>"" instead of ""c""",1500,2026-01-01T00:00:00.000Z\r\n' +
      '1,reads,call 2 of read: return -1,toolError,,,,,,"two\nlines",0.4,2026-01-01T00:00:01.000Z\r\n',
  );
});

test('JUnit has a failure for silent corruption, an error for what could not be run, and only characters that XML can have', () => {
  const text = reportText('c', runs, 'junit');
  assert.match(text, /<testsuite name="c" tests="2" failures="1" errors="1">/);
  assert.match(
    text,
    /<failure message="line 1: &quot;&lt;a&amp;b\ufffd&gt;&quot; instead of &quot;c&quot;" type="silentDataCorruption"\/>/,
  );
  assert.match(text, /<error message="two\nlines" type="toolError"\/>/);
  assert.match(text, /time="1\.500"/);
});

test('JSON is as it was; another format is refused', () => {
  assert.deepEqual(JSON.parse(reportText('c', runs, 'json')), runs);
  assert.throws(() => reportText('c', runs, 'xls'), /--format xls/);
});
