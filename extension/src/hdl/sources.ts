/**
 * As much of Verilog, SystemVerilog and VHDL as it takes to say in which module a place in a source is, which module an instance is of where the
 * simulator does not tell, and where a module declares a signal. Pure. Tests: test/unit/hdl-sources.test.ts.
 */

/** Instances in a module: instance → module. */
export type Modules = ReadonlyMap<string, ReadonlyMap<string, string>>;

const BEGINS =
  /\b(?:module|interface|program)\s+(?:automatic\s+|static\s+)?([A-Za-z_][\w$]*)|\bend(?:module|interface|program)\b/g;
const VHDL = /\b(?:entity\s+(\w+)\s+is|architecture\s+\w+\s+of\s+(\w+)\s+is)\b/gi;
/** Words that stand where a module's name could. */
const NO_MODULE = new Set(
  'if else for while case casex casez begin end module function task assign always always_ff always_comb always_latch initial generate return and or not nand nor xor xnor buf input output inout wire reg logic repeat wait assert property sequence'.split(
    ' ',
  ),
);

/** With blanks in the place of comments and strings, so that every place stays where it is. */
export function withoutComments(text: string): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ');
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"/g, blank);
}

/** The module (or entity) that a place is in; undefined: none. */
export function moduleAt(text: string, offset: number, vhdl: boolean): string | undefined {
  if (vhdl) {
    const before = [...text.replace(/--[^\n]*/g, (part) => ' '.repeat(part.length)).matchAll(VHDL)].filter(
      ({ index }) => index <= offset,
    );
    const last = before.at(-1);
    return (last?.[1] ?? last?.[2])?.toLowerCase();
  }
  let inside: string | undefined;
  for (const match of withoutComments(text).matchAll(BEGINS)) {
    if (match.index > offset) break;
    inside = match[1];
  }
  return inside;
}

/** Of Verilog and SystemVerilog. */
export function modulesOf(texts: readonly string[]): Modules {
  const modules = new Map<string, Map<string, string>>();
  for (const text of texts) {
    const plain = withoutComments(text);
    let inside: { name: string; start: number } | undefined;
    for (const match of plain.matchAll(BEGINS)) {
      if (inside !== undefined) addInstances(modules, inside.name, plain.slice(inside.start, match.index));
      const [whole, name] = match;
      inside = name === undefined ? undefined : { name, start: match.index + whole.length };
    }
  }
  return modules;
}

function addInstances(modules: Map<string, Map<string, string>>, module: string, body: string): void {
  const instances = modules.get(module) ?? new Map<string, string>();
  modules.set(module, instances);
  // Parameters first: what is in brackets behind # is left out, however deep.
  const flat = withoutParameters(body);
  for (const [, type = '', name = ''] of flat.matchAll(/\b([A-Za-z_][\w$]*)\s+([A-Za-z_][\w$]*)\s*(?:\[[^\]]*\]\s*)?\(/g)) {
    if (!NO_MODULE.has(type) && !NO_MODULE.has(name)) instances.set(name, type);
  }
}

function withoutParameters(text: string): string {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const begin = text[at] === '#' ? /^#\s*\(/.exec(text.slice(at, at + 50)) : null;
    if (begin === null) {
      result += text[at];
      continue;
    }
    at += begin[0].length;
    for (let depth = 1; at < text.length && depth > 0; at++) depth += text[at] === '(' ? 1 : text[at] === ')' ? -1 : 0;
    at--;
    result += ' ';
  }
  return result;
}

/**
 * Which module each scope is an instance of, of scopes whose simulator does not tell; those that are not there are of none that is known. A scope at
 * the top, or below one that no source has, is called as its module.
 */
export function modulesOfScopes(scopes: readonly string[], modules: Modules): Map<string, string> {
  const found = new Map<string, string>();
  for (const scope of [...scopes].sort((a, b) => a.length - b.length)) {
    const parts = scope.split('.');
    const own = (parts.at(-1) ?? '').replace(/\[\d+\]$/, '');
    // A generate block is no module: what is in it belongs to the module around.
    let around: string | undefined;
    for (let depth = parts.length - 1; depth > 0 && around === undefined; depth--)
      around = found.get(parts.slice(0, depth).join('.'));
    const module = around === undefined ? (modules.has(own) ? own : undefined) : modules.get(around)?.get(own);
    if (module !== undefined) found.set(scope, module);
  }
  return found;
}

const TYPES =
  'reg|wire|logic|bit|byte|int|integer|shortint|longint|time|real|realtime|tri|tri0|tri1|triand|trior|wand|wor|supply0|supply1|input|output|inout|var|parameter|localparam';

/** The offset of a name where a module of Verilog or SystemVerilog declares it, else where the module first has it; undefined: it does not. */
export function declarationOf(text: string, module: string, name: string): number | undefined {
  const plain = withoutComments(text);
  let start: number | undefined;
  for (const match of plain.matchAll(BEGINS)) {
    if (start === undefined) {
      if (match[1] === module) start = match.index + match[0].length;
      continue;
    }
    const found = nameIn(plain.slice(start, match.index), name);
    return found === undefined ? undefined : start + found;
  }
  return undefined;
}

function nameIn(body: string, name: string): number | undefined {
  const own = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const word = `(?<![\\w$.])${own}(?![\\w$])`;
  for (const between of ['[^;=]*?', '[^;]*?']) {
    const found = new RegExp(`\\b(?:${TYPES})\\b${between}(${word})\\s*(?=[,;=\\[)])`, 'd').exec(body);
    if (found?.indices?.[1]) return found.indices[1][0];
  }
  return new RegExp(word).exec(body)?.index;
}
