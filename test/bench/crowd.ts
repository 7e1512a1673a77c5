/**
 * Very many simulated processes of one computation, as their coordinator sees them on the wire; a process of its own, so that the
 * coordinator's time and memory are its own. Arguments: the path of agent.sock, the computation, how many.
 * Says `joined` on standard output; ends when its standard input does.
 */
import { AgentPeer } from '../protocol/agent-peer.js';

const [path = '', computation = '', count = '0'] = process.argv.slice(2);
/** Fewer than the length of the socket's queue. */
const AT_ONCE = 100;
/** Above what the kernel gives to processes: no real one is meant by accident. */
const FIRST_ID = 5_000_000;

for (let from = 0; from < Number(count); from += AT_ONCE) {
  const some = Array.from({ length: Math.min(AT_ONCE, Number(count) - from) }, (_, index) =>
    AgentPeer.join(path, { computation, pid: FIRST_ID + from + index, parent: 1 }),
  );
  await Promise.all(some);
}
process.stdout.write('joined\n');
process.stdin.on('end', () => process.exit(0)).resume();
