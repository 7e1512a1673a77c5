/**
 * The `cairn` command: what it understands. Each command's own code is loaded only when it is asked for, so that `cairn run`
 * is as quick as it can be. Exit status: 0 done, 1 the operation failed, 2 wrong usage,
 * 128 + a signal's number given up by it; in the foreground, the program's.
 */
import { Command, CommanderError, Option } from 'commander';
import { installedVersion } from '../platform/installation.js';
import type { SignalAction } from '../protocol/signals.js';
import { printError } from './output.js';

const collect = (value: string, before: string[]): string[] => [...before, value];

const json = (): Option => new Option('--json', 'print the result as JSON').default(false);
const session = (): Option => new Option('--session <name>', 'session; default: CAIRN_SESSION, else the only one that runs');
const store = (): Option =>
  new Option('--store <dir>', 'folder of the snapshots; default: CAIRN_STORE, else .cairn in the working directory');

const fileRules = (): Option =>
  new Option(
    '--file <pattern=how>',
    'what becomes of files: save, check or ignore (repeatable, the first that fits counts); default: save what is written to, check the rest',
  )
    .argParser(collect)
    .default([]);

const pluginSettings = (): Option =>
  new Option('--set <plugin.key=value>', 'another setting for a plugin; the others stay as they are (repeatable)')
    .argParser(collect)
    .default([]);

const holdAt = (): Option =>
  new Option(
    '--hold-at <name>',
    'hold it before a phase (save, resume, restart) or a barrier (PLUGIN.BARRIER), all threads stopped, until cairn resume (repeatable)',
  )
    .argParser(collect)
    .default([]);

let exitStatus = 0;

/** Runs `work` and keeps its exit status. */
function does<A extends unknown[]>(work: (...args: A) => Promise<number>): (...args: A) => Promise<void> {
  return async (...args) => {
    exitStatus = await work(...args);
  };
}

function starting(command: Command): Command {
  return command
    .addOption(store())
    .option('--session <name>', 'name of the new session; default: CAIRN_SESSION, else made from the program')
    .option(
      '--env <[program:]name=value>',
      'set an environment variable, of all processes or of those of one program or id (repeatable); NAME*: all whose names begin so are as here',
      collect,
      [],
    )
    .option('--unset <[program:]name>', 'remove an environment variable (repeatable)', collect, [])
    .addOption(fileRules())
    .option(
      '--connection <pattern=how>',
      'what becomes of connections that leave the computation, by the address of the peer: refuse, close, or external, so that a plugin brings them back (repeatable, the first that fits counts); default: external where a plugin wants it, else refuse',
      collect,
      [],
    )
    .option('--clock <how>', 'CLOCK_MONOTONIC over a restart: go-on, or continue as if no time had passed; default: go-on')
    .option('--plugin <lib[=settings.json]>', 'load a plugin into the program (repeatable)', collect, [])
    .option('--profile <name>', 'the plugins of a profile of the workspace (.vscode/cairn-plugins.json), below those of --plugin')
    .option('--compress', 'compress the pages of snapshots with zstd; a restart unpacks them first', false)
    .option('--detach', 'run in a terminal of the session, and return when it has started', false)
    .option('--listen [address]', 'let other hosts join, at ADDRESS[:PORT]; default: 127.0.0.1 and any port')
    .option(
      '--launcher <words>',
      'a command that starts programs on other hosts, as "WORDS {host} {command}" (repeatable)',
      collect,
      [],
    )
    .addOption(json());
}

