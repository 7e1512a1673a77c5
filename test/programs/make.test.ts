/** make -j4 of a small C project: compilers, assemblers and linkers begin and end while it is checkpointed. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest, sorted, untilCheckpointed } from './program-under-cairn.js';

const units = 10;

const makefile = `
CC = gcc
CFLAGS = -O1 -Wall -pipe
objects = ${Array.from({ length: units }, (_, unit) => `unit${unit}.o`).join(' ')}
all: report
report: program
	@${untilCheckpointed}
\t./program > $@
program: main.o libunits.a
\t$(CC) -o $@ $^
libunits.a: $(objects)
\trm -f $@
\tar rcs $@ $^
%.o: %.c units.h
\t$(CC) $(CFLAGS) -MMD -c -o $@ $<
units.h:
\tfor unit in $$(seq 0 ${units - 1}); do echo "int unit$$unit(int);"; done > $@
`;

const unit = (number: number): string => `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "units.h"
static int table[] = {${Array.from({ length: 60 }, (_, at) => (at * 37 + number * 11) % 101).join(',')}};
int unit${number}(int x) {
  int sum = ${number};
  for (unsigned at = 0; at < sizeof table / sizeof *table; at++) sum = sum * 31 + (table[at] ^ x);
  return sum;
}
`;

function project(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'Makefile'), makefile);
  const numbers = Array.from({ length: units }, (_, number) => number);
  for (const number of numbers) writeFileSync(join(folder, `unit${number}.c`), unit(number));
  const calls = numbers.map((number) => `  printf("%d\\n", unit${number}(7));`).join('\n');
  writeFileSync(join(folder, 'main.c'), `#include <stdio.h>\n#include "units.h"\nint main(void) {\n${calls}\n  return 0;\n}\n`);
}

programTest({
  name: 'make -j4 of a C project',
  command: ['make', '-j4'],
  needs: ['make', 'gcc', 'ar'],
  prepare: project,
  begun: /^for unit/,
  waits: true,
  reopens: true,
  normal: sorted,
  result: (find) => {
    const program = find('program');
    // A run folder keeps modes, too.
    chmodSync(program, 0o755);
    return execFileSync(program, { encoding: 'utf8' });
  },
});
