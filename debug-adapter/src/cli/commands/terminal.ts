/**
 * `cairn terminal`: this terminal becomes a view of the one in which the coordinator runs the program. Ctrl-\ twice leaves it;
 * the program goes on.
 */
import { failure } from '../../protocol/errors.js';
import { note, printRaw } from '../output.js';
import { withSession } from '../sessions.js';

const LEAVE = '\x1c\x1c';

export function terminal(options: { session?: string }): Promise<number> {
  return withSession(options.session, async (client) => {
    const { stdin, stdout } = process;
    const pending: string[] = [];
    let live = false;
    client.on('terminal/data', ({ data }) => (live ? printRaw(data) : void pending.push(data)));
    const ended = new Promise<number>((resolve) => {
      client.on('session/changed', ({ state, exitStatus }) => state === 'exited' && resolve(exitStatus ?? 0));
      void client.closed.then(() => resolve(0));
    });
    const state = await client.request('terminal/open', {});
    printRaw(state.scrollback);
    for (const data of pending) printRaw(data);
    live = true;
    const status = await client.request('session/status', {});
    if (status.state === 'exited') return status.exitStatus ?? 0;
    if (!stdin.isTTY || !stdout.isTTY)
      throw failure('usage', {
        what: 'cairn terminal needs a terminal',
        remedy: 'For what was printed so far: cairn logs --output',
      });

    const resize = (): void =>
      void client.request('terminal/resize', { columns: stdout.columns, rows: stdout.rows }).catch(() => undefined);
    const left = new Promise<undefined>((resolve) => {
      stdin.setRawMode(true);
      stdin.on('data', (bytes: Buffer) => {
        const data = bytes.toString('utf8');
        if (data.includes(LEAVE)) resolve(undefined);
        else void client.request('terminal/input', { data }).catch(() => undefined);
      });
    });
    stdout.on('resize', resize);
    resize();
    try {
      const code = await Promise.race([ended, left]);
      if (code === undefined) note(`left the terminal of ${client.session}`);
      return code ?? 0;
    } finally {
      stdin.setRawMode(false);
      stdin.pause();
      stdout.removeListener('resize', resize);
    }
  });
}
