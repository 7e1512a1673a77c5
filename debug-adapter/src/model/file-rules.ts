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

export function ruleFor(path: string, rules: readonly FileRule[]): FileHandling | undefined {
  const last = path.slice(path.lastIndexOf('/') + 1);
  return rules.find(({ pattern }) => expression(pattern).test(pattern.includes('/') ? path : last))?.how;
}
