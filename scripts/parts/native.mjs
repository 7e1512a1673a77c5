/**
 * The native parts: libcairn.so, cairn-launch, cairn-restore and the example plugins, into dist/native. CMake's own build
 * folder is build/native/<preset>.
 */
import { existsSync, statSync } from 'node:fs';
import { inTree, run } from '../lib/tree.mjs';
import { present } from './missing.mjs';

const preset = 'release';

export async function buildNative() {
  if (present('native', ['native-agent/CMakeLists.txt', 'native-agent/CMakePresets.json']).length < 2) return;
  const folder = inTree('build/native', preset);
  const ninjaFile = `${folder}/build.ninja`;
  // Ninja itself notices changes of CMakeLists.txt, but not of the presets.
  const configured =
    existsSync(ninjaFile) && statSync(ninjaFile).mtimeMs > statSync(inTree('native-agent/CMakePresets.json')).mtimeMs;
  if (!configured) {
    await run('cmake', ['--preset', preset, `-DCMAKE_INSTALL_PREFIX=${inTree('dist/native')}`], {
      cwd: inTree('native-agent'),
      quiet: true,
    });
  }
  await run('cmake', ['--build', folder], { quiet: true });
  await run('cmake', ['--install', folder, '--prefix', inTree('dist/native')], { quiet: true });
}
