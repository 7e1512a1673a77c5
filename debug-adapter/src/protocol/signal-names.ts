/**
 * Names of design signals and patterns for them, as the plugin `hdl` has them (native-agent/plugins/hdl/names.cc). Pure.
 * Tests: test/unit/fault-space.test.ts.
 */

/** With * and ? the whole name has to fit, without them the pattern is a part of it. */
export function fitsSignal(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return name.includes(pattern);
  const expression = pattern.replace(/[\\^$.*+?()[\]{}|/]/g, (one) => (one === '*' ? '.*' : one === '?' ? '.' : `\\${one}`));
  return new RegExp(`^${expression}$`, 'su').test(name);
}

/** The scope that a signal is in; empty: it is at the top. */
export function scopeOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}
