/*
 * The emulator vendor's plugin: takes a test bench off the emulator for a checkpoint, and puts it back on, after a restart perhaps on
 * another one. Built from <cairn/plugin.h> alone; it finds the connection by the vendor's own library, which the test bench has loaded.
 *
 * Checkpoint: presuspend      the process that is elected closes the connection to the test bench's threads (it takes the lock), has the
 *                             emulator stop the clock, and takes the answers that are on the way
 *             barrier "save"  it has the emulator save its state under the snapshot's id
 *             EXTERNAL_SAVE   the slot is released, for a while only for us, and the connection closed
 * Going on:   EXTERNAL_RESUME connects, loads that state, and sends again what the emulator does not have (back.c); after a failure, too: it may
 *                             be another emulator, the last state that was saved, and all that was sent since then
 *             RESUME, ABORT   the lock is given back
 * Restart:    EXTERNAL_RESTORE connects to the emulator and slot that the settings name, and asks for the state
 *             barrier "ready" until the emulator is ready no thread runs; then as when going on
 *
 * What only one process does, any of those that share the connection may do next: all that matters is in the link, which they share.
 */
#include "plugin.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

const struct cairn_host *host;
struct settings settings;
struct emu_link *emulator_link;

/* For how long a barrier looks before it says that it waits: Cairn asks it again a little later. */
enum { LOOK_MS = 80 };

static int leads;    /* elected among the processes that share the connection */
static int has_lock; /* until the threads may go on */
static uint64_t saving_until; /* 0: nobody has asked yet */
static char saving_name[EMU_NAME];
static uint64_t saving_number;
static struct emulator_state state;

/* What a restart waits for, until the shared memory is back. */
static struct {
  struct emulator_state state;
  struct emu_input input;
  uint64_t deadline;
} coming;

uint64_t emulator_deadline(void) { return emu_now_ms(host->syscall) + settings.patience_ms; }

int32_t emulator_fails(int32_t error, const char *emulator, const char *what, const char *why) {
  char text[600] = "";
  emu_add(text, sizeof text, "the emulator at ");
  emu_add(text, sizeof text, emulator);
  emu_add(text, sizeof text, " ");
  emu_add(text, sizeof text, what);
  if (why[0] != 0) {
    emu_add(text, sizeof text, ": ");
    emu_add(text, sizeof text, why);
  }
  return host->fail(error, emulator, text);
}

/* ---- Election: by the shared names of the computation ---- */
enum { SPACE = CAIRN_NAMES_OTHERS + 0x656d75 };

static int elected(uint64_t identity) {
  int64_t holder = 0, real = 0, key = (int64_t)identity;
  int32_t error = host->claim_name(SPACE, key, host->virtual_pid(), &holder);
  /* Whoever led before may have been killed meanwhile. */
  if (error == -EEXIST && host->get_name(CAIRN_NAMES_PROCESS, holder, &real) != 0) error = host->set_name(SPACE, key, host->virtual_pid());
  return error == 0;
}

static void step_down(void) {
  if (leads) host->remove_name(SPACE, (int64_t)emulator_link->identity);
  leads = 0;
  saving_until = 0;
}

/* ---- Checkpoint ---- */
/* The answer to the question of that number. 1: it is there; 0: the time is over; -errno: the connection has ended, and the link knows it. */
static int await(struct emu_message *message, char *text, uint64_t number, uint64_t deadline) {
  for (;;) {
    int result = emu_pump(host->syscall, emulator_link, message, text);
    if (result == 1 && message->number != number) continue; /* it comes late: a checkpoint was given up meanwhile */
    if (result != 0) return result;
    if (emu_wait(host->syscall, emulator_link->fd, deadline) == -ETIMEDOUT) return 0;
  }
}

