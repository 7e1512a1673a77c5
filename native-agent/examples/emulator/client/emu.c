#include "emu.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "link.h"

#define EXPORT __attribute__((visibility("default")))

enum { PATIENCE_MS = 30000, LOOK_MS = 100 };

/* What the test bench has is a name for the link; one connection a process. */
struct emu {
  struct emu_link *link;
};
static struct emu the_emu;

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
}

EXPORT struct emu_link *emu_link(void) { return the_emu.link; }

static void lock(struct emu_link *link) { (void)emu_lock(call, link, UINT64_MAX); }

static int open_slot(struct emu_link *link, const char *address, unsigned slot, char *reason) {
  uint64_t deadline = emu_now_ms(call) + PATIENCE_MS;
  char text[EMU_TEXT + 1], who[64];
  int fd = emu_connect(call, address, deadline);
  if (fd < 0) {
    emu_copy(reason, EMU_REASON, "it cannot be reached");
    return fd;
  }
  link->fd = fd;
  snprintf(who, sizeof who, "process %d", (int)getpid());
  int error = emu_attach(call, fd, &link->input, slot, &link->key, who, deadline, reason);
  if (error < 0) return error;
  error = emu_ask_for_state(call, fd, "", link->ports);
  struct emu_message message;
  while (error == 0) {
    error = emu_receive(call, fd, &link->input, &message, text);
    if (error == 1) {
      if (message.kind == EMU_READY) return 0;
      emu_copy(reason, EMU_REASON, text);
      return -EACCES;
    }
    if (error == 0) error = emu_wait(call, fd, deadline);
  }
  emu_copy(reason, EMU_REASON, "it closes the connection");
  return error;
}

EXPORT int emu_open(const char *address, unsigned slot, unsigned ports, struct emu **emu) {
  *emu = &the_emu;
  if (the_emu.link != NULL) return -EBUSY;
  if (ports < 1 || ports > EMU_PORTS || strlen(address) >= EMU_ADDRESS) return -EINVAL;
  struct emu_link *link = mmap(NULL, sizeof *link, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (link == MAP_FAILED) return -errno;
  link->version = EMU_LINK_VERSION;
  link->fd = -1;
  link->ports = ports;
  link->slot = slot;
  emu_copy(link->emulator, sizeof link->emulator, address);
  if (getrandom(&link->identity, sizeof link->identity, 0) < 0) link->identity = (uint64_t)getpid();
  the_emu.link = link;
  int error = open_slot(link, address, slot, link->reason);
  if (error < 0) link->error = error;
  return error;
}

EXPORT void emu_close(struct emu *emu) {
  if (emu->link == NULL) return;
  if (emu->link->fd >= 0) close(emu->link->fd);
  munmap(emu->link, sizeof *emu->link);
  emu->link = NULL;
}

EXPORT const char *emu_reason(const struct emu *emu) { return emu->link == NULL ? "there is no connection" : emu->link->reason; }

static int begin(struct emu *emu, unsigned number, uint32_t operation, uint32_t low, uint64_t value) {
  struct emu_link *link = emu->link;
  if (link == NULL || number >= link->ports) return -EINVAL;
  lock(link);
  struct emu_port *port = &link->port[number];
  int error = link->error;
  if (error == 0 && port->sent - port->taken >= EMU_IN_FLIGHT) error = -EAGAIN;
  if (error == 0) {
    if (port->sent - port->base == EMU_JOURNAL) {
      ++port->base;
      link->incomplete = 1;
    }
    struct emu_message message = {EMU_REQUEST, (uint16_t)number, 0, port->sent, (uint64_t)operation << 32 | low, value};
    port->journal[port->sent++ % EMU_JOURNAL] = (struct emu_transaction){message.argument, value, 0};
    error = emu_send(call, link->fd, &message, NULL);
    if (error < 0) emu_lose(call, link, error, "the emulator has closed the connection");
  }
  emu_unlock(call, link);
  return error;
}

EXPORT int emu_run(struct emu *emu, unsigned port, uint32_t cycles) { return begin(emu, port, EMU_RUN, cycles, 0); }
EXPORT int emu_read(struct emu *emu, unsigned port, uint32_t address) { return begin(emu, port, EMU_READ, address, 0); }
EXPORT int emu_write(struct emu *emu, unsigned port, uint32_t address, uint32_t value) {
  return begin(emu, port, EMU_WRITE, address, value);
}
EXPORT int emu_console(struct emu *emu, unsigned port) { return begin(emu, port, EMU_CONSOLE, 0, 0); }
EXPORT int emu_finish(struct emu *emu, unsigned port) { return begin(emu, port, EMU_CLOSE, 0, 0); }

/* One of the waiting threads waits for the socket and takes what comes, the others for what it has taken. It may be gone, and a checkpoint
 * takes answers, too: so nobody waits for long. Gives 0 where there was nothing for so long. */
static int wait_for_news(struct emu_link *link, int reads, uint32_t generation) {
  struct timespec look = {0, LOOK_MS * 1000000L};
  if (!reads) return call(SYS_futex, (long)&link->generation, FUTEX_WAIT, generation, (long)&look, 0, 0) != -ETIMEDOUT;
  struct pollfd wanted = {link->fd, POLLIN, 0};
  call(SYS_ppoll, (long)&wanted, 1, (long)&look, 0, 0, 0);
  __atomic_store_n(&link->reading, 0, __ATOMIC_RELEASE);
  return 1;
}

EXPORT int emu_answer(struct emu *emu, unsigned number, uint64_t *value) {
  struct emu_link *link = emu->link;
  if (link == NULL || number >= link->ports) return -EINVAL;
  struct emu_port *port = &link->port[number];
  for (int others_read = 1;;) {
    struct emu_message message;
    char text[EMU_TEXT + 1];
    lock(link);
    if (port->taken == port->sent) {
      emu_unlock(call, link);
      return -ENODATA;
    }
    /* What another one waits for at the socket is left to it. */
    int takes = !link->reading || !others_read;
    while (takes && port->taken == port->answered && emu_pump(call, link, &message, text) == 1) {
      // Else it is an answer for a checkpoint that was given up.
      if (message.kind == EMU_REFUSED && message.argument == EMU_REQUEST) emu_lose(call, link, -EPROTO, text);
    }
    if (port->taken < port->answered) {
      *value = port->journal[port->taken++ % EMU_JOURNAL].answer;
      emu_unlock(call, link);
      return 0;
    }
    int error = link->error;
    uint32_t generation = link->generation;
    int reads = error == 0 && takes;
    if (reads) link->reading = 1;
    emu_unlock(call, link);
    if (error != 0) return error;
    others_read = wait_for_news(link, reads, generation);
  }
}
