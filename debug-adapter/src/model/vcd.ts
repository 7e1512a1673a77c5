/**
 * Value change dumps (IEEE 1364-2005, 18) of two runs, and what differs between them, line by line, however long they are: a third dump that has
 * of each signal that differs whether it does, and both values. Pure. Tests: test/unit/vcd.test.ts.
 */

type Lines = AsyncIterable<string>;

interface Variable {
  /** With its scopes, joined by dots. */
  name: string;
  kind: string;
  width: string;
  /** As it stands behind the name, such as [7:0]. */
  range: string;
}

export interface Difference {
  /** Names of signals that differ at any time, in the order in which they first do. */
  signals: string[];
  first: { signal: string; time: number } | null;
}

/** What a dump says, one after the other; the header is read first. */
class Dump {
  timescale = '';
  readonly variables = new Map<string, Variable>();
  /** By name; as it was last told. */
  readonly values = new Map<string, string>();
  /** Of the changes that `advance` will make. */
  next: number | undefined;
  readonly #lines: AsyncIterator<string>;
  /** A variable may have several names. */
  readonly #names = new Map<string, string[]>();
  #ended = false;

  private constructor(lines: Lines) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  static async open(lines: Lines): Promise<Dump> {
    const dump = new Dump(lines);
    await dump.#header();
    // What is told before the first time belongs to it.
    dump.next = 0;
    return dump;
  }

  async #line(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    return done ? undefined : value;
  }

  async #header(): Promise<void> {
    const scopes: string[] = [];
    let words: string[] = [];
    for (let line = await this.#line(); line !== undefined; line = await this.#line()) {
      words.push(
        ...line
          .trim()
          .split(/\s+/)
          .filter((word) => word !== ''),
      );
      if (words.at(-1) !== '$end') continue;
      const [what, ...rest] = words;
      words = [];
      if (what === '$scope') scopes.push(rest[1] ?? '');
      else if (what === '$upscope') scopes.pop();
      else if (what === '$timescale') this.timescale = rest.slice(0, -1).join(' ');
      else if (what === '$var') this.#variable(scopes, rest.slice(0, -1));
      else if (what === '$enddefinitions') return;
    }
  }

  #variable(scopes: readonly string[], [kind = '', width = '', id = '', name = '', ...range]: readonly string[]): void {
    const whole = [...scopes, name].join('.');
    this.variables.set(whole, { name: whole, kind, width, range: range.join(' ') });
    this.#names.set(id, [...(this.#names.get(id) ?? []), whole]);
  }

  /** All changes of `next`; gives the names that they are of. */
  async advance(): Promise<string[]> {
    const changed: string[] = [];
    for (;;) {
      const line = this.#ended ? undefined : await this.#line();
      if (line === undefined) {
        this.#ended = true;
        this.next = undefined;
        return changed;
      }
      const first = line[0];
      if (first === '#') {
        const time = Number(line.slice(1));
        if (time === this.next) continue;
        this.next = time;
        return changed;
      }
      if (first === undefined || first === '$') continue;
      const space = line.indexOf(' ');
      const isVector = 'bBrR'.includes(first) && space > 0;
      const id = (isVector ? line.slice(space + 1) : line.slice(1)).trim();
      const value = isVector ? line.slice(0, space) : first;
      for (const name of this.#names.get(id) ?? []) {
        this.values.set(name, value);
        changed.push(name);
      }
    }
  }
}

/** Vectors may be written without zeros in front. */
function same(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  const plain = (text: string): string => text.toLowerCase().replace(/^b0+(?=[01])/, 'b');
  return plain(one) === plain(other);
}

/** Goes through both; `step` gets what was told anew at a time. */
async function walk(golden: Dump, fault: Dump, step: (time: number, changed: ReadonlySet<string>) => void): Promise<void> {
  while (golden.next !== undefined || fault.next !== undefined) {
    const time = Math.min(golden.next ?? Number.POSITIVE_INFINITY, fault.next ?? Number.POSITIVE_INFINITY);
    const changed = new Set<string>();
    for (const dump of [golden, fault]) if (dump.next === time) for (const name of await dump.advance()) changed.add(name);
    // Where one has ended nothing can be compared any more.
    if (golden.next === undefined || fault.next === undefined) {
      step(time, changed);
      return;
    }
    step(time, changed);
  }
}

/** What differs, at most `most` signals. */
export async function differenceOf(goldenLines: Lines, faultLines: Lines, most: number): Promise<Difference> {
  const [golden, fault] = [await Dump.open(goldenLines), await Dump.open(faultLines)];
  const signals = new Set<string>();
  let first: Difference['first'] = null;
  await walk(golden, fault, (time, changed) => {
    for (const name of changed) {
      if (signals.size === most || same(golden.values.get(name), fault.values.get(name))) continue;
      first ??= { signal: name, time };
      signals.add(name);
    }
  });
  return { signals: [...signals], first };
}

const SCOPES = ['difference', 'golden', 'fault'] as const;

/** The third dump, of those signals. */
export async function writeDifference(
  goldenLines: Lines,
  faultLines: Lines,
  signals: readonly string[],
  write: (text: string) => void,
): Promise<void> {
  const [golden, fault] = [await Dump.open(goldenLines), await Dump.open(faultLines)];
  const shown = signals.flatMap((name) => golden.variables.get(name) ?? fault.variables.get(name) ?? []);
  const order = new Map(shown.map(({ name }, index) => [name, index]));
  write(`$timescale ${golden.timescale || fault.timescale || '1 ns'} $end\n`);
  SCOPES.forEach((scope, which) => {
    write(`$scope module ${scope} $end\n`);
    for (const { name, kind, width, range } of shown) {
      const parts = name.split('.');
      const own = parts.pop() ?? name;
      const about =
        which === 0
          ? `wire 1 ${idOf(which, order.get(name) ?? 0)} ${own}`
          : `${kind} ${width} ${idOf(which, order.get(name) ?? 0)} ${own}${range === '' ? '' : ` ${range}`}`;
      write(parts.map((part) => `$scope module ${part} $end\n`).join(''));
      write(`$var ${about} $end\n`);
      write('$upscope $end\n'.repeat(parts.length));
    }
    write('$upscope $end\n');
  });
  write('$enddefinitions $end\n');
  const told = new Map<string, string>();
  await walk(golden, fault, (time, changed) => {
    let text = '';
    for (const name of changed) {
      const index = order.get(name);
      if (index === undefined) continue;
      const [was, is] = [golden.values.get(name), fault.values.get(name)];
      [same(was, is) ? '0' : '1', was, is].forEach((value, which) => {
        const id = idOf(which, index);
        if (value === undefined || told.get(id) === value) return;
        told.set(id, value);
        text += `${value}${value.length > 1 ? ' ' : ''}${id}\n`;
      });
    }
    if (text !== '') write(`#${time}\n${text}`);
  });
}

/** Of printable characters, as a dump's are. */
function idOf(which: number, index: number): string {
  let text = '';
  for (let rest = 3 * index + which + 1; rest > 0; rest = Math.floor(rest / 94)) text += String.fromCharCode(33 + (rest % 94));
  return text;
}
