/**
 * A Slurm cluster of a test's own on this machine: munged, slurmctld and a slurmd for each node, with configuration, key, ports and state
 * below the test's folder. Daemons end with this process, whatever becomes of it; close() cancels the jobs first. Needs root, as slurmd
 * does; `refusal` says what is missing.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { childrenOf, executable, readProc, waitFor } from '../support/processes.js';
import { Program } from '../support/program.js';
import type { CommandResult, Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { isThere } from './program-under-cairn.js';

/** The daemon that is not one of a node's. */
const CONTROLLER = 'slurmctld';
const PROGRAMS = ['slurmctld', 'slurmd', 'munged', 'srun', 'sbatch', 'scancel', 'scontrol', 'squeue', 'setpriv'];

/** Why there can be no cluster here; undefined: there can. */
export function refusal(): string | undefined {
  const missing = PROGRAMS.filter((name) => !isThere(name));
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  return process.getuid?.() === 0 ? undefined : 'slurmd starts jobs as root alone';
}

/** Ports that nobody has now; all are held until all are known. */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let i = 0; i < count; i++) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What a process has open, and its working folder; nothing of one that has ended. */
function openFiles(pid: number): string[] {
  try {
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return [...open, readlinkSync(`/proc/${pid}/cwd`)];
  } catch {
    return [];
  }
}

const descendants = (pid: number): number[] => childrenOf(pid).flatMap((child) => [...descendants(child), child]);

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** A daemon gives up where it is started: this machine, or container, does not have what it wants. */
export class CannotRun extends Error {}

export interface ClusterOptions {
  nodes?: number;
  /** Seconds after which a node that does not answer is taken for lost. */
  lostAfter?: number;
}

export class Cluster {
  readonly #folder: string;
  /** By the node's name, or its own; in the order of their start. */
  readonly #daemons = new Map<string, Program>();
  readonly nodes: readonly string[];
  readonly #lostAfter: number | undefined;

  private constructor(
    readonly scratch: Scratch,
    { nodes = 2, lostAfter }: ClusterOptions,
  ) {
    this.#folder = scratch.makeFolder(join(scratch.folder, 'slurm'));
    this.nodes = Array.from({ length: nodes }, (_, index) => `n${index}`);
    this.#lostAfter = lostAfter;
  }

  static async open(scratch: Scratch, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(scratch, options);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      const logs = cluster.logs();
      await cluster.close();
      if (error instanceof CannotRun) throw error;
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs}`, { cause: error });
    }
  }

  get env(): Record<string, string> {
    const { env } = this.scratch;
    return { ...env, PATH: `${inTree('bin')}:${env['PATH']}`, SLURM_CONF: join(this.#folder, 'slurm.conf') };
  }

  #configuration([controller = 0, ...ports]: readonly number[]): string {
    const at = (name: string): string => join(this.#folder, name);
    const nodes = this.nodes.map(
      (name, i) => `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=8`,
    );
    const settings = `
      ClusterName=cairn SlurmctldHost=localhost SlurmctldPort=${controller} SlurmUser=root SlurmdUser=root
      AuthType=auth/munge CredType=cred/munge AuthInfo=socket=${at('munge')}
      StateSaveLocation=${at('state')} SlurmdSpoolDir=${at('spool-%n')}
      SlurmctldPidFile=${at('slurmctld.pid')} SlurmdPidFile=${at('slurmd-%n.pid')}
      SlurmctldLogFile=${at('slurmctld.log')} SlurmdLogFile=${at('slurmd-%n.log')}
      ProctrackType=proctrack/linuxproc TaskPlugin=task/none SwitchType=switch/none MpiDefault=none
      SelectType=select/cons_tres SelectTypeParameters=CR_CPU SlurmdParameters=config_overrides
      SchedulerParameters=batch_sched_delay=0,sched_interval=1 ReturnToService=2 KillWait=2
      AccountingStorageType=accounting_storage/none JobAcctGatherType=jobacct_gather/none`;
    const lines = settings.trim().split(/\s+/);
    if (this.#lostAfter !== undefined) lines.push(`SlurmdTimeout=${this.#lostAfter}`);
    return [...lines, ...nodes, `PartitionName=main Nodes=${this.nodes.join(',')} Default=YES State=UP`, ''].join('\n');
  }

