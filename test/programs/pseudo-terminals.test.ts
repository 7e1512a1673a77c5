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
