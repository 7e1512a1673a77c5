/**
 * From a fresh clone to a tree where everything can be built and run: Debian packages, npm packages, and then the calling
 * script again on the tree's own Node. Only Node's own modules (from Node 20 on).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, inTree, onPath, root, run, treeEnv, treeNode } from './tree.mjs';

/** What each job needs from Debian 12. */
export const debianPackages = {
  build: [
    'g++',
    'gcc-multilib',
    'g++-multilib',
    'cmake',
    'ninja-build',
    'protobuf-compiler',
    'nanopb',
    'libnanopb-dev',
    'libzstd-dev',
    'libxxhash-dev',
    'libgtest-dev',
    'binutils',
  ],
  samples: ['make', 'iverilog', 'verilator'],
  test: [
    'chromium',
    'gcc-riscv64-unknown-elf',
    'gdb',
    'strace',
    'procps',
    'util-linux',
    'iproute2',
    'python3',
    'perl',
    'tcl',
    'expect',
    'bc',
    'tmux',
    'screen',
    'vim',
    'bsdutils',
    'fakeroot',
    'sqlite3',
    'libjemalloc2',
    'libgoogle-perftools4',
    'libtcmalloc-minimal4',
    'mpich',
    'libmpich-dev',
    'openmpi-bin',
    'libopenmpi-dev',
    'slurmctld',
    'slurmd',
    'slurm-client',
    'munge',
    'ngspice',
    'libsystemc-dev',
    'libsodium-dev',
    'ghdl-mcode',
    'ghdl-llvm',
    'tigervnc-standalone-server',
    'xterm',
    'x11-apps',
    'gtkwave',
    'xpra',
    'python3-pil',
    'python3-gi-cairo', // xpra's viewer draws by it, and only recommends it
    'xvfb',
  ],
};

function missingDebianPackages(wanted) {
  const result = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted], { encoding: 'utf8' });
  if (result.error) return null; // not a Debian
  const installed = new Set();
  for (const line of result.stdout.split('\n')) {
    const [name, status] = line.split(' ');
    if (status === 'installed') installed.add(name);
  }
  return wanted.filter((name) => !installed.has(name));
}

async function installDebianPackages(jobs) {
  const wanted = jobs.flatMap((job) => debianPackages[job]);
  const missing = missingDebianPackages(wanted);
  if (missing === null) {
    process.stderr.write(
      `This is not a Debian system: make sure that the equivalents of these packages are there: ${wanted.join(' ')}\n`,
    );
    return;
  }
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : onPath('sudo') ? ['sudo'] : null;
  const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=600'];
  if (sudo === null) {
    throw new Failure(
      `These Debian packages are missing, and there is neither root nor sudo to install them. As root, run:\n  apt-get update && apt-get install -y ${missing.join(' ')}`,
    );
  }
  process.stdout.write(`Installing Debian packages: ${missing.join(' ')}\n`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const words = (...rest) => [...sudo, ...(sudo.length ? ['DEBIAN_FRONTEND=noninteractive'] : []), ...apt, ...rest];
  for (const command of [words('update', '-q'), words('install', '-y', '-q', '--no-install-recommends', ...missing)]) {
    await run(command[0], command.slice(1), { env, quiet: true });
  }
}

/** Whether node_modules holds what package-lock.json says; npm's own record of what it installed is compared. */
function npmIsUpToDate() {
  const record = inTree('node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(inTree('package-lock.json'), 'utf8')).packages;
  const there = JSON.parse(readFileSync(record, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    const found = there[path];
    if (found ? found.version !== entry.version : !entry.optional && !entry.peer) return false;
  }
  return existsSync(treeNode);
}

async function installNpmPackages() {
  if (npmIsUpToDate()) return;
  const npm = onPath('npm');
  if (!npm) throw new Failure('npm is not on PATH. Install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm).');
  process.stdout.write('Installing npm packages\n');
  // Not the Node of node_modules/.bin, which npm replaces while it runs.
  const path = (process.env.PATH ?? '').split(':').filter((entry) => !entry.includes('node_modules'));
  const result = spawnSync(npm, ['ci'], { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path.join(':') } });
  if (result.status !== 0) throw new Failure(`npm ci failed with exit status ${result.status}; its messages are above`);
}

/**
 * Makes the tree ready for `jobs`, and makes sure that this script runs on the tree's Node: returns true where it does;
 * where it does not, runs the script again there, takes over its exit status, and returns false.
 */
export async function bootstrap(jobs) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Failure(`Cairn runs on Linux x86-64; this is ${process.platform} ${process.arch}`);
  }
  // Begun below, whatever its path looks like from here: node_modules may be a link.
  if (process.env.CAIRN_BOOTSTRAPPED === String(process.ppid)) return true;
  await installDebianPackages(jobs);
  await installNpmPackages();
  if (process.execPath === treeNode) return true;
  // The terminal's signals reach both; the parent waits for the child's end.
  const ignore = () => {};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, ignore);
  const { spawn } = await import('node:child_process');
  const child = spawn(treeNode, process.argv.slice(1), {
    stdio: 'inherit',
    env: treeEnv({ CAIRN_BOOTSTRAPPED: String(process.pid), PATH: `${dirname(treeNode)}:${process.env.PATH}` }),
  });
  process.removeAllListeners('SIGTERM');
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const code = await new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (status, signal) => done(status ?? (signal ? 128 + 15 : 1)));
  });
  process.exitCode = code;
  return false;
}

export const lockFile = join(root, 'package-lock.json');
