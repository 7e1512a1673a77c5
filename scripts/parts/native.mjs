/**
 * The native parts: libcairn.so, cairn-launch, cairn-restore and the example plugins, into dist/native; and, where the compiler has
 * the libraries for it (Debian's g++-multilib), what enters and rebuilds 32-bit programs, into dist/native/i386. CMake's own build
 * folders are build/native/<preset>.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { inTree, run } from '../lib/tree.mjs';
import { present } from './missing.mjs';

/** Each with its folder below dist/native. */
export const presets = { release: '', 'release-i386': 'i386' };

/** Whether programs of 32 bits can be built here. */
export async function builds32Bit() {
  const { code } = await run('g++', ['-m32', '-shared', '-x', 'c++', '/dev/null', '-o', '/dev/null'], {
    capture: true,
    anyStatus: true,
  });
  return code === 0;
}

/** Why what was built for 32 bits cannot be tried here; empty: it can. */
export async function lacks32Bit() {
  if (!(await builds32Bit())) return 'missing: g++-multilib';
  // It says how it is used, and ends with 1. What the kernel does not take is tried as a script, which ends otherwise.
  const { status } = spawnSync(inTree('dist/native/i386/cairn-restore'), { stdio: 'ignore', timeout: 10_000 });
  return status === 1 ? '' : 'this kernel runs no 32-bit programs';
}

async function buildPreset(preset, target) {
  const folder = inTree('build/native', preset);
  const ninjaFile = `${folder}/build.ninja`;
  // Ninja itself notices changes of CMakeLists.txt, but not of the presets.
  const configured =
    existsSync(ninjaFile) && statSync(ninjaFile).mtimeMs > statSync(inTree('native-agent/CMakePresets.json')).mtimeMs;
  if (!configured) {
    await run('cmake', ['--preset', preset, `-DCMAKE_INSTALL_PREFIX=${target}`], { cwd: inTree('native-agent'), quiet: true });
  }
  await run('cmake', ['--build', folder], { quiet: true });
  await run('cmake', ['--install', folder, '--prefix', target], { quiet: true });
}

export async function buildNative() {
  if (present('native', ['native-agent/CMakeLists.txt', 'native-agent/CMakePresets.json']).length < 2) return;
  for (const [preset, folder] of Object.entries(presets)) {
    if (folder === '' || (await builds32Bit())) await buildPreset(preset, inTree('dist/native', folder));
    else process.stderr.write('warning: no parts for 32-bit programs: the compiler has no -m32 (g++-multilib)\n');
  }
}
