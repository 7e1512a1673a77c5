/* The examples of docs/plugin-abi.md: scripts/docs.mjs takes what stands between a line that names functions, and the next one. Compiled
 * with the public header, with all warnings. What they leave out is what every plugin has: */
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct cairn_host *host;

struct link {
  uint64_t ticket;
  int32_t fd;
  int32_t file;
};
static struct link *slot;

/* What an emulator's plugin would have, and an example does not say. */
int32_t emulator_connect(const char *address);
int32_t emulator_ready(int32_t fd);
int32_t emulator_stop_transactions(void);
int32_t emulator_drain(void);
int32_t emulator_save(uint64_t *ticket);
int32_t emulator_load(int32_t fd, uint64_t ticket);
void use_examples(void);
enum { EMULATOR_NAMES = CAIRN_NAMES_OTHERS + 4711 };
static int32_t first_of_all;

/*! cairn_plugin_entry */
static int32_t init(const struct cairn_host *given, const char *settings);
static int32_t event(uint32_t number, void *data);
static void rows(const char *table, cairn_emit_row emit, void *context);
static int32_t barrier(const char *name, uint32_t restart);
static const char *const down[] = {"drain", "save", NULL}, *const up[] = {"load", NULL};
static const struct cairn_wrap *const wraps[2];

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "acme-emulator",
    .version = "2.4",
    .author = "Acme",
    .init = init,
    .event = event,
    .rows = rows,
    .checkpoint_barriers = down,
    .restart_barriers = up,
    .barrier = barrier,
    .wraps = wraps,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_minor;
  return host_major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}

/*! init */
static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  slot = host->allocate(sizeof *slot);
  if (slot == NULL) return -ENOMEM;
  return strstr(settings, "\"address\"") != NULL ? 0 : host->fail(-EINVAL, "settings", "\"address\" is missing");
}

/*! event */
static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: return emulator_stop_transactions();
    case CAIRN_EVENT_ABORT:
    case CAIRN_EVENT_RESUME: return emulator_ready(slot->fd);
    case CAIRN_EVENT_SETTINGS: return strstr(data, "\"address\"") != NULL ? 1 : -EINVAL;
    default: return 0; /* also what is newer than this plugin */
  }
}

/*! rows */
static void rows(const char *table, cairn_emit_row emit, void *context) {
  struct cairn_row row = {sizeof row, 0, "emulator", "slot 3", "slot 1", "in use", 0};
  if (strcmp(table, "connection") == 0) emit(context, &row);
  /* cairn tables plugin: what is no other table's. */
  struct cairn_row counter = {sizeof counter, 0, "emulator of this process", slot->fd < 0 ? "not connected" : "connected", "", "", 0};
  if (strcmp(table, "plugin") == 0) emit(context, &counter);
}

/*! barrier checkpoint_barriers restart_barriers */
static int32_t barrier(const char *name, uint32_t restart) {
  if (restart) return emulator_ready(slot->fd) == 1 ? 0 : host->waits_for("the emulator's word that it is ready");
  return strcmp(name, "drain") == 0 ? emulator_drain() : emulator_save(&slot->ticket);
}

/*! syscall */
static int32_t size_of(int32_t fd) {
  long size = host->syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
  return size < 0 ? host->fail((int32_t)size, "image", "its size cannot be had") : (int32_t)size;
}

/*! log */
static void say_taken(void) { host->log(CAIRN_LOG_INFO, "acme-emulator: slot 3 is taken"); }

/*! fail */
static int32_t reconnect(const char *address) {
  int32_t fd = emulator_connect(address);
  return fd < 0 ? host->fail(fd, address, "the emulator cannot be reached") : fd;
}

/*! allocate */
static struct link *new_link(void) { return host->allocate(sizeof(struct link)); /* zeros; NULL: there is no memory */ }

/*! setting */
static const char *run_folder(void) {
  const char *folder = NULL;
  return host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &folder) != NULL ? folder : NULL;
}

