/**
 * Runs of a campaign in the formats of others: CSV (RFC 4180), JSON, and JUnit's XML, in which silent data corruption is a failure and what
 * Cairn could not run an error. Pure. Tests: test/unit/campaign-report.test.ts.
 */
import type { Run } from '../protocol/campaign.js';
import { failure } from '../protocol/errors.js';

const COLUMNS = [
  'number',
  'model',
  'fault',
  'target',
  'scope',
  'at',
  'outcome',
  'effective',
  'injection',
  'injectedAt',
  'latency',
  'status',
  'deviation',
  'start',
  'startReason',
  'elapsedMs',
  'finishedAt',
] as const;

function csvCell(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function xmlText(text: string): string {
  // Characters that XML 1.0 cannot have are shown as what stands for an unknown one.
  const allowed = text.replace(/[\p{Cc}\ufffe\uffff]/gu, (one) => ('\t\n\r'.includes(one) ? one : '\ufffd'));
  return allowed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function junit(name: string, runs: readonly Run[]): string {
  const cases = runs.map(({ number, model, fault, outcome, deviation, elapsedMs }) => {
    const said = `message="${xmlText(deviation)}" type="${outcome}"`;
    const inside = outcome === 'silentDataCorruption' ? `<failure ${said}/>` : outcome === 'toolError' ? `<error ${said}/>` : '';
    return `  <testcase classname="${xmlText(model)}" name="${number}: ${xmlText(fault)}" time="${(elapsedMs / 1000).toFixed(3)}">${inside}</testcase>`;
  });
  const count = (outcome: string): number => runs.filter((one) => one.outcome === outcome).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${xmlText(name)}" tests="${runs.length}" failures="${count('silentDataCorruption')}" errors="${count('toolError')}">`,
    ...cases,
    '</testsuite>',
    '',
  ].join('\n');
}

/** @param format csv, json or junit; throws `usage` else. */
export function reportText(name: string, runs: readonly Run[], format: string): string {
  switch (format) {
    case 'csv':
      return [COLUMNS.join(','), ...runs.map((one) => COLUMNS.map((column) => csvCell(one[column])).join(',')), ''].join('\r\n');
    case 'json':
      return `${JSON.stringify(runs, null, 2)}\n`;
    case 'junit':
      return junit(name, runs);
    default:
      throw failure('usage', { what: `--format ${format}`, remedy: 'Formats: csv, json, junit, html' });
  }
}
