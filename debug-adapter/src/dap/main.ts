/**
 * The debug adapter as a program, dist/adapter.js: DAP on stdin and stdout, one debug session. Composition root and nothing else.
 * Its end, however it comes, leaves the computation as it is.
 */
import { ControlComputations } from './computations.js';
import { DapServer } from './server.js';
import { CairnSession } from './session.js';

/** The last response is still being written when the client says goodbye. */
function leave(): void {
  session?.dispose();
  process.stdout.write('', () => process.exit(0));
}

let session: CairnSession | undefined;
const server = new DapServer((made) => {
  session = new CairnSession(made, new ControlComputations());
  return session.handlers();
}, leave);
server.start(process.stdin, process.stdout);