/*! virtual_pid real_pid */
static int32_t was_restarted(void) { return host->virtual_pid() != host->real_pid(); /* a hint: a restart may find the same number */ }

/*! thread */
static uint32_t count_threads(void) {
  int32_t virtual_tid, real_tid;
  uint32_t count = 0;
  while (host->thread(count, &virtual_tid, &real_tid) == 1) ++count;
  return count;
}

/*! next */
static ssize_t (*next_read)(int, void *, size_t);
static void find_next(void) { *(void **)&next_read = host->next("read"); /* in init: later it would ask the loader */ }

/*! keep_file */
static int32_t keep(const char *path, uint64_t length) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return (int32_t)fd;
  slot->file = host->keep_file((int32_t)fd, length, CAIRN_KEEP_NOW);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return slot->file < 0 ? slot->file : 0;
}

/*! open_kept */
static int32_t load_kept(void *memory, uint64_t length) {
  int32_t fd = host->open_kept(slot->file);
  if (fd < 0) return fd;
  long count = host->syscall(SYS_read, fd, (long)memory, (long)length, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return (int32_t)count;
}

/*! own_fd */
static int32_t close_all_above(int32_t lowest) {
  for (int32_t fd = lowest; fd < 1024; ++fd) {
    if (host->own_fd(fd) == 0) host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  }
  return 0;
}

/*! hide_fd close_fd */
static int32_t hand_over(int32_t fd) {
  int32_t hidden = host->hide_fd(fd); /* the application may give fd's number to something else now */
  int32_t result = hidden < 0 ? hidden : emulator_load(hidden, slot->ticket);
  if (hidden >= 0) host->close_fd(hidden);
  return result;
}

/*! publish */
struct acme_slots {
  uint32_t size;
  uint32_t reserved;
  int32_t (*count)(void);
};
static int32_t three(void) { return 3; }
static const struct acme_slots slots = {sizeof slots, 0, three};
static int32_t offer_slots(void) { return host->publish("acme.slots/1", &slots); }

/*! extension */
static int32_t real_path(const char *path, char *buffer, uint32_t capacity) {
  const struct cairn_paths *paths = host->extension("cairn.paths/1");
  return paths == NULL ? -ENOTSUP : paths->to_real(path, buffer, capacity);
}

/*! set_name claim_name get_name remove_name next_name */
static int32_t elect(int64_t connection) {
  int64_t leader = 0;
  int32_t result = host->claim_name(EMULATOR_NAMES, connection, host->virtual_pid(), &leader);
  if (result == 0) first_of_all = 1;
  return result == -EEXIST ? 0 : result; /* somebody else leads */
}
static int32_t forget_all(void) {
  int64_t connection, leader;
  for (uint32_t index = 0; host->next_name(EMULATOR_NAMES, &index, &connection, &leader) == 0;) host->remove_name(EMULATOR_NAMES, connection);
  return host->set_name(EMULATOR_NAMES, 0, host->virtual_pid());
}
static int32_t leader_of(int64_t connection) {
  int64_t leader = 0;
  return host->get_name(EMULATOR_NAMES, connection, &leader) == 0 ? (int32_t)leader : 0;
}

/*! offer deliver */
static int32_t save_external(struct cairn_external *connection, int32_t *layer) {
  *layer = host->offer(CAIRN_EVENT_EXTERNAL_SAVE, connection);
  return *layer == -1 ? 0 : *layer; /* kept for a restart, where: */
}
static int32_t restore_external(struct cairn_external *connection, int32_t layer) {
  return host->deliver(layer, CAIRN_EVENT_EXTERNAL_RESTORE, connection);
}

/*! thread_call set_thread_argument */
static void replace_object(uint64_t before, uint64_t now) {
  int64_t number;
  uint64_t arguments[6], stack;
  int32_t virtual_tid, real_tid;
  for (uint32_t index = 0; host->thread(index, &virtual_tid, &real_tid) == 1; ++index) {
    if (host->thread_call(index, &number, arguments, &stack) == 1 && number == SYS_read && arguments[0] == before)
      host->set_thread_argument(index, 0, now);
  }
}

/*! need_file */
static void need_licence(uint64_t size, uint64_t mtime_ns) { host->need_file("/opt/acme/licence.dat", NULL, size, mtime_ns); }

/*! list_file */
static void list_trace(uint64_t size, uint64_t mtime_ns) {
  host->list_file("/data/trace.bin", NULL, size, mtime_ns, CAIRN_FILE_SAVED);
}

/*! tell_hosts ask_hosts */
static int32_t tell_port(const char *name, uint16_t port) {
  int32_t result = host->tell_hosts(EMULATOR_NAMES, name, (uint32_t)strlen(name), &port, sizeof port);
  return result == -ENOTCONN ? 0 : result; /* one host: the shared names are enough */
}
static int32_t ask_port(const char *name) { return host->ask_hosts(EMULATOR_NAMES, name, (uint32_t)strlen(name)); }

/*! answer_of_hosts */
static int32_t port_of(const char *name) {
  struct cairn_answer answer = {sizeof answer, 0, NULL, 0, 0, {0}};
  int32_t result = host->answer_of_hosts(EMULATOR_NAMES, name, (uint32_t)strlen(name), &answer);
  uint16_t port = 0;
  if (result < 0 || answer.value_size != sizeof port) return result < 0 ? result : -EPROTO;
  memcpy(&port, answer.value, sizeof port);
  return port;
}

/*! exchange_folder */
static int32_t is_on_one_host(void) { return host->exchange_folder() == NULL; }

/*! request_checkpoint */
static int32_t checkpoint_on_error(int32_t result) {
  if (result < 0 && host->request_checkpoint("first error") == 2) return 0; /* CAIRN_RESTARTED: here again */
  return result;
}

/*! forbid_checkpoint allow_checkpoint */
static int32_t transfer_whole(int32_t (*transfer)(void)) {
  int32_t result = host->forbid_checkpoint("an open bus transfer");
  if (result < 0) return result;
  result = transfer();
  host->allow_checkpoint();
  return result;
}

/*! waits_for */
static int32_t wait_until_ready(void) {
  int32_t ready = emulator_ready(slot->fd);
  return ready == 0 ? host->waits_for("the emulator in slot 3 to be ready") : ready < 0 ? ready : 0;
}

/*! aside */
static void read_load(void *context) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, (long)"/proc/loadavg", O_RDONLY, 0, 0, 0);
  if (fd < 0) return;
  host->syscall(SYS_read, fd, (long)context, 4096, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}
