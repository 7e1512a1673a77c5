#include "link.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

static void futex_wake(emu_syscall call, uint32_t *word, int count) { call(SYS_futex, (long)word, FUTEX_WAKE, count, 0, 0, 0); }

int emu_lock(emu_syscall call, struct emu_link *link, uint64_t deadline_ms) {
  uint32_t seen = 0;
  if (__atomic_compare_exchange_n(&link->lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return 0;
  while (__atomic_exchange_n(&link->lock, 2, __ATOMIC_ACQUIRE) != 0) {
    uint64_t now = emu_now_ms(call);
    if (now >= deadline_ms) return -ETIMEDOUT;
    uint64_t rest_ms = deadline_ms - now > 1000 ? 1000 : deadline_ms - now;
    struct timespec rest = {(time_t)(rest_ms / 1000), (long)(rest_ms % 1000 * 1000000)};
    call(SYS_futex, (long)&link->lock, FUTEX_WAIT, 2, (long)&rest, 0, 0);
  }
  return 0;
}

void emu_unlock(emu_syscall call, struct emu_link *link) {
  if (__atomic_exchange_n(&link->lock, 0, __ATOMIC_RELEASE) == 2) futex_wake(call, &link->lock, 1);
}

static void tell(emu_syscall call, struct emu_link *link) {
  __atomic_add_fetch(&link->generation, 1, __ATOMIC_RELEASE);
  futex_wake(call, &link->generation, INT_MAX);
}

int emu_lose(emu_syscall call, struct emu_link *link, int error, const char *reason) {
  if (link->error == 0) {
    link->error = error;
    emu_copy(link->reason, sizeof link->reason, reason);
    tell(call, link);
  }
  return error;
}

static int take_answer(emu_syscall call, struct emu_link *link, const struct emu_message *answer) {
  if (answer->port >= link->ports) return emu_lose(call, link, -EPROTO, "the emulator answers for a port that nobody has");
  struct emu_port *port = &link->port[answer->port];
  if (answer->number < port->base || answer->number > port->answered || answer->number >= port->sent) {
    return emu_lose(call, link, -EPROTO, "an answer of the emulator is missing or doubled");
  }
  uint64_t *kept = &port->journal[answer->number % EMU_JOURNAL].answer;
  if (answer->number < port->answered) {
    return *kept == answer->value ? 0 : emu_lose(call, link, -EPROTO, "the emulator answers a transaction in another way than before");
  }
  *kept = answer->value;
  ++port->answered;
  return 0;
}

int emu_pump(emu_syscall call, struct emu_link *link, struct emu_message *message, char *text) {
  int news = 0;
  while (link->error == 0) {
    int result = emu_receive(call, link->fd, &link->input, message, text);
    if (result == 0) {
      if (news) tell(call, link);
      return 0;
    }
    if (result < 0) {
      emu_lose(call, link, result, "the emulator has closed the connection");
    } else if (message->kind == EMU_RESPONSE) {
      take_answer(call, link, message);
      news = 1;
    } else {
      if (news) tell(call, link);
      return 1;
    }
  }
  return link->error;
}

void emu_rebase(struct emu_link *link, const char *name) {
  for (uint32_t i = 0; i < link->ports; ++i) {
    // Answers that the test bench has not taken yet stay where they are.
    link->port[i].base = link->port[i].answered;
  }
  link->incomplete = 0;
  emu_copy(link->saved, sizeof link->saved, name);
}

int emu_refill(emu_syscall call, struct emu_link *link, int from_base) {
  for (uint32_t i = 0; i < link->ports; ++i) {
    const struct emu_port *port = &link->port[i];
    for (uint64_t number = from_base ? port->base : port->answered; number < port->sent; ++number) {
      const struct emu_transaction *kept = &port->journal[number % EMU_JOURNAL];
      struct emu_message message = {EMU_REQUEST, (uint16_t)i, 0, number, kept->argument, kept->value};
      int error = emu_send(call, link->fd, &message, NULL);
      if (error < 0) return error;
    }
  }
  return 0;
}

int emu_attach(emu_syscall call, int fd, struct emu_input *input, uint32_t slot, uint64_t *key, const char *who, uint64_t deadline_ms,
               char *reason) {
  char text[EMU_TEXT + 1];
  struct emu_message message = {EMU_ATTACH, 0, 0, EMU_VERSION, slot, *key};
  emu_copy(text, sizeof text, who);
  int error = emu_ask(call, fd, input, &message, text, EMU_ATTACHED, deadline_ms);
  if (error == 0) *key = message.value;
  else if (error == -EACCES) emu_copy(reason, EMU_REASON, text);
  else emu_copy(reason, EMU_REASON, error == -ETIMEDOUT ? "it does not answer in time" : "it closes the connection");
  return error == -EACCES && message.value == 1 ? -EBUSY : error;
}

int emu_ask_for_state(emu_syscall call, int fd, const char *name, uint32_t ports) {
  struct emu_message message = {name[0] != 0 ? EMU_LOAD : EMU_RESET, 0, 0, 0, ports, 0};
  return emu_send(call, fd, &message, name);
}
