# Prints a line every 50 ms, and what it reads; writes the same lines to ticks.txt. Ends by itself after ten minutes.
use strict;
use warnings;
use IO::Handle;
use IO::Select;

open my $file, '>', 'ticks.txt' or die "ticks.txt: $!";
$file->autoflush(1);
STDOUT->autoflush(1);
my $input = IO::Select->new(\*STDIN);
for my $tick (1 .. 12_000) {
  print "tick $tick\n";
  print {$file} "tick $tick\n";
  next unless $input->can_read(0.05);
  my $count = sysread STDIN, my $line, 1024;
  last unless $count;
  print "read $line";
}
