/* Bringing the connection back: to one emulator, or to the first of several that will have it. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "plugin.h"

/* Less than for what Cairn waits. */
enum { MOST_MS = 20000, PAUSE_MS = 50 };

void emulator_describe(struct emulator_state *state) {
  state->identity = emulator_link->identity;
  state->key = emulator_link->key;
  state->slot = emulator_link->slot;
  state->ports = emulator_link->ports;
  emu_copy(state->emulator, EMU_ADDRESS, emulator_link->emulator);
  emu_copy(state->saved, EMU_NAME, emulator_link->saved);
}

/* As emulator_reach, with the reason instead of host->fail. */
static int reach(struct emulator_state *state, struct emu_input *input, uint64_t deadline, char *reason) {
  char who[64] = "process ";
  emu_add_number(who, sizeof who, (uint64_t)host->virtual_pid());
  int fd = emu_connect(host->syscall, state->emulator, deadline);
  if (fd < 0) {
    emu_copy(reason, EMU_REASON, fd == -EINVAL ? "its address is none: 127.0.0.1:4000 would be one" : "it cannot be reached");
    return fd;
  }
  input->had = 0;
  int error = emu_attach(host->syscall, fd, input, state->slot, &state->key, who, deadline, reason);
  if (error == 0) {
    error = emu_ask_for_state(host->syscall, fd, state->saved, state->ports);
    if (error < 0) emu_copy(reason, EMU_REASON, "it closes the connection");
  }
  if (error == 0) return fd;
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return error;
}

int emulator_reach(struct emulator_state *state, struct emu_input *input, uint64_t deadline) {
  char reason[EMU_REASON] = "";
  int fd;
  while ((fd = reach(state, input, deadline, reason)) == -EBUSY && emu_now_ms(host->syscall) < deadline) emu_pause(host->syscall, PAUSE_MS);
  return fd < 0 ? emulator_fails(fd, state->emulator, "does not take the computation", reason) : fd;
}

int emulator_back(const struct emulator_state *state) {
  emulator_link->error = 0;
  emulator_link->quiet = emulator_link->away = emulator_link->reading = 0;
  emulator_link->input.had = 0;
  emulator_link->reason[0] = 0;
  emulator_link->key = state->key;
  emulator_link->slot = state->slot;
  emu_copy(emulator_link->emulator, EMU_ADDRESS, state->emulator);
  return emu_refill(host->syscall, emulator_link, 1);
}

/* A descriptor of an emulator that is ready; -errno and the reason. */
static int try_once(struct emulator_state *state, uint64_t end, char *reason) {
  struct emu_input input;
  struct emu_message message;
  char text[EMU_TEXT + 1] = "";
  uint64_t deadline = emulator_deadline();
  if (deadline > end) deadline = end;
  int fd = reach(state, &input, deadline, reason);
  if (fd < 0) return fd;
  for (;;) {
    int result = emu_receive(host->syscall, fd, &input, &message, text);
    if (result == 1 && message.kind == EMU_READY) return fd;
    if (result == 0) result = emu_wait(host->syscall, fd, deadline);
    if (result == 0) continue;
    emu_copy(reason, EMU_REASON, result == 1 ? text : result == -ETIMEDOUT ? "it does not load the state in time" : "it closes the connection");
    host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
    return result == 1 ? -EACCES : result;
  }
}

/* The emulator that the computation was on, then those that stand by, again and again for a while: a slot may be somebody's a moment longer. */
static int reach_any(struct emulator_state *state, char *reason) {
  uint64_t end = emu_now_ms(host->syscall) + MOST_MS;
  for (;;) {
    int error = -ENOENT;
    for (uint32_t i = 0; i <= settings.standby_count; ++i) {
      emulator_describe(state);
      if (i > 0) emu_copy(state->emulator, EMU_ADDRESS, settings.standby[i - 1]);
      int fd = try_once(state, end, reason);
      if (fd >= 0) return fd;
      error = fd;
    }
    if (emu_now_ms(host->syscall) >= end) return error;
    emu_pause(host->syscall, PAUSE_MS);
  }
}

int32_t emulator_resume(struct cairn_external *connection) {
  struct emulator_state state;
  char reason[EMU_REASON] = "a journal was too short to begin from the state that was saved last";
  /* Whatever was on it: both ends begin anew. */
  host->syscall(SYS_shutdown, connection->fd, SHUT_RDWR, 0, 0, 0, 0);
  int fd = emulator_link->incomplete ? -ENOBUFS : reach_any(&state, reason);
  int error = fd;
  if (fd >= 0) {
    int number = emulator_link->fd;
    emulator_link->fd = fd;
    error = emulator_back(&state);
    emulator_link->fd = number;
    connection->fd = fd;
    if (error == 0) return 0;
  }
  emulator_link->error = 0;
  emu_lose(host->syscall, emulator_link, error, reason);
  return emulator_fails(error, emulator_link->emulator, "does not take the computation back", reason);
}
