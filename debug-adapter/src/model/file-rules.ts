/**
 * Rules for files as the plugin `file` understands them (native-agent/plugins/file/rules.cc): which one is for a path. Pure.
 * Tests: test/unit/file-rules.test.ts.
 */
import type { FileHandling, FileRule } from '../protocol/rules.js';

function expression(pattern: string): RegExp {
  const text = pattern.replace(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) =>
    part === '**/'
      ? '(?:.*/)?'
      : part === '**'
        ? '.*'
        : part === '*'
          ? '[^/]*'
          : part === '?'
            ? '[^/]'
            : part.replace(/[.+^${}()|[\]\\]/g, '\\$&'),
  );
  return new RegExp(`^${text}$`, 's');
}

/** A pattern without "/" is for the last part of a path. */
export function fitsPattern(path: string, pattern: string): boolean {
  return expression(pattern).test(pattern.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1));
}

export function ruleFor(path: string, rules: readonly FileRule[]): FileHandling | undefined {
  return rules.find(({ pattern }) => fitsPattern(path, pattern))?.how;
}
