/**
 * Where things are in the built tree. Tests run from the sources or from bundles anywhere below the root; so the root is looked
 * for, never counted in dots.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

function findRoot(): string {
  for (const start of [import.meta.dirname, process.cwd()]) {
    for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
      const manifest = join(folder, 'package.json');
      if (!existsSync(manifest)) continue;
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string };
      if (name === 'cairn') return folder;
    }
  }
  throw new Error(`neither ${import.meta.dirname} nor ${process.cwd()} is inside the tree of Cairn`);
}

export const root = findRoot();
export const inTree = (...parts: string[]): string => join(root, ...parts);

/** The command that users call. */
export const cairnCommand = inTree('bin/cairn');

export type Terminal = {
  readonly pid: number;
  onData(listener: (data: string) => void): void;
  onExit(listener: (event: { exitCode: number; signal?: number }) => void): void;
  write(data: string): void;
  resize(columns: number, rows: number): void;
  kill(signal?: string): void;
};
type NodePty = {
  spawn(
    file: string,
    args: string[],
    options: { cols: number; rows: number; cwd: string; env: Record<string, string>; name: string; encoding: 'utf8' },
  ): Terminal;
};

/** node-pty as it is shipped: the copy in dist/. */
export function nodePty(): NodePty {
  return createRequire(inTree('dist/cli.js'))('node-pty') as NodePty;
}
