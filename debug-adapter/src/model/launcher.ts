/**
 * Commands that start a program on another host, as the user describes them: words, with {host} for the host, and {command} for the
 * program and its arguments as words of their own, or {shell} for all of them in one word that a shell there reads; {options:LETTERS}
 * stands where the command's own options may be. Pure. The programs' side: native-agent/src/remote/patterns.h.
 * Tests: test/unit/launcher.test.ts.
 */

/** In a shell, exactly that word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The words of the command that runs `command` on `host`. */
export function expandLauncher(pattern: string, host: string, command: readonly string[]): string[] {
  return pattern
    .split(/\s+/)
    .filter((word) => word !== '' && !word.startsWith('{options'))
    .flatMap((word) => {
      if (word === '{command}') return command;
      if (word === '{shell}') return [command.map(quoted).join(' ')];
      return [word.replaceAll('{host}', host)];
    });
}
