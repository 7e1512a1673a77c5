/**
 * Hovers over sources of the design: the value of the signal under the pointer in the live simulation, in each instance of the module that the
 * source describes.
 */
import * as vscode from 'vscode';
import { formatSimulatedTime } from '../../../debug-adapter/src/protocol/format.js';
import type { CurrentSession } from '../session/current.js';
import type { LiveSession } from '../session/liveSession.js';
import type { Instances } from './instances.js';
import { moduleAt } from './sources.js';

const SELECTOR: vscode.DocumentSelector = [{ pattern: '**/*.{v,vh,sv,svh,vhd,vhdl}' }];
const WORD = /[A-Za-z_][\w$]*/;
/** Of a module with more instances. */
const MOST_SHOWN = 12;

export function provideHovers(current: CurrentSession, instances: Instances, log: vscode.LogOutputChannel): vscode.Disposable {
  return vscode.languages.registerHoverProvider(SELECTOR, {
    provideHover: async (document, position, token) => {
      const session = current.shown;
      const range = document.getWordRangeAtPosition(position, WORD);
      if (!session || session.exited || range === undefined) return undefined;
      try {
        const text = await describe(session, instances, document, document.offsetAt(position), document.getText(range));
        return text === undefined || token.isCancellationRequested ? undefined : new vscode.Hover(text, range);
      } catch (error) {
        // A simulator without signals says so in the Variables view, not at each move of the pointer.
        log.debug(`hover: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      }
    },
  });
}

async function describe(
  session: LiveSession,
  instances: Instances,
  document: vscode.TextDocument,
  offset: number,
  word: string,
): Promise<vscode.MarkdownString | undefined> {
  const module = moduleAt(document.getText(), offset, /\.vhdl?$/i.test(document.fileName));
  if (module === undefined) return undefined;
  const scopes = await instances.of(session, module);
  const shown = scopes.slice(0, MOST_SHOWN);
  if (shown.length === 0) return undefined;
  const { signals, time } = await session.request('session/readSignals', { names: shown.map((scope) => `${scope}.${word}`) });
  if (signals.length === 0) return undefined;
  const text = new vscode.MarkdownString();
  for (const { name, value, kind, width, range } of signals) {
    const limits = range === null ? '' : ` [${range.left}:${range.right}]`;
    text.appendCodeblock(
      `${name} = ${value ?? `memory of ${width} bits${limits}`}${value === null ? '' : `  (${kind}${limits})`}`,
      'plaintext',
    );
  }
  if (scopes.length > shown.length) text.appendText(`and in ${scopes.length - shown.length} more instances of ${module}. `);
  text.appendText(`${session.name}, at ${formatSimulatedTime(time)}`);
  return text;
}
