/**
 * The one way between a panel and the extension: models come in, requests go out (debug-adapter/src/protocol/panels.ts). Also
 * keeps what the user chose in the panel while it is hidden and its page destroyed.
 */
import type { FromPanel, ToPanel } from '../../debug-adapter/src/protocol/panels.js';

interface Host {
  postMessage(message: FromPanel): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();

export function send(message: FromPanel): void {
  host.postMessage(message);
}

/** Calls `show` with each model of this panel, and tells the extension that the panel listens. */
export function listen<P extends ToPanel['panel']>(panel: P, show: (model: Extract<ToPanel, { panel: P }>) => void): void {
  window.addEventListener('message', ({ data }: MessageEvent<ToPanel>) => {
    if (data.panel === panel) show(data as Extract<ToPanel, { panel: P }>);
  });
  send({ type: 'ready' });
}

/** What was kept, over the defaults. */
export function kept<T extends object>(defaults: T): T {
  const state = host.getState();
  return typeof state === 'object' && state !== null ? { ...defaults, ...state } : defaults;
}

export function keep(state: object): void {
  host.setState(state);
}
