/** Programs that make pseudo-terminals for others: expect, script(1), Python's pty. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest, untilCheckpointed } from './program-under-cairn.js';

programTest({
  name: 'expect: a script that drives bc and bash',
  needs: ['expect', 'bc'],
  command: (folder) => ['expect', '-f', join(folder, 'script.exp')],
  prepare: (folder) =>
    writeFileSync(
      join(folder, 'script.exp'),
      `
log_user 0
set timeout 20
fconfigure stdout -buffering line
spawn bc -q
set calculator $spawn_id
spawn env "PS1=ready> " bash --norc --noprofile --noediting -i
set shell $spawn_id
expect -i $shell "ready> "
puts begun
set sum 1
for {set i 1} {$i <= 60} {incr i} {
  send -i $calculator "$sum + $i * $i\\r"
  expect -i $calculator -re {[\\r\\n]([0-9]+)\\r\\n} { set sum $expect_out(1,string) } timeout { puts "bc: timeout"; exit 1 }
  send -i $shell "echo \\$(( $sum % 1000 )):\\$?\\r"
  expect -i $shell -re {[\\r\\n]([0-9:]+)\\r\\n} { puts "$i $sum $expect_out(1,string)" } timeout { puts "bash: timeout"; exit 1 }
  expect -i $shell "ready> "
  after 15
}
while {![file exists checkpointed]} { after 20 }
send -i $calculator "quit\\r"
expect -i $calculator eof
puts "waited: [lrange [wait -i $calculator] 2 3]"
send -i $shell "exit 7\\r"
expect -i $shell eof
puts "waited: [lrange [wait -i $shell] 2 3]"
exit 5
`,
    ),
  begun: /^begun$/m,
  waits: true,
  status: 5,
});

programTest({
  name: 'script: a log of a session',
  needs: ['script'],
  command: ['script', '-q', '-e', '-c', 'sh loop.sh', 'typescript'],
  prepare: (folder) =>
    writeFileSync(
      join(folder, 'loop.sh'),
      `test -t 1 || exit 1\necho begun\ni=0\nwhile [ $i -lt 60 ]; do i=$((i + 1)); echo "line $i of $(stty size)"; sleep 0.02; done\n${untilCheckpointed}\nexit 3\n`,
    ),
  begun: /^begun/m,
  waits: true,
  status: 3,
  // Its first and last line have the time.
  result: (find) => readFileSync(find('typescript'), 'utf8').replaceAll(/^Script .*$/gm, ''),
});

programTest({
  name: 'Python: pty.fork and pty.spawn',
  needs: ['python3'],
  command: ['python3', '-u', 'terminals.py'],
  prepare: (folder) =>
    writeFileSync(
      join(folder, 'terminals.py'),
      `
import os, pty, sys, time, tty

def talk(pid, fd, words):
    for word in words:
        os.write(fd, (word + "\\n").encode())
        seen = b""
        while not seen.endswith(b"done\\r\\n"):
            seen += os.read(fd, 100)
        print(word, seen.decode().replace("\\r\\n", "|"))
        time.sleep(0.02)
    os.write(fd, b"\\x04")
    # Closed before its end it would be hung up, or read the end of its input, whichever comes first.
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(fd)

pid, fd = pty.fork()
if pid == 0:
    print("child", os.isatty(0), os.ttyname(0) == os.readlink("/proc/self/fd/0"), flush=True)
    while True:
        line = sys.stdin.readline()
        if not line:
            os._exit(6)
        print(line.strip().upper(), os.tcgetpgrp(0) == os.getpgrp(), "done", flush=True)
print("begun")
seen = b""
while not seen.endswith(b"\\n"):
    seen += os.read(fd, 100)
print(seen.decode().strip())
master, slave = os.openpty()
tty.setraw(slave)
name = os.ttyname(slave)
talk(pid, fd, ["word%d" % i for i in range(30)])
for i in range(20):
    os.write(master, b"x" * (100 + i))
    time.sleep(0.01)
    print(len(os.read(slave, 1000)), os.ttyname(slave) == name, os.path.exists(name))
sys.stdout.flush()
print(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.03; done; ${untilCheckpointed}; exit 2"], lambda fd: os.read(fd, 1024))))
`,
    ),
  begun: /^begun$/m,
  waits: true,
});
