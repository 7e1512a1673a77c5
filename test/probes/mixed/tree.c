// A program starts one of the other kind (64 bits, 32 bits), which starts one of the first kind again: parents and statuses, memory and a
// socket that they share, a pipe, and signals with values between them.
// bits: 64, 32
// needs: partner
// sabotage: poke @cell
#include "../probe.h"
#include <sys/socket.h>
#include <sys/wait.h>

enum { PLACES = 3, BITS = 8 * (int)sizeof(void *) };

struct shared {  // the same for both kinds
  volatile uint32_t go, count[PLACES], pid[PLACES], parent[PLACES], bits[PLACES], sender[PLACES], value[PLACES];
  _Alignas(8) volatile uint64_t sum;
};
static struct shared *shared;
static int place;
static uint64_t cell = 99;

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  shared->value[place] = (uint32_t)info->si_value.sival_int;
  shared->sender[place] = (uint32_t)info->si_pid;
}

static void share(int memory) {
  shared = (struct shared *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(shared != MAP_FAILED, "mmap");
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  shared->bits[place] = BITS;
  shared->pid[place] = (uint32_t)getpid();
}

static pid_t start(const char *program, char **argv, const char *partner, int other_place, int memory, int socket, int pipe) {
  pid_t child = fork();
  if (child != 0) return child;
  char numbers[4][16];
  int values[4] = {other_place, memory, socket, pipe};
  for (int i = 0; i < 4; i++) snprintf(numbers[i], sizeof numbers[i], "%d", values[i]);
  execl(program, program, argv[1], argv[2], partner, numbers[0], numbers[1], numbers[2], numbers[3], (char *)NULL);
  _exit(98);
}

// What the second and the third do.
static int serve(char **argv) {
  place = atoi(argv[4]);
  int memory = atoi(argv[5]), socket = atoi(argv[6]), pipe = atoi(argv[7]);
  share(memory);
  pid_t child = place == 1 ? start(argv[3], argv, argv[0], 2, memory, socket, pipe) : 0;
  pid_t root = (pid_t)shared->pid[0];
  while (!shared->go) {
    shared->parent[place] = (uint32_t)getppid();
    shared->count[place]++;
    __atomic_fetch_add(&shared->sum, 1ull << 33, __ATOMIC_SEQ_CST);
    probe_sleep_ms(3);
    if (kill(root, 0) == -1) return 50;  // the probe has failed
  }
  WAIT_UNTIL(shared->value[place] == 500u + (unsigned)place, "process %d got no signal", place);
  union sigval value = {.sival_int = 600 + place};
  CHECK(sigqueue(root, SIGUSR1, value) == 0, "sigqueue to the first");
  if (place == 2) return write(pipe, "leaf", 4) == 4 ? 42 : 60;
  char text[8] = "";
  if (read(socket, text, 4) != 4 || strcmp(text, "ping") != 0 || write(socket, "pong", 4) != 4) return 61;
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 42 ? 41 : 62;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  if (argc < 4) SKIP("no program of the other kind");
  if (argc > 4) return serve(argv);
  int memory = memfd_create("shared", 0), sockets[2], ends[2];
  CHECK(ftruncate(memory, 4096) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && pipe(ends) == 0, "what they share");
  share(memory);
  pid_t child = start(argv[3], argv, argv[0], 1, memory, sockets[1], ends[1]);
  close(sockets[1]), close(ends[1]);
  WAIT_UNTIL(shared->count[1] > 3 && shared->count[2] > 3, "the others did not start");
  CHECK(shared->bits[1] != BITS && shared->bits[2] == BITS, "kinds: %u, %u", shared->bits[1], shared->bits[2]);
  uint32_t pids[PLACES];
  memcpy(pids, (void *)(uintptr_t)shared->pid, sizeof pids);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  probe_hold();
  CHECK(cell == 99, "memory");
  uint32_t seen[2] = {shared->count[1], shared->count[2]};
  WAIT_UNTIL(shared->count[1] > seen[0] && shared->count[2] > seen[1], "the others do not share the memory");
  CHECK(getpid() == (pid_t)pids[0] && (pid_t)pids[1] == child, "ids");
  CHECK(shared->parent[1] == pids[0] && shared->parent[2] == pids[1], "parents: %u, %u", shared->parent[1], shared->parent[2]);
  for (int i = 1; i < PLACES; i++) {
    union sigval value = {.sival_int = 500 + i};
    CHECK(sigqueue((pid_t)pids[i], SIGUSR1, value) == 0, "sigqueue to %d", i);
    WAIT_UNTIL(shared->value[i] == 500u + (unsigned)i && shared->sender[i] == pids[0], "signal to %d: value %u of %u", i, shared->value[i], shared->sender[i]);
  }
  shared->go = 1;
  WAIT_UNTIL(shared->value[0] > 600 && (shared->sender[0] == pids[1] || shared->sender[0] == pids[2]), "no signal back");
  char text[8] = "";
  CHECK(write(sockets[0], "ping", 4) == 4 && read(sockets[0], text, 4) == 4 && strcmp(text, "pong") == 0, "the socket gave '%s'", text);
  CHECK(read(ends[0], text, 4) == 4 && strcmp(text, "leaf") == 0 && read(ends[0], text, 4) == 0, "the pipe");
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 41, "status %x", status);
  CHECK(shared->sum >> 33 == (uint64_t)shared->count[1] + shared->count[2], "64-bit words that both kinds add to");
  return probe_ok();
}