function program(): Command {
  const cairn = new Command('cairn')
    .description(
      'Checkpoint sessions for hardware simulation: snapshot a running program, restart it from there as often as wanted.',
    )
    .version(installedVersion(), '--version', 'print the version')
    .enablePositionalOptions()
    .showHelpAfterError('(see --help)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'cairn: ')) });

  starting(
    cairn.command('run').description('start a program under Cairn').argument('<program...>', 'the program and its arguments'),
  )
    .option('--strict', 'refuse at once what cannot be checkpointed: programs, and what they would open', false)
    .passThroughOptions()
    .usage('[options] -- PROGRAM [ARGS...]')
    .action(does(async (argv, options) => (await import('./commands/run.js')).run(argv, options)));

  cairn
    .command('join')
    .description('start a program on this host into a session whose coordinator is on another one')
    .argument('[program...]', 'the program and its arguments')
    .requiredOption('--coordinator <address>', 'ADDRESS:PORT of the coordinator; see cairn status there')
    .option('--secret-file <file>', "the session's secret; see cairn status there")
    .option('--secret-stdin', 'read the secret from standard input, where there is no such file', false)
    .option('--name <host>', 'name of this host; default: as it calls itself')
    .option('--restart <number>', 'bring back the processes of this host of the snapshot that is being restarted')
    .option('--detach', 'return when the program has been started', false)
    .passThroughOptions()
    .usage('--coordinator ADDRESS:PORT --secret-file FILE [options] -- PROGRAM [ARGS...]')
    .action(does(async (argv, options) => (await import('./commands/join.js')).join(argv, options)));

  cairn
    .command('checkpoint')
    .description('make a snapshot; returns when it is on disk')
    .addOption(session())
    .option('--name <text>', 'name of the snapshot', '')
    .option('--then <what>', 'what the program does afterwards: resume, hold or kill', 'resume')
    .addOption(holdAt())
    .addOption(fileRules())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/session.js')).checkpoint(options)));

  starting(
    cairn
      .command('restart')
      .description('start a new session from a snapshot')
      .argument('<snapshot>', 'id, unique beginning of an id, name, or folder'),
  )
    .option('--path <from=to>', 'a path of the program that is elsewhere now (repeatable)', collect, [])
    .option(
      '--slot <name|folder>',
      'a run slot: its folder takes what this run writes; a named one has paths and environment, too',
    )
    .option('--without <plugin>', 'take a plugin of the snapshot out, by its name or library (repeatable)', collect, [])
    .option('--order <plugins>', 'layers of all plugins from outside, as NAME,NAME,…, the lowest first')
    .addOption(pluginSettings())
    .option('--changed-file <what>', 'files that have changed since: refuse or use; default: refuse')
    .addOption(holdAt())
    .option('--in-place', 'write to the files where they were, instead of to a run folder', false)
    .option('--host <name=where>', "restart a host's processes there, by the launcher (repeatable); others: here", collect, [])
    .option('--check', 'only say whether it can be restarted here', false)
    .action(does(async (text, options) => (await import('./commands/run.js')).restart(text, options)));

  cairn
    .command('attach')
    .description('bring a running program, with its children, under Cairn')
    .argument('<pid>', 'process id')
    .addOption(store())
    .option('--session <name>', 'name of the new session; default: made from the program')
    .option('--plugin <lib[=settings.json]>', 'load a plugin into the program (repeatable)', collect, [])
    .option('--compress', 'compress the pages of snapshots with zstd; a restart unpacks them first', false)
    .addOption(json())
    .action(does(async (pid, options) => (await import('./commands/attach.js')).attach(pid, options)));
  cairn
    .command('detach')
    .description('leave the program to itself; any command that names the session takes it up again')
    .addOption(session())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/attach.js')).detach(options)));

  cairn
    .command('status')
    .description('what a session does')
    .addOption(session())
    .option('--all', 'all sessions, those that have ended too', false)
    .addOption(json())
    .action(does(async (options) => (await import('./commands/session.js')).status(options)));
  cairn
    .command('hold')
    .description('stop all threads of the program')
    .addOption(session())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/session.js')).hold(options)));
  cairn
    .command('resume')
    .description('let a held program go on')
    .addOption(session())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/session.js')).resume(options)));
  cairn
    .command('cancel')
    .description('give up what is under way: after a checkpoint the program runs on, what a restart has made ends')
    .addOption(session())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/session.js')).cancel(options)));
  cairn
    .command('stop')
    .description('end the program: SIGTERM, then SIGKILL')
    .addOption(session())
    .option('--grace <seconds>', 'time between the two', '5')
    .addOption(json())
    .action(does(async (options) => (await import('./commands/session.js')).stop(options)));

  cairn
    .command('tables')
    .description(
      'virtual names and what they are now: pid, path, env, fd, connection, plugin (what plugins from outside show of their own), thread or mapping',
    )
    .argument('<table>')
    .addOption(session().conflicts('snapshot'))
    .option('--snapshot <id>', 'as they were in a snapshot')
    .addOption(store())
    .option('--pid <pid>', 'of one process only')
    .option('--filter <[column=]text>', 'only rows that have the text, in any column or in one (repeatable)', collect, [])
    .option('--column <name>', 'only this column (repeatable); one alone is printed without its title', collect, [])
    .option('--history', 'what each name led to in each run of the branch, by its snapshots', false)
    .addOption(json())
    .action(does(async (kind, options) => (await import('./commands/tables.js')).tables(kind, options)));
  const plugins = cairn
    .command('plugins')
    .description('the plugins of each process, in the order of their layers')
    .addOption(session())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/plugins.js')).plugins(options)));
  plugins
    .command('add')
    .description('give plugins to a computation that is held, above those that it has')
    .argument('<lib[=settings.json]...>', 'libraries, each with a file of settings')
    .addOption(session())
    .addOption(json())
    .action(does(async (texts, options) => (await import('./commands/plugins.js')).addPlugins(texts, options)));
  plugins
    .command('set')
    .description('change settings of plugins while the program runs, where their schemas say that it may')
    .argument('<plugin.key=value...>', 'by the names that cairn plugins shows')
    .addOption(session())
    .addOption(json())
    .action(does(async (texts, options) => (await import('./commands/plugins.js')).setPlugins(texts, options)));
  const pid = (): Option => new Option('--pid <pid>', 'the process, where several are simulations');
  const signals = cairn
    .command('signals')
    .description('design signals of a running simulation, with their values and the simulated time')
    .argument('[pattern]', 'names with * and ?, or a part of a name, or MEMORY[INDEX]; default: all')
    .option('--offset <number>', 'signals to pass over', '0')
    .option('--limit <number>', 'how many to show', '200')
    .addOption(pid())
    .addOption(session())
    .addOption(json())
    .action(does(async (pattern, options) => (await import('./commands/signals.js')).signals(pattern, options)));
  const writing: [action: SignalAction, argument: string, what: string][] = [
    ['set', '<name=value...>', 'give signals a value, which lasts until the design assigns another; all in one time step'],
    ['force', '<name=value...>', 'hold signals at a value, until they are released'],
    ['release', '<name...>', 'let the design drive signals again that were forced'],
  ];
  for (const [action, argument, what] of writing)
    signals
      .command(action)
      .description(what)
      .argument(argument, "values as in Verilog: 42, 8'hff, 'b10xz; a memory's word as NAME[INDEX], a bit likewise")
      .addOption(pid())
      .addOption(session())
      .addOption(json())
      .action(does(async (texts, options) => (await import('./commands/signals.js')).writeSignals(action, texts, options)));
  signals
    .command('watch')
    .description(
      'hold the computation when a signal changes, or comes to meet a condition, in place of those of before; without any: no more',
    )
    .argument('[name[condition]...]', "a signal, and a condition with ==, !=, <, <=, > or >=, quoted: 'top.state==4'")
    .addOption(pid())
    .addOption(session())
    .addOption(json())
    .action(does(async (texts, options) => (await import('./commands/signals.js')).watchSignals(texts, options)));
  signals
    .command('choose')
    .description('signals whose values are noted with each snapshot from now on; without names: which they are')
    .argument('[name...]', 'signals, in place of those of before')
    .option('--none', 'no more', false)
    .addOption(session())
    .addOption(json())
    .action(does(async (names, options) => (await import('./commands/signals.js')).chooseSignals(names, options)));
  signals
    .command('tree')
    .description('what is directly in a scope of the design')
    .argument('[scope]', 'with all scopes around it; of a memory: its words; default: the top')
    .option('--offset <number>', 'entries to pass over', '0')
    .option('--limit <number>', 'how many to show', '200')
    .addOption(pid())
    .addOption(session())
    .addOption(json())
    .action(does(async (scope, options) => (await import('./commands/signals.js')).signalTree(scope, options)));
  cairn
    .command('barriers')
    .description(
      'the phases and barriers of the last checkpoint or restart: how long they took, who came last, which plugin was slowest',
    )
    .addOption(session().conflicts('snapshot'))
    .option('--snapshot <id>', 'of the checkpoint that made a snapshot, and of the last restarts from it')
    .addOption(store())
    .option('--follow', 'live, until the session ends', false)
    .addOption(json())
    .action(does(async (options) => (await import('./commands/barriers.js')).barriers(options)));
  cairn
    .command('logs')
    .description("the coordinator's log")
    .addOption(session())
    .option('--output', "what the program printed in the session's terminal", false)
    .action(does(async (options) => (await import('./commands/session.js')).logs(options)));
  cairn
    .command('terminal')
    .description("show and use the session's terminal; Ctrl-\\ twice leaves it")
    .addOption(session())
    .action(does(async (options) => (await import('./commands/terminal.js')).terminal(options)));

  const which = 'id, unique beginning of an id, name, or folder';
  cairn
    .command('ls')
    .description('the tree of snapshots')
    .argument('[snapshot]', which)
    .addOption(store())
    .addOption(json())
    .action(does(async (text, options) => (await import('./commands/snapshots.js')).ls(text, options)));
  cairn
    .command('show')
    .description('all about a snapshot; the newest by default')
    .argument('[snapshot]', which)
    .addOption(store())
    .option('--verify', 'read all files and compare their checksums', false)
    .addOption(json())
    .action(does(async (text, options) => (await import('./commands/snapshots.js')).show(text, options)));
  cairn
    .command('rename')
    .description('name a snapshot')
    .argument('<snapshot>', which)
    .argument('<name>')
    .addOption(store())
    .addOption(json())
    .action(does(async (text, name, options) => (await import('./commands/snapshots.js')).rename(text, name, options)));
  cairn
    .command('note')
    .description('write a note to a snapshot')
    .argument('<snapshot>', which)
    .argument('<text>')
    .addOption(store())
    .addOption(json())
    .action(does(async (text, note, options) => (await import('./commands/snapshots.js')).annotate(text, note, options)));
  cairn
    .command('pin')
    .description('protect a snapshot from removal')
    .argument('<snapshot>', which)
    .addOption(store())
    .addOption(json())
    .action(does(async (text, options) => (await import('./commands/snapshots.js')).pin(text, options)));
  cairn
    .command('unpin')
    .description('allow the removal of a snapshot again')
    .argument('<snapshot>', which)
    .addOption(store())
    .addOption(json())
    .action(does(async (text, options) => (await import('./commands/snapshots.js')).unpin(text, options)));
  cairn
    .command('rm')
    .description('remove snapshots; those made from them stay')
    .argument('<snapshot...>', which)
    .addOption(store())
    .addOption(json())
    .action(does(async (texts, options) => (await import('./commands/snapshots.js')).rm(texts, options)));

  const plugin = cairn.command('plugin').description('write a plugin, look at one, see what plugins did');
  plugin
    .command('new')
    .description('make a folder with a plugin that builds and tests itself')
    .argument('<name>', 'name of the folder and of the plugin: letters, digits and "-"')
    .option('--fault', 'a fault model in C++, with a campaign that uses it', false)
    .addOption(json())
    .action(does(async (name, options) => (await import('./commands/plugin-new.js')).newPlugin(name, options)));
  plugin
    .command('check')
    .description('what a plugin exports, needs and may break')
    .argument('<lib>', 'the library')
    .addOption(json())
    .action(does(async (path, options) => (await import('./commands/plugin-check.js')).checkPlugin(path, options)));
  plugin
    .command('trace')
    .description('every callback of every plugin in the last checkpoint or restart, with times, by process')
    .addOption(session().conflicts('snapshot'))
    .option('--snapshot <id>', 'of the checkpoint that made a snapshot, and of the last restarts from it')
    .addOption(store())
    .option('--plugin <name>', 'of one plugin only (repeatable)', collect, [])
    .option('--pid <pid>', 'of one process only')
    .option('--follow', 'of each operation as it ends, until the session ends', false)
    .option(
      '--calls',
      'calls of functions that plugins wrap, too, each when it has returned; follows. They take longer as long as this runs',
      false,
    )
    .option('--seconds <number>', 'how long to follow')
    .addOption(json())
    .action(does(async (options) => (await import('./commands/plugin-trace.js')).tracePlugins(options)));

  const campaign = cairn.command('campaign').description('runs with faults from a snapshot, and what became of each');
  const campaigns = (name: string, description: string): Command =>
    campaign
      .command(name)
      .description(description)
      .argument('<file>', 'the campaign, as YAML')
      .option('--name <name>', 'of the results; default: as the file')
      .option('--store <dir>', "folder of the snapshot and of the results; default: the file's")
      .addOption(json());
  campaigns('run', 'run it, or go on with it; the last line of --json is the summary')
    .option('--workers <number>', 'runs at the same time')
    .action(does(async (file, options) => (await import('./commands/campaign.js')).run(file, options)));
  campaigns('status', 'what has been counted by now').action(
    does(async (file, options) => (await import('./commands/campaign.js')).status(file, options)),
  );
  // For jobs of Slurm.
  campaign
    .command('task', { hidden: true })
    .argument('<folder>')
    .action(does(async (folder) => (await import('./commands/campaign.js')).task(folder)));
  campaign
    .command('unstage', { hidden: true })
    .argument('<folder>')
    .argument('<stage>')
    .action(does(async (folder, stage) => (await import('./commands/campaign.js')).unstage(folder, stage)));
  campaigns('pause', 'no run of it begins, whoever runs it, until it is resumed; those under way go on to their end').action(
    does(async (file, options) => (await import('./commands/campaign.js')).pause(file, options)),
  );
  campaigns('resume', 'after pause').action(
    does(async (file, options) => (await import('./commands/campaign.js')).resume(file, options)),
  );
  campaigns('show', 'its runs, or one of them with its console')
    .argument('[run]', 'number of the run')
    .option('--outcome <outcome>', 'only those')
    .option('--model <name>', 'only those of a fault model')
    .option('--search <text>', 'only those with it in the words of the fault or of the deviation')
    .option('--scope <name>', 'only those with a fault in this instance of a module, or in calls of this program')
    .option('--target <name>', 'only those with a fault in this signal or word of a memory')
    .option('--times <first:last>', 'only those whose fault was to begin in these ticks, without the last one')
    .option('--offset <number>', 'runs to pass over')
    .option('--limit <number>', 'how many; --json then has the total, too')
    .action(does(async (file, number, options) => (await import('./commands/campaign.js')).show(file, number, options)));
  campaigns('export', 'its runs for other tools, to standard output')
    .option('--format <format>', 'csv, json, junit or html', 'csv')
    .option('--html', 'the same as --format html: one file, which opens in any browser', false)
    .action(does(async (file, options) => (await import('./commands/campaign.js')).exportRuns(file, options)));
  campaign
    .command('check')
    .description('whether a file is a campaign, and where not')
    .argument('<file>', 'the campaign, as YAML')
    .addOption(json())
    .action(does(async (file, options) => (await import('./commands/campaign.js')).check(file, options)));
  campaigns('repeat', 'one of its runs again, in the foreground')
    .argument('<run>', 'number of the run')
    .action(does(async (file, number, options) => (await import('./commands/campaign.js')).repeat(file, number, options)));

  campaigns('figures', 'what its results come to by module, time and register, AVF, and the metrics of ISO 26262')
    .option('--count <outcome=class...>', 'what an outcome counts as, such as hang=detected where there is a watchdog', [])
    .action(does(async (file, options) => (await import('./commands/campaign-figures.js')).figures(file, options)));
  campaigns('arm', 'the fault of one of its runs for a restart that is held just before it, as JSON')
    .argument('<run>', 'number of the run')
    .action(does(async (file, number, options) => (await import('./commands/campaign-figures.js')).arm(file, number, options)));
  campaigns('waveform', 'where one of its runs differs in the waveform from the run without a fault, as another waveform')
    .argument('<run>', 'number of the run')
    .action(
      does(async (file, number, options) => (await import('./commands/campaign-figures.js')).waveform(file, number, options)),
    );
  campaigns('plan', 'what it comes to: faults, runs, the interval of its rates, and the time it will take').action(
    does(async (file, options) => (await import('./commands/campaign-plan.js')).plan(file, options)),
  );
  campaigns('try', 'one of its faults, in the foreground and without results')
    .option('--number <number>', 'of the fault in the sample; default: any of them')
    .action(does(async (file, options) => (await import('./commands/campaign-plan.js')).tryFault(file, options)));
  campaign
    .command('design')
    .description("the signals of a snapshot's design, which it is restarted for where they are not known yet")
    .argument('<snapshot>', 'id, unique beginning of one, or name')
    .addOption(store())
    .addOption(json())
    .action(does(async (snapshot, options) => (await import('./commands/campaign-plan.js')).design(snapshot, options)));

  cairn
    .command('doctor')
    .description('whether Cairn can work here, and what to do where not')
    .addOption(store())
    .addOption(json())
    .action(does(async (options) => (await import('./commands/doctor.js')).doctor(options)));

  for (const command of [
    cairn,
    ...cairn.commands,
    ...plugin.commands,
    ...plugins.commands,
    ...signals.commands,
    ...campaign.commands,
  ])
    command.exitOverride();
  return cairn;
}

try {
  await program().parseAsync(process.argv);
} catch (error) {
  // Commander has already said what was wrong; help and version are no errors.
  exitStatus = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : printError(error);
}
// What a library may have left open does not keep the command.
process.exit(exitStatus);
