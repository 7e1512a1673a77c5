/** Perl: fork, pipes, sockets, sleep and alarm. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest } from './program-under-cairn.js';

programTest({
  name: 'Perl: forks, pipes, sockets and alarms',
  command: (folder) => ['perl', join(folder, 'program.pl')],
  needs: ['perl'],
  prepare: (folder) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'program.pl'),
      `
use strict; use warnings;
use IO::Socket::INET; use IO::Select; use POSIX ':sys_wait_h'; use Time::HiRes qw(sleep alarm);
$| = 1;
print "begun\\n";
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Proto => 'tcp') or die $!;
my $port = $server->sockport;
my @children;
for my $name ('one', 'two') {
  my $pid = fork // die;
  if (!$pid) {
    my $connection = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die $!;
    $connection->autoflush(1);
    print $connection "$name\\n";
    while (my $line = <$connection>) { sleep 0.005; print $connection scalar reverse($line =~ s/\\n//r), "\\n" }
    exit length $name;
  }
  push @children, $pid;
}
my %clients;
while (keys %clients < 2) {
  my $client = $server->accept or die $!;
  $client->autoflush(1);
  chomp(my $name = <$client>);
  $clients{$name} = $client;
}
my $alarms = 0;
for my $round (1 .. 12) {
  my $timed_out = !defined eval {
    local $SIG{ALRM} = sub { alarm 0; die "alarm\\n" };
    alarm 0.03, 0.03;  # again, in case that the first one comes before the wait
    select undef, undef, undef, 10;
    alarm 0;
    1;
  };
  $alarms++ if $timed_out && $@ eq "alarm\\n";
  for my $name (sort keys %clients) {
    print { $clients{$name} } "round $round for $name\\n";
    my $answer = readline $clients{$name};
    print "$name: $answer";
  }
  open my $pipe, '-|', "echo $round | tr 0-9 a-j; sleep 0.02" or die $!;
  chomp(my $letters = <$pipe>);
  close $pipe;
  print "letters $letters, status $?\\n";
}
sleep 0.02 until -e 'checkpointed';
close $_ for values %clients;
my %status = map { waitpid($_, 0); ($_ => $? >> 8) } @children;
print "statuses @status{@children}, alarms $alarms\\n";
`,
    );
  },
  begun: /^begun$/,
  waits: true,
});
