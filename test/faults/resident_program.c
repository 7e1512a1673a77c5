// `resident_program`: says `ready`, waits until the file `hold` is gone, then reads `data` block by block. A block that is wrong makes it
// misbehave, each in another way, so that whatever outlives a run is seen by those after it: it changes all memory that it has, removes
// and writes files, makes System V objects, crashes, hangs, kills itself, leaves processes behind that hang, too. A run that meets none says what it
// finds.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

// By its mode the test knows what is of this program.
enum { BLOCK = 8, BLOCKS = 8, PAGES = 64 * 4096, MODE = 0617 };

static char *shared;
static char *segment;
static char private_memory[PAGES];
static volatile int turns;
static int pipe_ends[2];

static void *turn(void *unused) {
  (void)unused;
  char byte;
  while (read(pipe_ends[0], &byte, 1) == 1) turns += byte;
  return NULL;
}

static unsigned sum_of(const char *memory) {
  unsigned sum = 0;
  for (int i = 0; i < PAGES; i++) sum = sum * 31 + (unsigned char)memory[i];
  return sum;
}

static void spoil(void) {
  memset(shared, 1, PAGES);
  memset(private_memory, 1, PAGES);
  turns = 1000;
  unlink("log");
  int fd = open("other", O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (write(fd, "x", 1) != 1) abort();
  close(fd);
  if (shmget(IPC_PRIVATE, PAGES, MODE) < 0 || semget(IPC_PRIVATE, 3, MODE) < 0 || msgget(IPC_PRIVATE, MODE) < 0) abort();
  *segment = 1;
}

static void leave_processes(void) {
  for (int i = 0; i < 2; i++) {
    if (fork() == 0) {
      setsid();
      close(pipe_ends[1]);
      signal(SIGTERM, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
      if (fork() == 0 || i == 0)
        for (;;) pause();
      _exit(0);
    }
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  shared = mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < PAGES; i++) shared[i] = private_memory[i] = (char)(i * 7);
  // Made before the snapshot: each run has one of its own.
  segment = shmat(shmget(IPC_PRIVATE, 4096, MODE), NULL, 0);
  FILE *log = fopen("log", "w+");
  fputs("begun\n", log);
  fflush(log);
  pthread_t thread;
  if (pipe(pipe_ends) != 0 || pthread_create(&thread, NULL, turn, NULL) != 0) return 1;
  puts("ready");
  while (access("hold", F_OK) == 0) usleep(1000);
  int fd = open("data", O_RDONLY);
  for (int i = 0; i < BLOCKS; i++) {
    char block[BLOCK];
    int bad = read(fd, block, BLOCK) != BLOCK || memcmp(block, "aaaaaaaa", BLOCK) != 0;
    if (!bad) continue;
    spoil();
    switch (i) {
      case 0: abort();
      case 1:
        for (;;) pause();
      case 2: kill(getpid(), SIGKILL); break;
      case 3: leave_processes(); break;
      case 4: leave_processes(); kill(0, SIGKILL); break;
      case 5: leave_processes(); raise(SIGSTOP); break;
      case 6: *(volatile char *)NULL = 1; break;
      default: puts("noticed"); return 3;
    }
  }
  shared[0]++;
  (*segment)++;
  private_memory[0]++;
  for (int i = 0; i < 5; i++)
    if (write(pipe_ends[1], "\1", 1) != 1) return 1;
  close(pipe_ends[1]);
  pthread_join(thread, NULL);
  fprintf(log, "goes on\n");
  fflush(log);
  char text[64] = "";
  rewind(log);
  size_t size = fread(text, 1, sizeof text - 1, log);
  for (size_t i = 0; i < size; i++)
    if (text[i] == '\n') text[i] = ' ';
  printf("turns %d, shared %u, private %u, segment %d, log %s, other %d, offset %ld\n", turns, sum_of(shared), sum_of(private_memory), *segment, text,
         access("other", F_OK), (long)lseek(fd, 0, SEEK_CUR));
  pid_t child = fork();
  if (child == 0) _exit(getppid() == getpid() ? 1 : 7);
  int status = 0;
  waitpid(child, &status, 0);
  printf("done at %d, child %d\n", (int)getpid(), WEXITSTATUS(status));
  return 0;
}