  #daemon(name: string, ...words: string[]): void {
    const command = ['setpriv', '--pdeathsig', 'KILL', '--', ...words];
    this.#daemons.set(name, new Program(command, { cwd: this.#folder, env: this.env }));
  }

  #startNode(node: string): void {
    this.#daemon(node, 'slurmd', '-D', '-N', node);
  }

  /** The daemon of a node is killed; what it has started runs on. Its successor finds it. */
  async replaceNode(node: string): Promise<void> {
    await this.#kill(node);
    this.#startNode(node);
  }

  async replaceController(): Promise<void> {
    await this.#kill(CONTROLLER);
    this.#daemon(CONTROLLER, 'slurmctld', '-D');
  }

  /**
   * What an administrator does: a controller that was killed may not know of a job that it has just started, and takes nodes that tell of it out of use.
   */
  async resumeDrained(): Promise<void> {
    const { stdout } = await this.run('sinfo', '--noheader', '--Node', '--format=%N %t');
    const drained = stdout.split('\n').flatMap((line) => /^(\S+) dr/.exec(line)?.[1] ?? []);
    if (drained.length > 0) await this.run('scontrol', 'update', `NodeName=${drained.join(',')}`, 'State=RESUME');
  }

  /** The daemon of a node and all that it has started are killed. */
  async loseNode(node: string): Promise<void> {
    await this.#kill(node);
    const there = this.#steps().map((pid) => [...descendants(pid), pid]);
    const isOf = (pid: number): boolean => readProc(pid, 'environ').includes(`SLURMD_NODENAME=${node}\0`);
    for (const pid of there.filter((one) => one.some(isOf)).flat()) kill(pid);
  }

  /** After it was lost. */
  bringBack(node: string): void {
    this.#startNode(node);
  }

  async #kill(name: string): Promise<void> {
    const daemon = this.#daemons.get(name);
    daemon?.signal('SIGKILL');
    await daemon?.exit();
  }

  async #start(): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    for (const name of ['state', ...this.nodes.map((node) => `spool-${node}`)]) mkdirSync(at(name));
    writeFileSync(at('key'), randomBytes(1024), { mode: 0o400 });
    writeFileSync(at('slurm.conf'), this.#configuration(await freePorts(1 + this.nodes.length)));
    const files = Object.entries({
      socket: 'munge',
      'key-file': 'key',
      'pid-file': 'pid',
      'log-file': 'log',
      'seed-file': 'seed',
    });
    // --force: the folders above are everybody's.
    this.#daemon('munged', 'munged', '--foreground', '--force', ...files.map(([option, name]) => `--${option}=${at(name)}`));
    await waitFor('munged', () => readdirSync(this.#folder).includes('munge'), 20);
    this.#daemon(CONTROLLER, 'slurmctld', '-D');
    for (const node of this.nodes) this.#startNode(node);
    await waitFor(
      'the nodes',
      async () => {
        const over = [...this.#daemons.values()].find(({ status }) => status !== undefined);
        if (over !== undefined)
          throw new CannotRun(`${over.command.slice(4).join(' ')}: ${over.stderr.trim().split('\n').slice(-3).join('; ')}`);
        return (await this.run('sinfo', '--noheader', '--Node', '--format=%t')).stdout === 'idle\n'.repeat(this.nodes.length);
      },
      40,
    );
  }

  /** A command, to its end. */
  run(file: string, ...args: string[]): Promise<CommandResult> {
    return new Promise((resolve) => {
      const options = { cwd: this.scratch.work, env: this.env, timeout: 60_000, encoding: 'utf8' } as const;
      execFile(file, args, options, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      });
    });
  }

  /** A command that must succeed; what it printed. */
  async done(file: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(file, ...args);
    if (status === 0) return stdout.trim();
    throw new Error(`${[file, ...args].join(' ')} gave ${status}: ${stderr}\n${this.logs()}\n${this.scratch.logs()}`);
  }

  /** Submits a script of the working folder; the job's number. */
  async submit(script: string, ...options: string[]): Promise<string> {
    return this.done('sbatch', '--parsable', ...options, script);
  }

  /** Jobs that have not left yet, one for each task of an array: by their name, JOB or JOB_TASK, and the number of their own. */
  async queue(): Promise<{ name: string; number: string; state: string }[]> {
    const lines = (await this.done('squeue', '--noheader', '--array', '--format=%i %A %t')).split('\n').filter(Boolean);
    return lines.map((line) => {
      const [name = '', number = '', state = ''] = line.split(' ');
      return { name, number, state };
    });
  }

  async empty(seconds = 40): Promise<void> {
    await waitFor('the end of all jobs', async () => (await this.queue()).length === 0, seconds);
  }

  /** Waits until nothing of any job runs on a node. */
  async idle(seconds = 30): Promise<void> {
    await waitFor('the end of all steps', () => this.#steps().length === 0, seconds);
  }

  logs(): string {
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.log'));
    const last = names.map((name) => readFileSync(join(this.#folder, name), 'utf8').trim().split('\n').slice(-12).join('\n    '));
    return names.map((name, i) => `  ${name}:\n    ${last[i]}`).join('\n');
  }

  /** slurmstepd names no folder on its command line. */
  #steps(): number[] {
    const within = (pid: number): boolean => openFiles(pid).some((path) => path.startsWith(`${this.#folder}/`));
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return pids.filter((pid) => executable(pid).includes('slurmstepd') && within(pid));
  }

  async close(): Promise<void> {
    // The commands wait long for a controller that has ended.
    const daemons = [...this.#daemons.values()];
    if (this.#daemons.get(CONTROLLER)?.status === undefined) {
      await this.run('scancel', '--user=root').catch(() => undefined);
      await this.empty(15).catch(() => undefined);
    }
    for (const daemon of daemons.toReversed()) daemon.signal('SIGTERM');
    const over = (): boolean => daemons.every(({ status }) => status !== undefined);
    await waitFor('the daemons', over, 10).catch(() => undefined);
    for (const daemon of daemons) daemon.end();
    for (const pid of this.#steps()) kill(pid);
  }
}
