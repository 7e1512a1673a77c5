/**
 * What is to be said of a plugin's library: reasons why it cannot be used, what may break, and whether it can be given at a restart, where
 * Cairn binds it itself (native-agent/src/events/library.cc). Pure.
 * Tests: test/unit/plugin-check.test.ts.
 */

/** CAIRN_PLUGIN_ABI_MAJOR and _MINOR of native-agent/include/cairn/plugin.h. */
export const ABI = { major: 1, minor: 1 } as const;

export const ENTRY = 'cairn_plugin_entry';

/** Names that the built-in plugins have (native-agent/src/events/builtin.cc). */
export const builtInPlugins: readonly string[] = (
  'pid path env clock process exec socket pty descriptor pending passed memory memfd ' +
  'sysv pipe event uring mqueue mutex file terminal signal timer external hdl'
).split(' ');

/** What the entry gave. */
export interface PluginFacts {
  name: string;
  version: string;
  author: string;
  abi: { major: number; minor: number };
  size: number;
  callbacks: readonly string[];
  checkpointBarriers: readonly string[];
  restartBarriers: readonly string[];
  /** What it says in its struct that it wraps: "function" or "function of library". */
  wraps: readonly string[];
}

export interface LibraryFacts {
  needed: readonly string[];
  exported: readonly string[];
  threadLocalBytes: number;
  constructors: number;
  resolvers: number;
  packedRelocations: boolean;
  textRelocations: boolean;
  executableStack: boolean;
  /** All that somebody else has to define. */
  functions: readonly string[];
  /** What neither the library nor anything that it needs defines. */
  missing: readonly string[];
  /** What it exports and the C library exports, too. */
  replaces: readonly string[];
}

export interface Verdict {
  /** Why it cannot be used; empty: it can. */
  reasons: string[];
  /** What may break. */
  warnings: string[];
  /** Why it can only be given to `cairn run`; empty: also at a restart. */
  notAtRestart: string[];
}

/** What every program has loaded. */
const ALWAYS_THERE = /^(libc\.so\.6|ld-linux.*\.so\.\d)$/;
/** Not in [quiesced] and [restoring]: they wait for locks that a stopped thread may hold. */
const TAKES_LOCKS =
  /^(malloc|calloc|realloc|free|posix_memalign|strdup|asprintf|(v?f?printf|puts|putc|fputs|fopen|fclose|fread|fwrite|fflush|fgets)(_chk|_unlocked)?|__(v?f?printf|asprintf)_chk|_Zn[wa].*|pthread_mutex_lock|pthread_cond_wait|sem_wait|dlopen|dlsym|getaddrinfo|gethostbyname|localtime|syslog|setenv|exit)$/;
const CHANGES_SIGNALS = /^(signal|sigaction|__sigaction|sigprocmask|pthread_sigmask|sigaltstack)$/;
const STARTS = /^(fork|vfork|posix_spawnp?|system|popen|pthread_create|clone)$/;

const some = (names: readonly string[]): string =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');

export function judge(library: LibraryFacts, plugin: PluginFacts | undefined): Verdict {
  const reasons: string[] = [];
  if (!library.exported.includes(ENTRY))
    reasons.push(`it does not export ${ENTRY}: it is no Cairn plugin, or hides it (CAIRN_EXPORT, extern "C")`);
  if (library.missing.length > 0)
    reasons.push(
      `nobody defines ${some(library.missing)}: link it with what does; else only a program that defines them itself can load it`,
    );
  if (plugin !== undefined) reasons.push(...judgePlugin(plugin));
  return { reasons, warnings: warnings(library, plugin), notAtRestart: notAtRestart(library) };
}

function judgePlugin(plugin: PluginFacts): string[] {
  const { abi, name } = plugin;
  if (abi.major !== ABI.major)
    return [
      `it was built for version ${abi.major}.${abi.minor} of cairn/plugin.h, this Cairn has ${ABI.major}.${ABI.minor}: build it anew`,
    ];
  const reasons: string[] = [];
  if (!/^[A-Za-z0-9-]+$/.test(name)) reasons.push(`its name "${name}" has other characters than letters, digits and "-"`);
  if (builtInPlugins.includes(name)) reasons.push(`its name "${name}" is that of a built-in plugin`);
  const barriers = [...plugin.checkpointBarriers, ...plugin.restartBarriers];
  if (barriers.length > 0 && !plugin.callbacks.includes('barrier')) reasons.push('it has barriers, but no function for them');
  for (const barriersOfOne of [plugin.checkpointBarriers, plugin.restartBarriers]) {
    const twice = barriersOfOne.find((one, index) => barriersOfOne.indexOf(one) !== index);
    if (twice !== undefined) reasons.push(`it has two barriers "${twice}"`);
  }
  const bad = barriers.find((one) => !/^[\w.-]+$/.test(one));
  if (bad !== undefined) reasons.push(`its barrier "${bad}" has other characters than letters, digits, "_", "." and "-"`);
  return reasons;
}

function warnings(library: LibraryFacts, plugin: PluginFacts | undefined): string[] {
  const found: string[] = [];
  const add = (names: readonly string[], say: (list: string) => string): void => {
    if (names.length > 0) found.push(say(some(names)));
  };
  const abi = plugin?.abi;
  if (abi !== undefined && abi.major === ABI.major && abi.minor > ABI.minor)
    found.push(
      `it was built for ${abi.major}.${abi.minor}: what is newer than ${ABI.major}.${ABI.minor} is not there, which it has to check`,
    );
  if (plugin !== undefined && !plugin.callbacks.includes('event'))
    found.push('it has no function for events, so none reaches it');
  add(
    library.functions.filter((name) => TAKES_LOCKS.test(name)),
    (list) => `it uses ${list}: in [init] and [running] only, for a stopped thread may hold the locks that they take`,
  );
  add(
    library.functions.filter((name) => CHANGES_SIGNALS.test(name)),
    (list) => `it uses ${list}: signals are the program's`,
  );
  add(
    library.functions.filter((name) => STARTS.test(name)),
    (list) => `it uses ${list}: what it starts belongs to the computation`,
  );
  add(
    library.replaces,
    (list) => `it exports ${list}, as the C library does: hide them, unless they are meant to stand before it`,
  );
  const others = library.exported.filter((name) => name !== ENTRY && !library.replaces.includes(name));
  add(others, (list) => `it exports ${list}: hide what is no interface (-fvisibility=hidden)`);
  if (library.constructors > 0) found.push(`${library.constructors} of its functions run when it is loaded, before init`);
  if (library.textRelocations)
    found.push('its code is written to when it is loaded, which some systems forbid: compile it with -fPIC');
  if (library.executableStack) found.push("it makes the program's stacks executable: link it with -z noexecstack");
  if (library.needed.some((name) => name.startsWith('libstdc++')))
    found.push(
      'it needs libstdc++, of which the program may have another version: link it with -static-libstdc++ and hide its symbols',
    );
  return found;
}

function notAtRestart(library: LibraryFacts): string[] {
  const found: string[] = [];
  const needed = library.needed.filter((name) => !ALWAYS_THERE.test(name));
  if (needed.length > 0) found.push(`only where the program has loaded ${needed.join(', ')}`);
  if (library.threadLocalBytes > 0) found.push('it has thread-local variables');
  if (library.packedRelocations) found.push('it has packed relocations: link it with -z nopack-relative-relocs');
  return found;
}
