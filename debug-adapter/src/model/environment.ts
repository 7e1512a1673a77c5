/**
 * Changes of the environment: for all processes, or for those of one program or one id, written PROGRAM:NAME. Names of variables
 * have no colon. Pure. Tests: test/unit/environment.test.ts.
 */

export type Changes = Record<string, string | null>;

export interface ProcessChanges {
  /** A virtual process id, the name of an executable (or what the program was called by), or an executable's path. */
  process: string;
  env: Changes;
}

/** By the last colon of the name, since a path may have some. */
export function splitChanges(all: Readonly<Changes>): { env: Changes; processEnv: ProcessChanges[] } {
  const env: Changes = {};
  const processEnv: ProcessChanges[] = [];
  for (const [key, value] of Object.entries(all)) {
    const colon = key.lastIndexOf(':');
    if (colon < 1 || colon === key.length - 1) {
      env[key] = value;
      continue;
    }
    const process = key.slice(0, colon);
    const known = processEnv.find((one) => one.process === process);
    if (known) known.env[key.slice(colon + 1)] = value;
    else processEnv.push({ process, env: { [key.slice(colon + 1)]: value } });
  }
  return { env, processEnv };
}

/** NAME* stands for all variables whose names begin so. */
export const isNamePattern = (text: string): boolean => /^[A-Za-z_]\w*\*$/.test(text);
export const fitsName = (pattern: string, name: string): boolean => name.startsWith(pattern.slice(0, -1));

/** Removals by pattern become those of the names that there are and that are not given a value. */
export function expandPatterns(changes: Readonly<Changes>, names: readonly string[]): Changes {
  const expanded: Changes = {};
  for (const [key, value] of Object.entries(changes)) {
    if (!isNamePattern(key)) expanded[key] = value;
    else for (const name of names) if (fitsName(key, name) && !(name in changes)) expanded[name] = null;
  }
  return expanded;
}

export interface Named {
  virtualPid: number;
  executable: string;
  argv: readonly string[];
}

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export function isMeant(selector: string, { virtualPid, executable, argv }: Named): boolean {
  const called = argv[0] ?? '';
  return (
    selector === String(virtualPid) ||
    selector === executable ||
    (selector !== '' && (selector === base(executable) || selector === base(called)))
  );
}

/** What is changed for one process, later ones over earlier ones. */
export function changesFor(one: Named, processEnv: readonly ProcessChanges[]): Changes {
  return Object.assign({}, ...processEnv.filter(({ process }) => isMeant(process, one)).map(({ env }) => env));
}
