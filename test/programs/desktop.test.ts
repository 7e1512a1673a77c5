/**
 * Programs with windows, whole session in the computation: GTKWave on a waveform in Xvnc, whose picture after a restart is that of before; and
 * xterm in xpra, whose viewer, which is outside, finds the same window again when it connects to a restart.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Conversation, interactiveTest } from './interactive.js';
import { pixelsOf } from './window-dump.js';

/** One that nobody else takes while a run is killed and not yet restarted. */
const DISPLAY = 2000 + (process.pid % 50000);

async function onDisplays(displays: readonly number[], steps: () => Promise<void>): Promise<void> {
  try {
    await steps();
  } finally {
    for (const one of displays)
      for (const left of [`/tmp/.X11-unix/X${one}`, `/tmp/.X${one}-lock`]) rmSync(left, { force: true });
  }
}

/** A picture of the whole screen, once it has stayed for a second and `isWanted`. */
async function settled(shot: () => Promise<Buffer>, isWanted: (pixels: Buffer) => boolean): Promise<Buffer> {
  let last = await shot();
  let since = Date.now();
  await waitFor(
    'a picture that stays',
    async () => {
      const now = await shot();
      if (!now.equals(last)) since = Date.now();
      last = now;
      return isWanted(last) && Date.now() - since > 1000;
    },
    60,
  );
  return last;
}

const colours = (pixels: Buffer): number => {
  const seen = new Set<number>();
  for (let at = 0; at < pixels.length; at += 4) seen.add(pixels.readUInt32LE(at));
  return seen.size;
};

const WAVES = `
export DISPLAY=:$1 HOME=$PWD
Xvnc $DISPLAY -geometry 640x480 -depth 24 -SecurityTypes None -rfbport -1 -rfbunixpath vnc -nolisten tcp -fp built-ins > server.log 2>&1 &
server=$!
until [ -S /tmp/.X11-unix/X$1 ]; do sleep 0.02; done
gtkwave --nomenus counter.vcd view.gtkw > gtkwave.log 2>&1 &
waves=$!
while [ ! -e stop ]; do
  xwd -root -silent -out partial && mv partial shot
  sleep 0.1
done
kill $waves
wait $waves
kill $server
wait $server
echo "the server ended with $?"
`;

const COUNTER = `$timescale 1ns $end
$scope module counter $end
$var wire 1 ! clk $end
$var wire 8 " value $end
$upscope $end
$enddefinitions $end
${Array.from({ length: 60 }, (_, i) => `#${i * 5}\n${i % 2}!\nb${((i * 7) % 256).toString(2)} "`).join('\n')}
`;

interactiveTest('GTKWave in Xvnc', ['Xvnc', 'gtkwave', 'xwd'], (talk) =>
  onDisplays([DISPLAY], async () => {
    writeFileSync(join(talk.folder, 'session.sh'), WAVES);
    writeFileSync(join(talk.folder, 'counter.vcd'), COUNTER);
    writeFileSync(join(talk.folder, 'view.gtkw'), '[timestart] 0\n@28\ncounter.clk\n@22\ncounter.value[7:0]\n');
    talk.start(['sh', 'session.sh', String(DISPLAY)], {}, false);
    const shot = async (): Promise<Buffer> => {
      const file = join(talk.runFolder, 'shot');
      await waitFor('a picture', () => existsSync(file), 20);
      return pixelsOf(readFileSync(file));
    };
    const wanted = await settled(shot, (pixels) => colours(pixels) > 8);
    await talk.restart(false);
    assert.ok((await settled(shot, () => true)).equals(wanted), 'a restart shows another picture');
    writeFileSync(join(talk.folder, 'stop'), '');
    assert.equal(await talk.program.exit(), 0, talk.program.transcript());
    assert.match(talk.program.stdout, /the server ended with 0/);
  }),
);

const WITHOUT =
  'dbus-launch dbus-control dbus-proxy mdns pulseaudio notifications webcam bell printing html file-transfer systemd-run opengl start-new-commands';
const QUIET = [...WITHOUT.split(' ').map((one) => `--${one}=no`), '--speaker=off', '--microphone=off'];
// The configuration of the system would start a desktop session, too.
const SESSION = `
export HOME=$PWD XDG_RUNTIME_DIR=$PWD/xdg XPRA_SYSTEM_CONF_DIRS=$PWD
mkdir -m 700 xdg
exec xpra start :$1 --daemon=no --start="xterm -fn fixed -geometry 40x10+0+0 -e sh inside.sh" --xvfb="Xvfb -screen 0 640x480x24 -nolisten tcp -noreset" --bind=$PWD/socket --socket-dirs=$PWD ${QUIET.join(' ')}
`;
const INSIDE = 'i=0; while [ $i -lt 7 ]; do i=$((i + 1)); echo "line $i"; done; while read line; do :; done';

/** A viewer on a screen of its own, outside of the computation. */
class Viewer {
  #viewer: Program | undefined;
  readonly #display = `:${DISPLAY + 1}`;
  readonly #server: Program;

  constructor(readonly talk: Conversation) {
    const command = ['Xvfb', this.#display, '-screen', '0', '640x480x24', '-nolisten', 'tcp', '-noreset'];
    this.#server = talk.scratch.start(command);
  }

  connect(): void {
    const socket = join(this.talk.runFolder, 'socket');
    const command = ['xpra', 'attach', `socket://${socket}`, '--tray=no', ...QUIET];
    this.#viewer = this.talk.scratch.start(command, { env: { DISPLAY: this.#display } });
  }

  async shot(): Promise<Buffer> {
    const file = join(this.talk.scratch.folder, 'screen');
    await this.talk.beside(['xwd', '-display', this.#display, '-root', '-silent', '-out', file]);
    return pixelsOf(readFileSync(file));
  }

  get transcript(): string {
    return this.#viewer?.transcript() ?? '';
  }

  /** When the computation has closed its connection. */
  async gone(): Promise<void> {
    await this.#viewer?.exit();
  }

  async close(): Promise<void> {
    for (const one of [this.#viewer, this.#server]) one?.signal('SIGTERM');
    for (const one of [this.#viewer, this.#server]) await one?.exit();
  }
}

interactiveTest('xterm in xpra, with a viewer outside', ['xpra', 'Xvfb', 'xterm', 'xwd'], (talk) =>
  onDisplays([DISPLAY, DISPLAY + 1], async () => {
    writeFileSync(join(talk.folder, 'session.sh'), SESSION);
    writeFileSync(join(talk.folder, 'inside.sh'), INSIDE);
    const viewer = new Viewer(talk);
    try {
      talk.start(['sh', 'session.sh', String(DISPLAY)], {}, false, '--connection', '*=close');
      await waitFor('xpra to be ready', () => talk.program.stderr.includes('xpra is ready'), 60);
      viewer.connect();
      const wanted = await settled(
        () => viewer.shot(),
        (pixels) => colours(pixels) > 1,
      );
      await talk.restart(false);
      await viewer.gone();
      assert.equal(colours(await viewer.shot()), 1, 'the screen of the viewer is not empty without it');
      viewer.connect();
      const shown = await settled(
        () => viewer.shot(),
        (pixels) => colours(pixels) > 1,
      );
      assert.ok(shown.equals(wanted), 'the viewer shows another window than before');
    } catch (error) {
      throw new Error(`${String(error)}\n${viewer.transcript}\n${talk.program.transcript()}`);
    } finally {
      await viewer.close();
    }
    await talk.scratch.cairn(['stop', '--session', talk.session]);
    await talk.program.exit();
  }),
);
