/**
 * Rules for files: which go with a snapshot, which must be there unchanged at a restart, and what may be another one then; by run,
 * checkpoint and restart.
 */
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { tool } from './tools.js';

interface Case {
  run?: string[];
  checkpoint?: string[];
  restart?: string[];
  /** Between checkpoint and restart. */
  change?: (file: (name: string) => string) => void;
  /** What the program says then; or why the restart is refused. */
  says?: string;
  refused?: RegExp;
}

/** One file is only read, one only mapped, one read and written, one added to. */
const SCRIPT = `
import mmap, os, time
r = open("read.txt"); b = open("both.txt", "r+"); l = open("log.txt", "a")
m = open("map.bin", "rb"); mapped = mmap.mmap(m.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ); m.close()
b.write("B"); b.flush(); l.write("one "); l.flush()
print("ready", flush=True)
while not os.path.exists(os.environ["GO"]): time.sleep(0.02)
b.seek(0); l.write("two"); l.flush()
print("says", r.read().strip(), b.read().strip(), open("log.txt").read().strip(), mapped[:3].decode(), flush=True)
`;

const cases: Record<string, Case> = {
  'without rules what is written is saved, the rest is checked': {
    change: (file) => {
      writeFileSync(file('both.txt'), 'other');
      appendFileSync(file('log.txt'), 'more ');
    },
    says: 'reading Both one two map',
  },
  'a file with another time and the same content is the same': {
    change: (file) => {
      utimesSync(file('read.txt'), 1, 1);
      utimesSync(file('map.bin'), 1, 1);
    },
    says: 'reading Both one two map',
  },
  'a changed file is refused': {
    change: (file) => writeFileSync(file('read.txt'), 'another'),
    refused: /read\.txt.*has changed.*[\s\S]*--file '.*read\.txt=ignore'/,
  },
  'a changed file is used, all of them': {
    restart: ['--changed-file', 'use'],
    change: (file) => {
      writeFileSync(file('read.txt'), 'another');
      writeFileSync(file('map.bin'), 'new map');
    },
    says: 'another Both one two new',
  },
  'a changed file is used, by pattern': {
    restart: ['--file', 'read.*=ignore'],
    change: (file) => writeFileSync(file('read.txt'), 'another'),
    says: 'another Both one two map',
  },
  'a pattern for one is none for another': {
    restart: ['--file', 'read.txt=ignore'],
    change: (file) => writeFileSync(file('map.bin'), 'new map'),
    refused: /map\.bin.*has changed/,
  },
  'files that are only read are saved by rule, and brought back': {
    run: ['--file', '**/w/read.*=save', '--file', 'map.bin=save'],
    change: (file) => {
      writeFileSync(file('read.txt'), 'another');
      rmSync(file('map.bin'));
    },
    says: 'reading Both one two map',
  },
  'rules of one snapshot': {
    checkpoint: ['--file', '*.txt=save', '--file', '*.bin=save'],
    change: (file) => {
      rmSync(file('read.txt'));
      rmSync(file('map.bin'));
    },
    says: 'reading Both one two map',
  },
  'a file that is written to stays where it is, by rule': {
    run: ['--file', 'log.txt=ignore'],
    change: (file) => appendFileSync(file('log.txt'), 'others '),
    says: 'reading Both one others two map',
  },
  'a file that is written to is checked, by rule': {
    run: ['--file', 'both.txt=check'],
    change: (file) => writeFileSync(file('both.txt'), 'another'),
    refused: /both\.txt.*has changed/,
  },
};

for (const [name, one] of Object.entries(cases)) {
  test(name, async () => {
    const scratch = new Scratch();
    try {
      const file = (name: string): string => join(scratch.work, name);
      const go = join(scratch.folder, 'go');
      const start = { 'read.txt': 'reading', 'both.txt': 'both', 'log.txt': '', 'map.bin': 'map of bytes' };
      for (const [name, content] of Object.entries(start)) writeFileSync(file(name), content);
      const args = ['run', '--session', 'first', ...(one.run ?? []), '--', 'python3', '-c', SCRIPT];
      const first = scratch.cairnProgram(args, { env: { GO: go } });
      await first.line(/^ready$/);
      const { snapshot } = await scratch.checkpoint('first', '--then', 'kill', ...(one.checkpoint ?? []));
      await first.exit();
      one.change?.(file);
      writeFileSync(go, '');
      const again = scratch.cairnProgram(['restart', snapshot, ...(one.restart ?? [])]);
      if (one.says !== undefined) await again.line(new RegExp(`^says ${one.says}$`));
      const status = await again.exit();
      assert.equal(status, one.refused === undefined ? 0 : 1, again.transcript());
      if (one.refused) assert.match(again.stderr, one.refused);
    } finally {
      await scratch.close();
    }
  });
}

test('rules stand in the snapshot, and with each file what becomes of it', async () => {
  const scratch = new Scratch();
  try {
    for (const name of ['read.txt', 'both.txt', 'log.txt', 'map.bin']) writeFileSync(join(scratch.work, name), 'content');
    const args = ['run', '--session', 'first', '--file', 'log.txt=ignore', '--clock', 'continue', '--', 'python3', '-c', SCRIPT];
    const first = scratch.cairnProgram(args, { env: { GO: join(scratch.folder, 'go') } });
    await first.line(/^ready$/);
    const { snapshot } = await scratch.checkpoint('first', '--then', 'kill', '--file', 'map.bin=save');
    await first.exit();
    const { stdout } = await scratch.cairn(['show', snapshot]);
    for (const line of [
      /^clock +continues/m,
      /^file rule +ignore log\.txt$/m,
      /^saved +\/.*\/both\.txt, /m,
      /^saved +\/.*\/map\.bin, /m,
    ])
      assert.match(stdout, line);
    for (const line of [/^checked +\/.*\/read\.txt, 7 B/m, /^ignored +\/.*\/log\.txt, /m]) assert.match(stdout, line);
  } finally {
    await scratch.close();
  }
});

test('a program that was built anew: refused, or brought back from a snapshot that has its code', async () => {
  const scratch = new Scratch();
  try {
    const program = join(scratch.work, 'program');
    const rebuild = async (): Promise<void> => {
      // As a linker does it: another file under the same name.
      copyFileSync(await tool('clocks', '-pthread'), `${program}.new`);
      renameSync(`${program}.new`, program);
    };
    copyFileSync(await tool('counter'), program);
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', program, '100000', 'out', '10000']);
    await first.line(/./);
    const checked = await scratch.checkpoint('first');
    const saved = await scratch.checkpoint('first', '--file', `${program}=save`);
    await rebuild();
    // By now its code is nowhere but in memory.
    const after = await scratch.checkpoint('first', '--then', 'kill');
    await first.exit();
    const refused = await scratch.cairn(['restart', checked.snapshot, '--check', '--changed-file', 'use']);
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(refused.stdout, /program.*has changed[\s\S]*=save' has its code/);
    for (const { snapshot } of [saved, after]) {
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'again']);
      await again.line(/./);
      await scratch.json(['stop', '--session', 'again', '--grace', '0']);
      await again.exit();
    }
    assert.ok(existsSync(program) && readFileSync(program).length > 0);
  } finally {
    await scratch.close();
  }
});
