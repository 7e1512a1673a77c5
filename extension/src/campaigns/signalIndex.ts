/**
 * The signals of a design as they are chosen from: by scope, or by a pattern, a part at a time, so that a design of a hundred thousand is as quick as
 * one of ten. Pure. Test: test/unit/signal-index.test.ts.
 */
import type { Target } from '../../../debug-adapter/src/protocol/campaign.js';
import { countTargets, type TargetCount, tellsNets } from '../../../debug-adapter/src/protocol/campaign-plan.js';
import type { SignalPicker } from '../../../debug-adapter/src/protocol/panels.js';
import { fitsSignal, scopeOf } from '../../../debug-adapter/src/protocol/signal-names.js';

type Row = SignalPicker['rows'][number];

const PART = 100;

export class SignalIndex {
  readonly #targets: readonly Target[];
  readonly #told: boolean;
  /** What is directly in each scope. */
  readonly #scopes = new Map<string, Set<string>>();
  readonly #signals = new Map<string, Target[]>();
  /** In it and below. */
  readonly #counts = new Map<string, { signals: number; bits: number }>();

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#told = tellsNets(targets);
    for (const target of targets) {
      const scope = scopeOf(target.name);
      listOf(this.#signals, scope).push(target);
      const { bits } = countTargets([target], this.#told);
      this.#add(scope, bits);
    }
  }

  #add(scope: string, bits: number): void {
    for (let at = scope; ; at = scopeOf(at)) {
      const count = this.#counts.get(at) ?? { signals: 0, bits: 0 };
      this.#counts.set(at, { signals: count.signals + 1, bits: count.bits + bits });
      if (at === '') return;
      const above = scopeOf(at);
      const inside = this.#scopes.get(above) ?? new Set();
      this.#scopes.set(above, inside.add(at));
    }
  }

  /** With a pattern: all signals that it means; else what is in the scope. */
  pick(scope: string, search: string, offset: number): SignalPicker {
    const all = search === '' ? this.#inScope(scope) : this.#fitting(search).map((one) => this.#row(one, one.name));
    const count = search === '' ? this.#below(scope) : countTargets(this.#fitting(search), this.#told);
    return { scope, search, offset, total: all.length, count, rows: all.slice(offset, offset + PART) };
  }

  #fitting(pattern: string): Target[] {
    return this.#targets.filter(({ name }) => fitsSignal(pattern, name));
  }

  #inScope(scope: string): Row[] {
    const length = scope === '' ? 0 : scope.length + 1;
    const scopes = [...(this.#scopes.get(scope) ?? [])].map((name): Row => {
      const { signals, bits } = this.#counts.get(name) ?? { signals: 0, bits: 0 };
      return { name, label: name.slice(length), kind: 'scope', signals, bits };
    });
    return [...scopes, ...(this.#signals.get(scope) ?? []).map((one) => this.#row(one, one.name.slice(length)))];
  }

  #below(scope: string): TargetCount {
    const all = scope === '' ? this.#targets : this.#targets.filter(({ name }) => name.startsWith(`${scope}.`));
    return countTargets(all, this.#told);
  }

  #row(target: Target, label: string): Row {
    const { name, memory, net, left, right } = target;
    const words = memory ? ` [${left}:${right}]` : '';
    const kind = memory ? 'memory' : net ? 'net' : this.#told ? 'register' : 'signal';
    return { name, label: `${label}${words}`, kind, signals: 1, bits: countTargets([target], this.#told).bits };
  }
}

function listOf<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