/* Asks for something and takes the answer. A connection that is out of step is given up: EXTERNAL_SAVE will say so, and a new one be made. */
static int ask(uint16_t kind, uint16_t answer, uint64_t argument, const char *what) {
  struct emu_message message = {kind, 0, 0, ++emulator_link->questions, argument, 0};
  const uint64_t number = message.number;
  char text[EMU_TEXT + 1] = "", reason[EMU_REASON] = "while it was to ";
  emu_add(reason, sizeof reason, what);
  emu_add(reason, sizeof reason, ", it ");
  int result = emu_send(host->syscall, emulator_link->fd, &message, NULL);
  if (result == 0) result = await(&message, text, number, emulator_deadline());
  if (result == 1 && message.kind == answer) return 0;
  if (result == 1 && message.kind == EMU_REFUSED && message.argument == kind) {
    emu_copy(reason, sizeof reason, "does not ");
    emu_add(reason, sizeof reason, what);
    return emulator_fails(-EACCES, emulator_link->emulator, reason, text);
  }
  emu_add(reason, sizeof reason, result == 0 ? "did not answer in time" : "closed the connection");
  emulator_link->error = 0; /* with a better reason */
  return emu_lose(host->syscall, emulator_link, result == 0 ? -ETIMEDOUT : -ECONNRESET, reason);
}

static int32_t presuspend(void) {
  struct emu_link *(*find)(void) = (struct emu_link * (*)(void)) host->next("emu_link");
  const struct cairn_externals *externals = host->extension("cairn.external/1");
  emulator_link = find != NULL ? find() : NULL;
  if (emulator_link == NULL) return 0;
  if (emulator_link->version != EMU_LINK_VERSION) return host->fail(-EPROTO, "libemu.so", "this plugin is for another version of libemu.so");
  if (emulator_link->fd < 0 || !(leads = elected(emulator_link->identity))) return 0;
  externals->mark(emulator_link->fd, EMULATOR_MARK);
  if (emu_lock(host->syscall, emulator_link, emulator_deadline()) < 0) {
    return host->fail(-ETIMEDOUT, "libemu.so", "a thread of the test bench does not leave the connection to the emulator");
  }
  has_lock = 1;
  if (emulator_link->error != 0) return 0;
  int error = ask(EMU_QUIESCE, EMU_QUIESCED, 0, "stop its clock");
  if (error == 0) emulator_link->quiet = 1;
  return error == -EACCES ? error : 0;
}

static void name_state(char *name) {
  const char *snapshot = NULL;
  if (host->setting(CAIRN_SETTING_SNAPSHOT, 0, &snapshot) == NULL || snapshot == NULL) snapshot = "unnamed";
  emu_copy(name, EMU_NAME, snapshot);
}

static int32_t save_barrier(void) {
  if (!leads || emulator_link->error != 0 || !emulator_link->quiet || emulator_link->away) return 0;
  struct emu_message message = {EMU_SAVE, 0, 0, 0, 0, 0};
  char text[EMU_TEXT + 1] = "";
  int result = 0;
  if (saving_until == 0) {
    saving_until = emulator_deadline();
    name_state(saving_name);
    saving_number = message.number = ++emulator_link->questions;
    result = emu_send(host->syscall, emulator_link->fd, &message, saving_name);
  }
  uint64_t look = emu_now_ms(host->syscall) + LOOK_MS;
  if (result == 0) result = await(&message, text, saving_number, look < saving_until ? look : saving_until);
  if (result == 1 && message.kind == EMU_SAVED) {
    emu_rebase(emulator_link, saving_name);
    saving_until = 0;
    return 0;
  }
  if (result == 1 && message.kind == EMU_REFUSED) return emulator_fails(-EACCES, emulator_link->emulator, "does not save its state", text);
  if (result == 0 && emu_now_ms(host->syscall) < saving_until) {
    char what[200] = "waits for the emulator at ";
    emu_add(what, sizeof what, emulator_link->emulator);
    emu_add(what, sizeof what, " to save the design in slot ");
    emu_add_number(what, sizeof what, emulator_link->slot);
    return host->waits_for(what);
  }
  saving_until = 0;
  emulator_link->error = 0;
  emu_lose(host->syscall, emulator_link, result == 0 ? -ETIMEDOUT : -ECONNRESET,
           result == 0 ? "while it was to save its state, it did not answer in time" : "while it was to save its state, it closed the connection");
  return 0;
}

static int32_t external_save(struct cairn_external *connection) {
  if (emulator_link == NULL || strcmp(connection->name, EMULATOR_MARK) != 0) return 0;
  int error = emulator_link->error == 0 ? ask(EMU_RELEASE, EMU_RELEASED, settings.keep_ms, "release its slot") : 0;
  if (emulator_link->error != 0) error = emulator_fails(emulator_link->error, emulator_link->emulator, "fails", emulator_link->reason);
  host->syscall(SYS_shutdown, connection->fd, SHUT_RDWR, 0, 0, 0, 0);
  emulator_link->away = 1;
  emulator_describe(&state);
  connection->state = &state;
  connection->state_size = sizeof state;
  connection->error = error;
  return 1;
}

