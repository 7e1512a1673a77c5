/*
 * The library. It asks the kernel for the thread's id by an instruction of its own, as closed libraries do that also have to work where
 * libc is not to be used: so the id is the kernel's, whoever stands in front of libc's functions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"

#if !defined(__x86_64__)
#error "this vendor delivers for x86-64"
#endif

static long kernel(long number, long a, long b, long c, long d) {
  long result;
  register long fourth __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
  return result;
}

static uint32_t own_id(void) { return (uint32_t)kernel(SYS_gettid, 0, 0, 0, 0); }
static int lives(uint32_t id) { return kernel(SYS_tkill, (long)id, 0, 0, 0) != -ESRCH; }

static int exchange(uint32_t *owner, uint32_t *expected, uint32_t id) {
  return __atomic_compare_exchange_n(owner, expected, id, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

struct bus_locks *bus_open(const char *file) {
  int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return NULL;
  void *at = MAP_FAILED;
  if (ftruncate(fd, sizeof(struct bus_locks)) == 0) at = mmap(NULL, sizeof(struct bus_locks), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return at == MAP_FAILED ? NULL : at;
}

static int try_once(uint32_t *owner) {
  uint32_t me = own_id(), seen = 0;
  if (exchange(owner, &seen, me)) return 0;
  if (seen == me) return -EDEADLK;
  if (lives(seen)) return -EBUSY;
  return exchange(owner, &seen, me) ? -EOWNERDEAD : -EBUSY;
}

int bus_try(struct bus_locks *locks, unsigned bus) { return try_once(&locks->owner[bus]); }

void bus_wait(struct bus_locks *locks, unsigned bus) {
  uint32_t *owner = &locks->owner[bus];
  uint32_t seen = __atomic_load_n(owner, __ATOMIC_RELAXED);
  /* Nobody wakes those who wait for one that has ended. */
  struct timespec moment = {0, 20000000};
  if (seen != 0) kernel(SYS_futex, (long)owner, FUTEX_WAIT, (long)seen, (long)&moment);
}

int bus_take(struct bus_locks *locks, unsigned bus) {
  for (;;) {
    int result = try_once(&locks->owner[bus]);
    if (result != -EBUSY) return result;
    bus_wait(locks, bus);
  }
}

int bus_release(struct bus_locks *locks, unsigned bus) {
  uint32_t *owner = &locks->owner[bus];
  if (__atomic_load_n(owner, __ATOMIC_RELAXED) != own_id()) return -EPERM;
  __atomic_store_n(owner, 0, __ATOMIC_RELEASE);
  kernel(SYS_futex, (long)owner, FUTEX_WAKE, 1, 0);
  return 0;
}
