/**
 * A run slot chosen at a restart on other hosts: working folder, mount point, display and the emulator's variables are that slot's for
 * every process of the computation and for what it starts, wherever it is.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import { cairnCommand } from '../support/tree.js';
import { cairn, join_, run, snapshot, statusOf, withNetwork } from './commands.js';
import { refusal } from './network.js';

/** A test bench: what it and a program that it starts see of its slot goes to its log, in the working folder. */
const BENCH = `
open(my $log, ">", "$ARGV[0].log"); $log->autoflush; print $log "begun\\n"; open(my $ready, ">", "$ARGV[1]/ready.$ARGV[0]");
select(undef, undef, undef, 0.05) while !-e "$ARGV[1]/go";
open(my $board, "<", "$ARGV[2]/board") or die; print $log "board: ", scalar <$board>;
print $log "child: ", \`cat $ARGV[2]/board; printenv DISPLAY; printenv EMU_SLOT; printenv EMU_HOST; ls *.log | head -1\`;
open(my $done, ">", "$ARGV[1]/done.$ARGV[0]");
`;

test(
  'a slot that is named at a restart is that of all processes, on other hosts',
  { skip: refusal() ?? false, timeout: 120_000 },
  () =>
    withNetwork(3, async (network) => {
      const [a, b, c] = [network.host(0), network.host(1), network.host(2)];
      const { scratch } = network;
      const folder = (name: string, board: string): string => {
        const made = scratch.makeFolder(join(scratch.folder, name));
        writeFileSync(join(made, 'board'), board);
        return made;
      };
      const [mount, other] = [folder('mnt/old', 'board of slot 1\n'), folder('mnt/new', 'board of slot 7\n')];
      const bench = (name: string): string[] => ['perl', '-MIO::Handle', '-e', BENCH, name, scratch.folder, mount];
      const there = (what: string) => (): boolean =>
        ['main', 'worker'].every((name) => existsSync(join(scratch.folder, `${what}.${name}`)));

      const env = ['env', 'DISPLAY=:1', 'EMU_SLOT=1', 'EMU_HOST=emu-a'];
      const options = ['--session', 'one', '--listen', a.address, '--detach'];
      const begun = await run(network, a, [...env, cairnCommand, 'run', ...options, '--', ...bench('main')]);
      assert.equal(begun.status, 0, begun.stderr);
      const { listen } = await statusOf(network, a, 'one');
      const secret = join(scratch.runtime, 'cairn', 'one', 'secret');
      const joined = await join_(network, b, listen ?? '', secret, 'bee', ...env, ...bench('worker'));
      assert.equal(joined.status, 0, joined.stderr);
      await waitFor('both benches', there('ready'));
      const last = await snapshot(network, a, 'one', '--then', 'kill');

      const values = { DISPLAY: ':7', EMU_SLOT: '7', EMU_HOST: 'emu-b' };
      const slots = { seven: { folder: 'slot 7', paths: { [mount]: other }, env: values } };
      writeFileSync(join(scratch.store, 'slots.json'), JSON.stringify(slots));
      const where = ['--listen', b.address, '--host', `bee=${c.name}`, '--launcher', network.pattern];
      await cairn(network, b, 'restart', last, '--session', 'two', '--detach', '--slot', 'seven', ...where);
      writeFileSync(join(scratch.folder, 'go'), '');
      await waitFor('the ends of both', there('done'));
      for (const name of ['main', 'worker']) {
        const log = readFileSync(join(scratch.folder, 'slot 7', `${name}.log`), 'utf8').split('\n');
        const seen = ['begun', 'board: board of slot 7', 'child: board of slot 7', ':7', '7', 'emu-b', 'main.log', ''];
        assert.deepEqual(log, seen, name);
        assert.equal(readFileSync(join(scratch.work, `${name}.log`), 'utf8'), 'begun\n', 'the first run’s file was written to');
      }
    }),
);
