/**
 * What many processes say in the same words, kept once: names of programs and hosts, and what they say of their plugins, which is nearly
 * always the same and more than all else that is known of a process.
 *
 * Bounded: what is different in each process is not kept for ever. Who has it keeps it.
 * Tests: test/unit/shared-words.test.ts.
 */
import type { PluginStatus } from '../protocol/control.js';

/** Of either kind. */
const MOST = 1000;
/** What is longer is hardly the same in two processes. */
const LONGEST_WORD = 200;

export class SharedWords {
  readonly #words = new Map<string, string>();
  readonly #plugins = new Map<string, readonly PluginStatus[]>();

  word(text: string): string {
    if (text.length > LONGEST_WORD) return text;
    return keep(this.#words, text, text);
  }

  /** Nobody may change them. */
  plugins(all: readonly PluginStatus[]): readonly PluginStatus[] {
    return keep(this.#plugins, JSON.stringify(all), all);
  }
}

function keep<T>(kept: Map<string, T>, key: string, value: T): T {
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= MOST) kept.clear();
  kept.set(key, value);
  return value;
}