static void show_load(char *text) { host->aside(read_load, text); }

/*! around_fork */
static long make_child(void) {
  host->around_fork(CAIRN_FORK_BEFORE);
  long child = host->syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
  host->around_fork(child == 0 ? CAIRN_FORK_IN_CHILD : CAIRN_FORK_IN_PARENT);
  return child;
}

/*! wraps */
static int (*next_send)(const void *message, uint64_t size);
static uint64_t sends;
static int counted_send(const void *message, uint64_t size) {
  __atomic_fetch_add(&sends, 1, __ATOMIC_RELAXED);
  return next_send(message, size);
}
static const struct cairn_wrap send_wrap = {
    sizeof send_wrap, 0, "acme_send", "libacme.so.3", (cairn_function)counted_send, (cairn_function *)&next_send, &sends,
};
static const struct cairn_wrap *const wraps[2] = {&send_wrap, NULL};

/*! wrap unwrap */
static int32_t count_sends(int32_t on) { return on ? host->wrap(&send_wrap) : host->unwrap(&send_wrap); }

/*! answer */
static void tell_level(int32_t level) {
  static char text[16];
  int length = snprintf(text, sizeof text, "%d", level);
  host->answer(0, text, (uint64_t)length);
}

/*! request */
static int32_t requested(const struct cairn_request *request) {
  if (request->stage == CAIRN_REQUEST_GIVE_UP) return host->answer(-ETIMEDOUT, "the bus is busy", 15);
  if (request->text_size != 5 || memcmp(request->text, "level", 5) != 0) return host->fail(-EINVAL, "request", "it can be asked for its level alone");
  tell_level(3);
  return 0;
}

