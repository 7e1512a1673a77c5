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
import { executable, waitFor } from '../support/processes.js';
import { Program } from '../support/program.js';
import type { CommandResult, Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { isThere } from './program-under-cairn.js';

const NODES = ['n0', 'n1'];
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

export class Cluster {
  readonly #folder: string;
  readonly #daemons: Program[] = [];

  private constructor(readonly scratch: Scratch) {
    this.#folder = scratch.makeFolder(join(scratch.folder, 'slurm'));
  }

  static async open(scratch: Scratch): Promise<Cluster> {
    const cluster = new Cluster(scratch);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      const logs = cluster.logs();
      await cluster.close();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs}`, { cause: error });
    }
  }

  get env(): Record<string, string> {
    const { env } = this.scratch;
    return { ...env, PATH: `${inTree('bin')}:${env['PATH']}`, SLURM_CONF: join(this.#folder, 'slurm.conf') };
  }

  #configuration([controller = 0, ...ports]: readonly number[]): string {
    const at = (name: string): string => join(this.#folder, name);
    const nodes = NODES.map((name, i) => `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=8`);
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
    return [...lines, ...nodes, `PartitionName=main Nodes=${NODES.join(',')} Default=YES State=UP`, ''].join('\n');
  }

  #daemon(...words: string[]): void {
    const command = ['setpriv', '--pdeathsig', 'KILL', '--', ...words];
    this.#daemons.push(new Program(command, { cwd: this.#folder, env: this.env }));
  }

  async #start(): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    for (const name of ['state', ...NODES.map((node) => `spool-${node}`)]) mkdirSync(at(name));
    writeFileSync(at('key'), randomBytes(1024), { mode: 0o400 });
    writeFileSync(at('slurm.conf'), this.#configuration(await freePorts(1 + NODES.length)));
    const files = Object.entries({
      socket: 'munge',
      'key-file': 'key',
      'pid-file': 'pid',
      'log-file': 'log',
      'seed-file': 'seed',
    });
    // --force: the folders above are everybody's.
    this.#daemon('munged', '--foreground', '--force', ...files.map(([option, name]) => `--${option}=${at(name)}`));
    await waitFor('munged', () => readdirSync(this.#folder).includes('munge'), 20);
    this.#daemon('slurmctld', '-D');
    for (const node of NODES) this.#daemon('slurmd', '-D', '-N', node);
    await waitFor(
      'the nodes',
      async () => {
        const over = this.#daemons.find(({ status }) => status !== undefined);
        if (over !== undefined) throw new Error(`a daemon has ended\n${over.transcript()}`);
        return (await this.run('sinfo', '--noheader', '--Node', '--format=%t')).stdout === 'idle\n'.repeat(NODES.length);
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
    const within = (pid: number): boolean => {
      try {
        const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
        return [...open, readlinkSync(`/proc/${pid}/cwd`)].some((path) => path.startsWith(`${this.#folder}/`));
      } catch {
        return false;
      }
    };
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return pids.filter((pid) => executable(pid).includes('slurmstepd') && within(pid));
  }

  async close(): Promise<void> {
    await this.run('scancel', '--user=root').catch(() => undefined);
    await this.empty(15).catch(() => undefined);
    for (const daemon of this.#daemons.toReversed()) daemon.signal('SIGTERM');
    const over = (): boolean => this.#daemons.every(({ status }) => status !== undefined);
    await waitFor('the daemons', over, 10).catch(() => undefined);
    for (const daemon of this.#daemons) daemon.end();
    for (const pid of this.#steps()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
  }
}
