/**
 * Conditions of watched signals: "== 8'h2a", "> 3", or a value alone, which means that the signal is to have it; none: every change. As the
 * plugin `hdl` takes them. Pure. Tests: test/unit/signal-values.test.ts.
 */
import { failure } from '../protocol/errors.js';
import { parseSignalValue } from './signal-values.js';

export interface SignalCondition {
  readonly operation: 'any' | '==' | '!=' | '<' | '<=' | '>' | '>=';
  /** Digits of the plugin's; empty with `any`. */
  readonly value: string;
}

export function parseSignalCondition(text: string | undefined): SignalCondition {
  const trimmed = (text ?? '').trim();
  if (trimmed === '') return { operation: 'any', value: '' };
  const [, operator = '', value = ''] = /^(===?|!==?|<=|>=|<|>|=)?\s*(.*)$/.exec(trimmed) ?? [];
  const operation = ALIASES[operator] ?? (operator as SignalCondition['operation']);
  if (value === '')
    throw failure('usage', {
      what: `"${trimmed}" compares with nothing`,
      remedy: "Write a condition as == 8'h2a, > 3, or a value alone.",
    });
  return { operation, value: parseSignalValue(value) };
}

const ALIASES: Readonly<Record<string, SignalCondition['operation']>> = { '': '==', '=': '==', '===': '==', '!==': '!=' };