/*! enter leave */
static uint32_t reset_comes(struct cairn_entry *entry, const uint64_t *arguments) {
  (void)entry;
  host->log(CAIRN_LOG_INFO, arguments[0] == 0 ? "cold reset" : "warm reset");
  return CAIRN_ENTRY_GO_ON;
}
static struct cairn_entry reset_entry = {sizeof reset_entry, 0, NULL, reset_comes, {0, 0}, 0, 0, NULL, 0, 0};
static int32_t watch_reset(cairn_function reset, int32_t on) {
  struct cairn_entry *const entries[1] = {&reset_entry};
  reset_entry.function = reset;
  return on ? host->enter(entries, 1, NULL, NULL) : host->leave(&reset_entry);
}

/*! in_copy */
static int64_t read_level(void *context, void *result, uint64_t capacity) {
  (void)context;
  return snprintf(result, capacity, "%d", emulator_ready(slot->fd));
}
static int64_t held_level(char *text, uint64_t capacity) { return host->in_copy(read_level, NULL, text, capacity); }

/*! request_hold */
static void stop_on_error(int32_t result) {
  if (result < 0) (void)host->request_hold("bus", "the first transfer that failed");
}

/*! registers set_registers stop */
static void look_where_it_is(struct cairn_stop *stop, int32_t error) {
  struct cairn_registers registers = {sizeof registers, 0, {0}, 0, 0, NULL};
  (void)stop;
  if (error < 0 || host->registers(0, &registers) < 0) return;
  registers.general[3] ^= 1; /* rbx */
  (void)host->set_registers(0, &registers);
}
static struct cairn_stop in_a_second = {sizeof in_a_second, 0, 1000000000, CAIRN_STOP_TIME, 0, look_where_it_is, 0, NULL};
static int32_t look_soon(void) { return host->stop(&in_a_second); }

/*! cairn_design */
static const struct cairn_design *design;
static struct cairn_signal parity;
static void parity_changes(struct cairn_watcher *watcher, uint32_t moment, struct cairn_signal *signal) {
  char bit[2];
  if (moment == CAIRN_MOMENT_BEGIN && design->find("tb.parity", &parity) == 0) design->on_change(watcher, &parity, 1);
  if (moment == CAIRN_MOMENT_CHANGE && design->read(signal, bit, sizeof bit) == 0 && bit[0] == '1') host->log(CAIRN_LOG_WARNING, "parity");
}
static struct cairn_watcher parity_watcher = {sizeof parity_watcher, 0, parity_changes};
static int32_t watch_parity(void) {
  design = host->extension("cairn.design/1");
  return design == NULL || design->simulator() == -ENOENT ? 0 : design->watch(&parity_watcher);
}

/*! */
void use_examples(void) {
  (void)held_level, (void)stop_on_error, (void)look_soon;
  (void)watch_parity;
  (void)requested, (void)watch_reset;
  (void)show_load, (void)make_child, (void)count_sends;
  (void)size_of, (void)say_taken, (void)reconnect, (void)new_link, (void)run_folder, (void)was_restarted, (void)count_threads;
  (void)find_next, (void)keep, (void)load_kept, (void)close_all_above, (void)hand_over, (void)offer_slots, (void)real_path, (void)elect;
  (void)forget_all, (void)leader_of, (void)save_external, (void)restore_external, (void)replace_object, (void)need_licence;
  (void)list_trace, (void)tell_port, (void)ask_port, (void)port_of, (void)is_on_one_host, (void)checkpoint_on_error;
  (void)transfer_whole, (void)wait_until_ready, (void)first_of_all;
}
