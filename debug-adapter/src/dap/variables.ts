/**
 * The tables of virtual names as DAP scopes and variables. A scope stands for the tables of one process that belong together, a
 * variable for a row: the virtual name with the real one beside it where they differ, and the row's other fields as its
 * children. Numbers given out are valid until `reset`, as DAP wants it (until the computation goes on).
 * Tests: test/dap/inspection.test.ts.
 */
import type { TableKind, TableRow } from '../protocol/control.js';
import { type Ask, Design, type DesignPlace, type Page } from './design.js';

interface ScopeKind {
  readonly name: string;
  readonly tables: readonly TableKind[];
  /** Fetched only when the user opens it. */
  readonly expensive: boolean;
}

/** In the order in which they are shown. */
const SCOPES: readonly ScopeKind[] = [
  { name: 'Virtual ids', tables: ['pid', 'thread'], expensive: false },
  { name: 'Paths', tables: ['path'], expensive: true },
  { name: 'Environment', tables: ['env'], expensive: true },
  { name: 'File descriptors', tables: ['fd'], expensive: true },
  { name: 'Connections', tables: ['connection'], expensive: true },
  { name: 'Of plugins', tables: ['plugin'], expensive: true },
];

export interface DapScope {
  readonly name: string;
  readonly variablesReference: number;
  readonly expensive: boolean;
}

export interface DapVariable {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
  readonly evaluateName?: string;
  readonly variablesReference: number;
  readonly namedVariables?: number;
  readonly indexedVariables?: number;
  /** Not there: it can be set. */
  readonly presentationHint?: { readonly kind: 'data' | 'property' | 'class'; readonly attributes: readonly ['readOnly'] };
  /** VS Code's: what `debugProtocolVariableMenuContext` is in menus of this variable. */
  readonly __vscodeVariableMenuContext?: string;
}

export type ReadTable = (kind: TableKind, virtualPid: number) => Promise<readonly TableRow[]>;

type Target = { readonly tables: readonly TableKind[]; readonly virtualPid: number } | { readonly row: TableRow } | DesignPlace;

/** `4711 → real 5190`, or the one name where both are the same. */
export function bothNames(row: TableRow): string {
  return row.real === row.virtual ? row.virtual : `${row.virtual} → real ${row.real || '(none)'}`;
}

/** What a row is called, and what stands beside it. */
export function nameAndValue(kind: TableKind, row: TableRow): { name: string; value: string } {
  const detail = row.detail === '' ? '' : ` (${row.detail})`;
  switch (kind) {
    case 'pid': // the detail says what the id is: process, parent, group, session
      return { name: row.detail || row.virtual, value: bothNames(row) };
    case 'thread':
      return { name: `thread ${row.virtual}`, value: `${bothNames(row)}${detail}` };
    case 'env': // the name of a variable is never another one; its value is what the application sees
      return { name: row.virtual, value: row.real };
    case 'fd': // likewise the number; the real name is what it was opened on
    case 'plugin': // and whatever a vendor counts
      return { name: row.virtual, value: `${row.real}${detail}` };
    case 'path':
    case 'connection':
    case 'mapping':
    case 'wrap':
      return { name: row.virtual, value: `${bothNames(row)}${detail}` };
  }
}

export class Variables {
  readonly #readTable: ReadTable;
  readonly #targets = new Map<number, Target>();
  #next = 1;

  readonly design: Design;

  constructor(readTable: ReadTable, ask: Ask) {
    this.#readTable = readTable;
    this.design = new Design(ask, (place) => this.#refer(place));
  }

  reset(): void {
    this.#targets.clear();
    this.design.reset();
  }

  scopes(virtualPid: number): DapScope[] {
    const design = { design: '', memory: false, virtualPid, scopes: 0, signals: 0 };
    return [
      ...SCOPES.map(({ name, tables, expensive }) => ({
        name,
        expensive,
        variablesReference: this.#refer({ tables, virtualPid }),
      })),
      { name: 'Signals', expensive: true, variablesReference: this.#refer(design) },
    ];
  }

  has(reference: number): boolean {
    return this.#targets.has(reference);
  }

  /** undefined: it is no part of the design. */
  place(reference: number): DesignPlace | undefined {
    const target = this.#targets.get(reference);
    return target && 'design' in target ? target : undefined;
  }

  /** undefined: nobody gave out that number, or it is no longer valid. */
  async children(reference: number, page: Page = {}): Promise<DapVariable[] | undefined> {
    const target = this.#targets.get(reference);
    if (!target) return undefined;
    if ('row' in target) return fields(target.row);
    if ('design' in target) return this.design.children(target, page);
    const { tables, virtualPid } = target;
    const read = await Promise.all(tables.map(async (kind) => ({ kind, rows: await this.#readTable(kind, virtualPid) })));
    const used = new Map<string, number>();
    return read.flatMap(({ kind, rows }) =>
      rows.filter((row) => row.virtualPid === virtualPid).map((row) => this.#variable(kind, row, used)),
    );
  }

  /** @param used names given so far: a client tells variables of one scope apart by their names. */
  #variable(kind: TableKind, row: TableRow, used: Map<string, number>): DapVariable {
    const { name, value } = nameAndValue(kind, row);
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    return {
      name: count === 1 ? name : `${name} [${count}]`,
      value,
      ...(row.owner === '' ? {} : { type: row.owner }),
      variablesReference: this.#refer({ row }),
      presentationHint: { kind: 'data', attributes: ['readOnly'] },
    };
  }

  #refer(target: Target): number {
    const reference = this.#next++;
    this.#targets.set(reference, target);
    return reference;
  }
}

function fields(row: TableRow): DapVariable[] {
  const all: [string, string][] = [
    ['virtual', row.virtual],
    ['real', row.real],
    ['real before the last restart', row.before],
    ['plugin', row.owner],
    ['detail', row.detail],
    ['since', row.since],
  ];
  return all
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ({
      name,
      value,
      variablesReference: 0,
      presentationHint: { kind: 'property', attributes: ['readOnly'] },
    }));
}
