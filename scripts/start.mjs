/**
 * `npm start`: from a fresh clone to a workbench with Cairn installed and the sample folder open. Where a desktop `code` is on
 * PATH that is the workbench; else one is served on a loopback port, in the foreground until Ctrl-C, which ends it and the
 * sessions that were started in it. With --serve, `code` is not looked for.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './lib/bootstrap.mjs';
import { inTree, main, onPath, run, step } from './lib/tree.mjs';

const sample = inTree('examples/riscv-soc');

async function openOnDesktop(code, vsix) {
  await run(code, ['--install-extension', vsix, '--force']);
  await run(code, ['--new-window', sample]);
  process.stdout.write(`\nOpened ${sample} in VS Code. In Run and Debug, start "RISC-V SoC (Icarus)" with F5.\n`);
}

/** Resolves at Ctrl-C, at SIGTERM, and when the terminal goes away. */
function interrupted() {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => done(signal));
  });
}

async function serve(vsix) {
  const [{ installWorkbench }, { startWorkbench }, { liveSessions, runtimeFolder, stopSession }] = await Promise.all([
    import('./workbench/install.mjs'),
    import('./workbench/server.mjs'),
    import('./workbench/sessions.mjs'),
  ]);
  const codeServer = installWorkbench();
  const runFolder = mkdtempSync(join(tmpdir(), 'cairn-start-'));
  // The user's own runtime folder: `cairn` in any terminal sees the sessions of the workbench.
  const runtime = runtimeFolder();
  const before = new Set(liveSessions(runtime).map((session) => session.computation));
  const signal = interrupted();
  const workbench = await startWorkbench({ codeServer, runFolder, vsix: [vsix], env: { CAIRN_RUNTIME_DIR: runtime } });
  try {
    process.stdout.write(
      `\nThe workbench is at\n\n    ${workbench.address(sample)}\n\n` +
        'Open it in a browser on this machine. In Run and Debug, start "RISC-V SoC (Icarus)" with F5.\nCtrl-C ends it.\n',
    );
    await Promise.race([signal, workbench.ended]);
  } finally {
    process.stdout.write('\nEnding the workbench\n');
    await workbench.stop();
    for (const session of liveSessions(runtime)) {
      if (before.has(session.computation) || !session.store.startsWith(sample)) continue;
      process.stdout.write(`Stopping session ${session.session}\n`);
      await stopSession(runtime, session.session);
    }
    rmSync(runFolder, { recursive: true, force: true });
  }
}

await main(async () => {
  if (!(await bootstrap(['build', 'samples']))) return;
  await run(process.execPath, [inTree('scripts/build.mjs')]);
  const { packageExtension } = await import('./package.mjs');
  const { file } = await step('package', packageExtension);
  const code = process.argv.includes('--serve') ? undefined : onPath('code');
  if (code) await openOnDesktop(code, file);
  else await serve(file);
});
