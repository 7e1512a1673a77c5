/**
 * An X server without a screen (Xvnc) and its clients in one computation: xterm with a shell script in it, and xeyes. A restart shows the
 * same pixels as an undisturbed run; what is drawn and typed afterwards shows, too. Typed is by RFB, over Xvnc's Unix socket.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '../support/processes.js';
import { type Conversation, interactiveTest } from './interactive.js';
import { pixelsOf } from './window-dump.js';

const WIDTH = 400;
const HEIGHT = 300;
// The windows do not overlap, so that it does not matter which comes first. Of several pictures that were asked for the last is taken: a
// restart may go back to before them.
const SESSION = `
export DISPLAY=:$1
Xvnc $DISPLAY -geometry ${WIDTH}x${HEIGHT} -depth 24 -SecurityTypes None -rfbport -1 -rfbunixpath vnc -nolisten tcp -fp built-ins > server.log 2>&1 &
server=$!
until [ -S /tmp/.X11-unix/X$1 ]; do sleep 0.02; done
xterm -fn fixed -geometry 50x18+0+0 -e sh inside.sh &
xeyes -geometry 60x40+330+250 &
shot=0
until [ -e stop ]; do
  if [ -e take$shot ]; then
    while [ -e take$((shot + 1)) ]; do shot=$((shot + 1)); done
    xwd -root -silent -out partial && mv partial shot$shot
    shot=$((shot + 1))
  fi
  sleep 0.02
done
kill $server
wait $server
echo "the server ended with $?"
wait
`;
// When the terminal answers where its cursor is, it has taken all that was printed before.
const INSIDE = `
drawn() {
  stty raw -echo
  printf '\\033[6n'
  answer=
  until [ "$answer" = R ]; do answer=$(dd bs=1 count=1 2> /dev/null); done
  stty sane
  echo "$1" >> $2
}
draw() {
  echo "$1"
  echo $i > count
  i=$((i + 1))
  sleep 0.005
}
i=0
until [ -e enough ]; do draw "line $i"; done
i=0
while [ $i -lt 100 ]; do draw "line $i of the last 100"; done
drawn all drawn
while read line; do
  echo "$line" | tr a-z A-Z
  drawn "$line" typed
done
`;

/** The root window is black, and in that corner there is only xeyes. */
function hasEyes(pixels: Buffer): boolean {
  const row = 270 * WIDTH;
  return pixels.subarray((row + 330) * 4, (row + 390) * 4).some((byte) => byte !== 0);
}

/** The session's files as a run has them, and pictures of the screen. */
class Screen {
  #shots = 0;

  constructor(
    readonly folder: string,
    /** Where a restarted run has its files. */
    readonly runFolder: () => string,
    shots = 0,
  ) {
    this.#shots = shots;
  }

  #find(name: string): string | undefined {
    return [this.runFolder(), this.folder].map((folder) => join(folder, name)).find(existsSync);
  }

  async file(name: string, pattern = /^/): Promise<void> {
    await waitFor(
      `the file ${name} with ${pattern}`,
      () => {
        const file = this.#find(name);
        return file !== undefined && pattern.test(readFileSync(file, 'utf8'));
      },
      40,
    );
  }

  async shot(): Promise<Buffer> {
    const number = this.#shots++;
    writeFileSync(join(this.folder, `take${number}`), '');
    const file = await waitFor(`shot ${number}`, () => this.#find(`shot${number}`), 20);
    const pixels = pixelsOf(readFileSync(file));
    assert.equal(pixels.length, WIDTH * HEIGHT * 4);
    return pixels;
  }

  /** The whole picture, when nothing has changed for a second. */
  async settled(): Promise<Buffer> {
    let last = await this.shot();
    let since = Date.now();
    await waitFor(
      'a picture that stays',
      async () => {
        const now = await this.shot();
        if (!now.equals(last)) since = Date.now();
        last = now;
        return hasEyes(last) && Date.now() - since > 1000;
      },
      30,
    );
    return last;
  }

  /** What is on the way may take a moment. */
  async shows(wanted: Buffer, what: string): Promise<void> {
    await waitFor(`the pixels of an undisturbed run: ${what}`, async () => (await this.shot()).equals(wanted), 30);
  }

  get taken(): number {
    return this.#shots;
  }

  /** Types by RFB 3.8: the server's version, kinds of security, result and screen are read and answered. */
  async type(text: string): Promise<void> {
    const path = this.#find('vnc');
    assert.ok(path !== undefined && statSync(path).isSocket(), 'the server has no socket');
    const socket = connect(path);
    let got = Buffer.alloc(0);
    let failure: Error | undefined;
    socket.on('data', (data) => {
      got = Buffer.concat([got, data]);
    });
    socket.on('error', (error) => {
      failure = error;
    });
    const answer = async (bytes: number, ...reply: number[]): Promise<void> => {
      await waitFor('the VNC server', () => {
        if (failure) throw failure;
        return got.length >= bytes;
      });
      got = got.subarray(bytes);
      socket.write(Buffer.from(reply));
    };
    try {
      await answer(12, ...Buffer.from('RFB 003.008\n'));
      await answer(2, 1);
      await answer(4, 1);
      for (const code of Buffer.from(text)) {
        const key = code === 10 ? [0xff, 0x0d] : [0, code];
        for (const down of [1, 0]) socket.write(Buffer.from([4, down, 0, 0, 0, 0, ...key]));
      }
      await this.file('typed', new RegExp(text.trim()));
    } finally {
      socket.destroy();
    }
  }
}

