/**
 * The small program that the stories without a simulator run: its folder, and what it prints.
 */
import { execFileSync } from 'node:child_process';
import { inTree } from '../../scripts/lib/tree.mjs';
import type { Window } from './harness/window.js';

export const tickerFolder = inTree('test/e2e/ticker');

/** Numbers of the ticks in what it printed or wrote. */
export const ticks = (text: string): number[] => [...text.matchAll(/^tick (\d+)\s*$/gm)].map(([, number]) => Number(number));

/** Compiles the plugins: of the launch configuration "Gated", and of the stories of the Plugins view. */
export function buildPlugins(folder: string): void {
  const include = inTree('native-agent/include');
  for (const name of ['gate', 'greet'])
    execFileSync('gcc', ['-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', '-I', include, `${name}.c`, '-o', `${name}.so`], {
      cwd: folder,
      stdio: 'inherit',
    });
}

export async function launchTicker(window: Window, configuration = 'Ticker'): Promise<void> {
  await window.launch(configuration);
  await window.terminalHas(/^tick \d+/m, 60_000);
}
