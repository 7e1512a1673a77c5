/*
 * A test bench of three processes: the parent and two children share one connection to the emulator, each on a port of its own, with
 * transactions of several turns under way at any moment. It knows nothing of checkpoints.
 *
 *   testbench ADDRESS SLOT TURNS [FILE]    ends after so many turns, or some turns after FILE is there
 *
 * Prints what the design says on its console, "turn N" now and then, and at the end
 *   "checksum: HEX over N transactions in N turns"
 * which all answers of all ports have gone into, in their order. Exit status 1: a transaction failed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../client/emu.h"

enum { PORTS = 3, IN_ADVANCE = 2, CYCLES = 300, SAYS_EVERY = 50, LAST_AFTER = 16 };

struct totals {
  uint64_t last_turn; /* told by the parent */
  struct {
    uint64_t sum, transactions;
  } port[PORTS];
};

static struct emu *emu;
static struct totals *totals;

static void fails(const char *what, int error) {
  printf("FAIL: %s: %s (%s)\n", what, strerror(-error), emu_reason(emu));
  fflush(stdout);
  _exit(1);
}

static uint32_t random_number(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 16);
}

static uint64_t take(unsigned port) {
  uint64_t value;
  int error = emu_answer(emu, port, &value);
  if (error < 0) fails("an answer", error);
  for (int i = 0; i < 64; i += 8) totals->port[port].sum = (totals->port[port].sum ^ (value >> i & 255)) * 1099511628211u;
  ++totals->port[port].transactions;
  return value;
}

/* Every turn takes each port the same number of cycles further. Words between the program and its stack are the test bench's to write. */
static void ask(unsigned port, uint64_t *random) {
  uint32_t first = 1 + random_number(random) % (CYCLES - 1);
  int error = emu_run(emu, port, first);
  if (error == 0) error = emu_read(emu, port, random_number(random) % 8192 * 4);
  if (error == 0) error = emu_write(emu, port, 0x5000 + random_number(random) % 1024 * 4, random_number(random));
  if (error == 0) error = emu_run(emu, port, CYCLES - first);
  if (error == 0) error = emu_read(emu, port, 0x5000 + random_number(random) % 1024 * 4);
  if (error == 0 && port == 0) error = emu_console(emu, port);
  if (error < 0) fails("a transaction", error);
}

/* What the design says, line by line. */
static void say(char c) {
  static char line[160];
  static size_t length;
  if (c != '\n') line[length++] = c;
  if (c != '\n' && length < sizeof line) return;
  printf("design: %.*s\n", (int)length, line);
  length = 0;
}

static void take_turn(unsigned port) {
  for (int i = 0; i < 5; ++i) take(port);
  if (port != 0) return;
  uint64_t console = take(port);
  for (uint64_t i = 0; i < console >> 56; ++i) say((char)(console >> 8 * i & 255));
}

static void run(unsigned port, const char *file) {
  uint64_t random = 0x9e3779b97f4a7c15u * (port + 1), asked = 0, taken = 0;
  struct stat status;
  while (taken < asked || asked < __atomic_load_n(&totals->last_turn, __ATOMIC_ACQUIRE)) {
    while (asked < taken + IN_ADVANCE && asked < __atomic_load_n(&totals->last_turn, __ATOMIC_ACQUIRE)) {
      ask(port, &random);
      ++asked;
    }
    take_turn(port);
    ++taken;
    if (port != 0) continue;
    if (taken % SAYS_EVERY == 0) printf("turn %llu\n", (unsigned long long)taken);
    /* No port is more than a few turns ahead of another: the clock waits for all. */
    if (file != NULL && totals->last_turn > taken + LAST_AFTER && stat(file, &status) == 0) {
      __atomic_store_n(&totals->last_turn, taken + LAST_AFTER, __ATOMIC_RELEASE);
    }
  }
  if (asked != totals->last_turn) fails("this port is past the last turn", -EPROTO);
  int error = emu_finish(emu, port);
  if (error < 0) fails("the end of a port", error);
  take(port);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (totals == MAP_FAILED) return 1;
  totals->last_turn = strtoull(argv[3], NULL, 10);
  int error = emu_open(argv[1], (unsigned)atoi(argv[2]), PORTS, &emu);
  if (error < 0) fails("the emulator", error);
  pid_t child[PORTS] = {0};
  for (unsigned port = 1; port < PORTS; ++port) {
    child[port] = fork();
    if (child[port] < 0) return 1;
    if (child[port] > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run(port, NULL);
    fflush(stdout);
    _exit(0);
  }
  run(0, argc > 4 ? argv[4] : NULL);
  uint64_t sum = 0, transactions = 0;
  for (unsigned port = 0; port < PORTS; ++port) {
    int status = 0;
    if (port > 0 && (waitpid(child[port], &status, 0) != child[port] || status != 0)) fails("a child", -ECHILD);
    sum = sum * 31 + totals->port[port].sum;
    transactions += totals->port[port].transactions;
  }
  printf("checksum: %016llx over %llu transactions in %llu turns\n", (unsigned long long)sum, (unsigned long long)transactions,
         (unsigned long long)totals->last_turn);
  emu_close(emu);
  return 0;
}