/* ---- Going on ---- */
static void go_on(void) {
  if (has_lock) {
    if (emulator_link->error == 0 && emulator_link->quiet) {
      struct emu_message message = {EMU_GO, 0, 0, 0, 0, 0};
      int error = emu_send(host->syscall, emulator_link->fd, &message, NULL);
      if (error == 0) error = emu_refill(host->syscall, emulator_link, 0);
      if (error < 0) emu_lose(host->syscall, emulator_link, error, "the emulator has closed the connection");
      emulator_link->quiet = 0;
    }
    emu_unlock(host->syscall, emulator_link);
    has_lock = 0;
  }
  step_down();
}

/* ---- Restart ---- */
static int32_t external_restore(struct cairn_external *connection) {
  if (strcmp(connection->name, EMULATOR_MARK) != 0) return 0;
  coming.state = *(const struct emulator_state *)connection->state;
  coming.deadline = emulator_deadline();
  if (settings.emulator[0] != 0) emu_copy(coming.state.emulator, EMU_ADDRESS, settings.emulator);
  if (settings.slot >= 0) coming.state.slot = (uint32_t)settings.slot;
  int fd = emulator_reach(&coming.state, &coming.input, coming.deadline);
  if (fd < 0) return fd;
  connection->fd = fd;
  leads = elected(coming.state.identity);
  return 1;
}

static int32_t ready_barrier(void) {
  if (!leads) return 0;
  struct emu_message message;
  char text[EMU_TEXT + 1] = "";
  uint64_t look = emu_now_ms(host->syscall) + LOOK_MS;
  int result;
  while ((result = emu_receive(host->syscall, emulator_link->fd, &coming.input, &message, text)) == 0) {
    if (emu_wait(host->syscall, emulator_link->fd, look) != 0) break;
  }
  if (result < 0) return emulator_fails(result, coming.state.emulator, "closed the connection, when it was to load the state", coming.state.saved);
  if (result == 0) {
    if (emu_now_ms(host->syscall) >= coming.deadline) {
      return emulator_fails(-ETIMEDOUT, coming.state.emulator, "does not load the state in time", coming.state.saved);
    }
    char what[300] = "waits for the emulator at ";
    emu_add(what, sizeof what, coming.state.emulator);
    emu_add(what, sizeof what, " to load the design into slot ");
    emu_add_number(what, sizeof what, coming.state.slot);
    return host->waits_for(what);
  }
  if (message.kind != EMU_READY) return emulator_fails(-EACCES, coming.state.emulator, "does not load the state", text);
  result = emulator_back(&coming.state);
  if (result < 0) return emulator_fails(result, coming.state.emulator, "closed the connection", "");
  emu_unlock(host->syscall, emulator_link);
  step_down();
  return 0;
}

/* ---- The interface ---- */
static int32_t read_settings(const char *text) {
  const char *wrong = settings_read(text, &settings);
  return wrong == NULL ? 0 : host->fail(-EINVAL, "settings of the emulator's plugin", wrong);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: return presuspend();
    case CAIRN_EVENT_EXTERNAL_SAVE: return external_save(data);
    case CAIRN_EVENT_EXTERNAL_RESUME: return emulator_resume(data);
    case CAIRN_EVENT_EXTERNAL_RESTORE: return external_restore(data);
    case CAIRN_EVENT_RESUME:
    case CAIRN_EVENT_ABORT: go_on(); return 0;
    case CAIRN_EVENT_RESTART: leads = has_lock = 0, saving_until = 0; return 0;
    case CAIRN_EVENT_SETTINGS:
    case CAIRN_EVENT_SETTINGS_LIVE: return read_settings(data) < 0 ? -EINVAL : 1;
    default: return 0;
  }
}

static int32_t barrier(const char *name, uint32_t restart) {
  (void)name;
  return restart ? ready_barrier() : save_barrier();
}

static int32_t init(const struct cairn_host *given, const char *text) {
  host = given;
  return read_settings(text);
}

static const char *const checkpoint_barriers[] = {"save", NULL};
static const char *const restart_barriers[] = {"ready", NULL};
static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "emulator", "1.0", "the emulator's vendor", init, event, NULL,
    checkpoint_barriers, restart_barriers, barrier, NULL, NULL,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
