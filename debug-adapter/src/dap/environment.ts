/**
 * The environment of what a launch configuration starts: the editor's own, without what the editor put there for itself, and
 * the configuration's changes over it. Pure. Tests: test/dap/environment.test.ts.
 */

/** Set by VS Code and its runtime for their own processes. */
const EDITORS_OWN =
  /^(ELECTRON_|VSCODE_|CODE_SERVER_|APPLICATION_INSIGHTS_|CAIRN_NODE$|CHROME_DESKTOP$|ORIGINAL_XDG_CURRENT_DESKTOP$)/;

/** What xterm.js, which shows the program's terminal, understands. */
const TERMINAL = { TERM: 'xterm-256color', COLORTERM: 'truecolor' };

export function programEnvironment(
  editor: Readonly<Record<string, string | undefined>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...editor, ...TERMINAL, ...changes })) {
    if (typeof value !== 'string') continue;
    if (EDITORS_OWN.test(name) && !Object.hasOwn(changes, name)) continue;
    env[name] = value;
  }
  return env;
}
