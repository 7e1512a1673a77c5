/** What is said of programs that the agent cannot get into: real ones, compiled here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findProgram, oddityOf, whyNotCheckpointable } from '../../debug-adapter/src/platform/executable.js';
import { hasNativeFile } from '../../debug-adapter/src/platform/installation.js';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-executable-'));
  writeFileSync(join(folder, 'main.c'), 'int main(void) { return 0; }\n');
  execFileSync('gcc', ['-o', join(folder, 'dynamic'), join(folder, 'main.c')]);
  execFileSync('gcc', ['-static', '-o', join(folder, 'static'), join(folder, 'main.c')]);
  writeFileSync(join(folder, 'script'), `#!${join(folder, 'static')} -x\n`);
});
after(() => rmSync(folder, { recursive: true }));

test('a dynamic program is fine', () => assert.equal(whyNotCheckpointable(join(folder, 'dynamic')), ''));

test('a static program is named', () =>
  assert.match(whyNotCheckpointable(join(folder, 'static')), /static is statically linked/));

test('a script is what its interpreter is', () =>
  assert.match(whyNotCheckpointable(join(folder, 'script')), /statically linked/));

test('a set-id program is named', () => {
  chmodSync(join(folder, 'dynamic'), 0o4755);
  assert.match(whyNotCheckpointable(join(folder, 'dynamic')), /set-id/);
  chmodSync(join(folder, 'dynamic'), 0o755);
});

test('a program for another machine is named', () => {
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 1;
  writeFileSync(join(folder, 'other'), header);
  assert.match(whyNotCheckpointable(join(folder, 'other')), /not an x86 program/);
});

test('a dynamic 32-bit program is fine where its agent is installed', (t) => {
  try {
    execFileSync('gcc', ['-m32', '-o', join(folder, 'narrow'), join(folder, 'main.c')], { stdio: 'pipe' });
  } catch {
    return t.skip('missing: gcc-multilib');
  }
  const problem = whyNotCheckpointable(join(folder, 'narrow'));
  if (hasNativeFile('i386/libcairn.so')) assert.equal(problem, '');
  else assert.match(problem, /32-bit program, for which this installation has no agent/);
  execFileSync('gcc', ['-m32', '-static', '-o', join(folder, 'narrow'), join(folder, 'main.c')]);
  assert.match(whyNotCheckpointable(join(folder, 'narrow')), /narrow is statically linked/);
});

test('what cannot be read is left to those who execute it', () => {
  assert.equal(whyNotCheckpointable(join(folder, 'missing')), '');
  assert.equal(whyNotCheckpointable(join(folder, 'main.c')), '');
});

test('a program is found as execvp finds it', () => {
  assert.equal(findProgram('dynamic', { PATH: `/nowhere:${folder}` }, '/'), join(folder, 'dynamic'));
  assert.equal(findProgram('./dynamic', {}, folder), join(folder, 'dynamic'));
  assert.equal(findProgram('dynamic', { PATH: '/nowhere' }, '/'), undefined);
});

test('a program of another C library is named', () => {
  execFileSync('gcc', ['-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1', '-o', join(folder, 'musl'), join(folder, 'main.c')]);
  assert.match(whyNotCheckpointable(join(folder, 'musl')), /musl uses the C library musl/);
});

test('what can be loaded into a program, and what it needs, is told from its file', () => {
  execFileSync('gcc', ['-nostdlib', '-pie', '-Wl,-e,main', '-o', join(folder, 'alone'), join(folder, 'main.c')]);
  assert.equal(oddityOf(join(folder, 'dynamic')), undefined);
  assert.equal(oddityOf(join(folder, 'static')), 'fixed');
  assert.equal(oddityOf(join(folder, 'alone')), 'without libraries');
  assert.equal(oddityOf('/lib64/ld-linux-x86-64.so.2'), undefined);
  assert.equal(oddityOf(join(folder, 'missing')), undefined);
});