function prepare(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'session.sh'), SESSION);
  writeFileSync(join(folder, 'inside.sh'), INSIDE);
}

async function undisturbed(talk: Conversation, display: string): Promise<{ drawn: Buffer; typed: Buffer }> {
  const folder = talk.scratch.makeFolder(join(talk.scratch.work, 'reference'));
  prepare(folder);
  const program = talk.scratch.start(['sh', 'session.sh', display], { cwd: folder });
  const screen = new Screen(folder, () => folder);
  await screen.file('count', /^\d{3,}$/m);
  writeFileSync(join(folder, 'enough'), '');
  await screen.file('drawn');
  const drawn = await screen.settled();
  await screen.type('hello\n');
  const typed = await screen.settled();
  assert.ok(!typed.equals(drawn), 'typing shows nothing');
  writeFileSync(join(folder, 'stop'), '');
  assert.equal(await program.exit(), 0, program.transcript());
  return { drawn, typed };
}

interactiveTest('Xvnc with xterm and xeyes', ['Xvnc', 'xterm', 'xeyes', 'xwd'], async (talk) => {
  // One that nobody else takes while a run is killed and not yet restarted.
  const display = String(2000 + (process.pid % 50000));
  try {
    const wanted = await undisturbed(talk, display);
    prepare(talk.folder);
    talk.start(['sh', 'session.sh', display], {}, false);
    let screen = new Screen(talk.folder, () => talk.runFolder);
    await screen.file('count', /^\d{3,}$/m);
    await talk.scratch.checkpoint(talk.session, '--name', 'busy');
    writeFileSync(join(talk.folder, 'enough'), '');
    await screen.file('drawn');
    await screen.shows(wanted.drawn, 'the run that went on');

    await talk.restart(false);
    screen = new Screen(talk.folder, () => talk.runFolder, screen.taken);
    await screen.shows(wanted.drawn, 'a restart');
    await screen.type('hello\n');
    await screen.shows(wanted.typed, 'a restart, after typing');

    await talk.restart(false);
    screen = new Screen(talk.folder, () => talk.runFolder, screen.taken);
    await screen.shows(wanted.typed, 'a restart from a snapshot of the restart');
    writeFileSync(join(talk.folder, 'stop'), '');
    assert.equal(await talk.program.exit(), 0, talk.program.transcript());
    assert.match(talk.program.stdout, /the server ended with 0/);

    rmSync(join(talk.folder, 'stop'));
    const again = talk.scratch.cairnProgram(['restart', 'busy', '--session', 'again'], { cwd: talk.scratch.folder });
    screen = new Screen(talk.folder, () => talk.runFolderOf('again'), screen.taken);
    await screen.shows(wanted.drawn, 'a restart from the middle of the drawing');
    writeFileSync(join(talk.folder, 'stop'), '');
    assert.equal(await again.exit(), 0, again.transcript());
  } finally {
    for (const left of [`/tmp/.X11-unix/X${display}`, `/tmp/.X${display}-lock`]) rmSync(left, { force: true });
  }
});
