/** Tcl: the event loop, timers, sockets, pipelines, files. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest } from './program-under-cairn.js';

programTest({
  name: 'Tcl: events, timers, sockets and pipelines',
  command: (folder) => ['tclsh', join(folder, 'program.tcl')],
  needs: ['tclsh'],
  prepare: (folder) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'program.tcl'),
      `
fconfigure stdout -buffering line
puts begun
proc accept {channel address port} {
  fconfigure $channel -buffering line -blocking 0
  fileevent $channel readable [list serve $channel]
}
proc serve {channel} {
  if {[gets $channel line] >= 0} { after 5; puts $channel [string reverse $line] } elseif {[eof $channel]} { close $channel }
}
set server [socket -server accept -myaddr 127.0.0.1 0]
set port [lindex [fconfigure $server -sockname] 2]
set client [socket 127.0.0.1 $port]
fconfigure $client -buffering line -blocking 0
set count 0
set done 0
set ticks 0
set log [open log w]
proc tick {} { incr ::ticks; after 10 tick }
proc answer {} {
  if {[gets $::client line] < 0} return
  puts "answer $line"
  puts $::log $line
  incr ::count
  set piped [exec echo $::count | tr 0-9 a-j]
  puts "piped $piped"
  if {$::count == 15} { set ::done 1 } else { after 10 {puts $::client "message $::count"} }
}
fileevent $client readable answer
set pipe [open "|cat" r+]
fconfigure $pipe -buffering line
tick
puts $client "message 0"
after 30000 {puts "too late"; exit 9}
vwait done
puts $pipe "through cat"
puts [gets $pipe]
while {![file exists checkpointed]} { after 20 }
close $pipe
close $log
puts "end [expr {$ticks > 10}]"
exit 4
`,
    );
  },
  begun: /^begun$/,
  waits: true,
  status: 4,
  result: (find) => readFileSync(find('log'), 'utf8'),
});
