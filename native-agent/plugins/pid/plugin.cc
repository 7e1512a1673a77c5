// Owns: the plugin `pid`: the life of the tables of virtual ids over checkpoint, restart and fork.
// What the process was called before (its own id, those of its threads, group, session and parent) are names that the
// application may have kept; after a restart each stands for what the kernel made of it. Test: tests/pid_plugin_test.cc.
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/uio.h>

#include "common/handles.h"
#include "common/text.h"
#include "pid/cpu_times.h"
#include "pid/groups.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/lent.h"
#include "pid/mutex_words.h"
#include "pid/pi_words.h"
#include "pid/proc_text.h"
#include "pid/rows.h"
#include "pid/threads.h"
#include "pid/waits.h"

namespace cairn::pid {

const cairn_host* host = nullptr;

static Next<long(long, ...)> next_syscall{"syscall", nullptr};

long raw(long number, long a, long b, long c, long d, long e, long f) {
  if (__builtin_expect(host != nullptr, true)) return host->syscall(number, a, b, c, d, e, f);
  int saved = errno;
  long result = next_syscall.get()(number, a, b, c, d, e, f);
  if (result == -1) result = -errno;
  errno = saved;
  return result;
}

bool peek(uint64_t address, void* data, size_t size) {
  struct iovec local = {data, size};
  struct iovec remote = {reinterpret_cast<void*>(address), size};
  return raw(SYS_process_vm_readv, raw(SYS_getpid), pointer(&local), 1, pointer(&remote), 1, 0) == static_cast<long>(size);
}

bool thread_call(uint32_t index, int64_t* number, uint64_t* arguments, uint64_t* stack) {
  if (host->size < offsetof(cairn_host, thread_call) + sizeof host->thread_call || host->thread_call == nullptr) return false;
  return host->thread_call(index, number, arguments, stack) == 1;
}

namespace {

State state;

// For "before" in the tables: the threads at the last checkpoint, and, once that one has been restarted, as `earlier`.
struct Known {
  int32_t virtual_id;
  int32_t real_id;
};
struct KnownThreads {
  Known* list;
  uint32_t capacity;
  uint32_t count;
};
KnownThreads saved = {nullptr, 0, 0};
KnownThreads earlier = {nullptr, 0, 0};

int32_t thread_before(int32_t virtual_id) {
  for (uint32_t index = 0; index < earlier.count; ++index) {
    if (earlier.list[index].virtual_id == virtual_id) return earlier.list[index].real_id;
  }
  return 0;
}

static_assert(sizeof(Known) == 2 * sizeof(int32_t), "pairs of ids");

int32_t ask(long number) { return static_cast<int32_t>(raw(number, 0)); }

/// The names that the process has now. [init, running, quiesced]
void look() {
  state.process.real_id = ask(SYS_getpid);
  state.process.virtual_id = active() ? self_virtual() : state.process.real_id;
  state.group.real_id = ask(SYS_getpgid);
  state.group.virtual_id = to_virtual(Space::group, state.group.real_id);
  state.session.real_id = ask(SYS_getsid);
  state.session.virtual_id = to_virtual(Space::session, state.session.real_id);
  state.parent.real_id = ask(SYS_getppid);
  state.parent.virtual_id = active() ? virtual_parent(state.parent.real_id) : state.parent.real_id;
}

int32_t remember_threads() {
  Known thread;
  uint32_t count = 0;
  while (host->thread(count, &thread.virtual_id, &thread.real_id) == 1) ++count;
  if (count > saved.capacity) {
    uint32_t capacity = (count + count / 2 + 64) & ~1u;
    saved.list = static_cast<Known*>(host->allocate(uint64_t{capacity} * sizeof(Known)));
    saved.capacity = saved.list == nullptr ? 0 : capacity;
    saved.count = 0;
    if (saved.list == nullptr) return host->fail(-ENOMEM, "threads", "No memory for the table of virtual thread ids.");
  }
  for (saved.count = 0; saved.count < count; ++saved.count) {
    host->thread(saved.count, &saved.list[saved.count].virtual_id, &saved.list[saved.count].real_id);
  }
  return 0;
}

void find_host() {
  int64_t number = 0;
  (void)host->get_name(CAIRN_NAMES_HOST, CAIRN_HOST_NUMBER, &number);
  first_id_of_host = static_cast<int32_t>(number) * ids_of_host;
}

int32_t rebuild() {
  clear_tables();
  find_host();
  if (saved.list != nullptr) remember_life(&saved.list->virtual_id, saved.count);
  KnownThreads older = earlier;
  earlier = saved;
  saved = older;
  state.process.before = state.process.real_id;
  state.process.virtual_id = host->virtual_pid();
  state.process.real_id = host->real_pid();
  set_self(state.process.virtual_id, state.process.real_id);
  __atomic_store_n(&active_flag, true, __ATOMIC_RELEASE);
  bool whole = insert(Space::id, {state.process.virtual_id, state.process.real_id, Kind::self});
  share(Space::id, state.process.virtual_id, state.process.real_id);
  int32_t virtual_id;
  int32_t real_id;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real_id) == 1; ++index) {
    if (virtual_id == state.process.virtual_id) continue;
    whole = insert(Space::id, {virtual_id, real_id, Kind::thread}) && whole;
    share(Space::id, virtual_id, real_id);
  }
  state.parent.before = state.parent.real_id;
  state.parent.real_id = ask(SYS_getppid);
  set_parent(state.parent.virtual_id, state.parent.real_id);
  // 1 stays everybody's first process, and 0 nobody.
  if (state.parent.virtual_id > 1 && state.parent.real_id > 0 && state.parent.virtual_id != state.process.virtual_id) {
    whole = insert(Space::id, {state.parent.virtual_id, state.parent.real_id, Kind::parent}) && whole;
  }
  begin_groups(state);
  struct timespec now = {};
  raw(SYS_clock_gettime, CLOCK_REALTIME, pointer(&now));
  state.since_ns = static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
  __atomic_fetch_add(&generation_count, 1, __ATOMIC_ACQ_REL);
  lend_to_sleepers();
  if (!whole) return host->fail(-ENOSPC, "threads", "The process has more threads than the table of virtual ids has room for.");
  return 0;
}

/// The groups are as they were: the names of the process's own.
int32_t name_groups() {
  struct {
    Space space;
    Kind kind;
    Named* named;
    int32_t real_id;
  } const names[] = {{Space::group, Kind::group, &state.group, ask(SYS_getpgid)}, {Space::session, Kind::session, &state.session, ask(SYS_getsid)}};
  for (const auto& [space, kind, named, real_id] : names) {
    named->before = named->real_id;
    named->real_id = real_id;
    // Unless the process' own ids say so already.
    if (to_real(space, named->virtual_id) == real_id && to_virtual(space, real_id) == named->virtual_id) continue;
    if (!insert(space, {named->virtual_id, real_id, kind})) return host->fail(-ENOSPC, "groups", "The table of virtual groups is full.");
  }
  return 0;
}

const char* const restart_barriers[] = {"lead groups", "join groups", "name groups", nullptr};

int32_t barrier(const char* name, uint32_t) {
  if (name[0] == 'l') return lead_group(state);
  if (name[0] == 'j') return join_group(state);
  end_stand_in();
  correct_waits();
  return name_groups();
}

/// In the child of a fork, after a restart: its parent's names become names of another process, and its own number may be taken.
void enter_child() {
  int32_t parent_virtual = self_virtual();
  int32_t parent_real = self_real();
  int32_t real_id = ask(SYS_getpid);
  // With the parent's table, so that both come to the same name.
  int32_t virtual_id = to_virtual(Space::id, real_id);
  Entry entry;
  for (uint32_t index = 0; entry_at(Space::id, index, &entry); ++index) {
    if (entry.kind == Kind::thread) remove_virtual(Space::id, entry.virtual_id);
  }
  remove_virtual(Space::id, virtual_id);
  remove_virtual(Space::id, parent_virtual);
  insert(Space::id, {parent_virtual, parent_real, Kind::parent});
  set_parent(parent_virtual, parent_real);
  set_self(virtual_id, real_id);
  insert(Space::id, {virtual_id, real_id, Kind::self});
  share_process(virtual_id, real_id);
  int32_t* word = tid_word(pthread_self());
  if (word != nullptr && *word != virtual_id) *word = virtual_id;
  forget_timers();
  earlier.count = 0;
  state.group.before = state.session.before = 0;
  state.process = {virtual_id, real_id, 0};
  state.parent = {parent_virtual, parent_real, 0};
}

int32_t extension_to_real(int32_t id) { return to_real(Space::id, id); }
/// The last name of who has ended, too: plugins ask for senders of what is read long after.
int32_t extension_to_virtual(int32_t id) { return to_virtual(Space::id, id, active() && id > 0 && raw(SYS_kill, id, 0) == -ESRCH); }
int32_t extension_parent() {
  look();
  return state.parent.virtual_id;
}
int32_t extension_group() {
  look();
  return state.group.virtual_id;
}
int32_t extension_session() {
  look();
  return state.session.virtual_id;
}
const cairn_ids functions = {sizeof(cairn_ids), 0, extension_to_real, extension_to_virtual, extension_parent, extension_group, extension_session, copy_of_proc_file, generation, child_name};

/// A program that was executed in a restarted computation, or on a host whose ids have other names from the start: the process has its
/// name for life, and libc's notes are to agree.
void enter_program() {
  int32_t real_id = ask(SYS_getpid);
  if (!plugin::has_other_names(host)) return;
  __atomic_store_n(&active_flag, true, __ATOMIC_RELEASE);
  set_self(real_id, real_id);
  int32_t virtual_id = to_virtual(Space::id, real_id);
  set_self(virtual_id, real_id);
  insert(Space::id, {virtual_id, real_id, Kind::self});
  share_process(virtual_id, real_id);
  int32_t* word = tid_word(pthread_self());
  if (word != nullptr && *word != virtual_id) *word = virtual_id;
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  if (find_tid_word() < 0) {
    host->log(CAIRN_LOG_ERROR, "Cairn does not know where this C library keeps a thread's id. It supports the GNU C library 2.34 and later.");
    return -ENOTSUP;
  }
  find_thread_descriptor();
  next_syscall.get();
  find_host();
  prepare_process();
  prepare_scheduling();
  prepare_wait();
  prepare_signal_reads();
  prepare_files();
  prepare_threads();
  prepare_create();
  prepare_clocks();
  prepare_cpu_times();
  prepare_timers();
  prepare_syscall();
  prepare_children();
  prepare_shell();
  prepare_mutexes();
  prepare_time64();
  set_self(ask(SYS_getpid), ask(SYS_getpid));
  enter_program();
  look();
  return host->publish("cairn.ids/1", &functions);
}

int32_t event(uint32_t number, void*) {
  switch (number) {
    case CAIRN_EVENT_PRECHECKPOINT: {
      remember_real_ids();
      look();
      int32_t error = remember_threads();
      if (error == 0) error = remember_pi_words();
      return error != 0 ? error : save_cpu_times();
    }
    case CAIRN_EVENT_RESTART: {
      int32_t error = rebuild();
      return error != 0 ? error : restore_cpu_times();
    }
    case CAIRN_EVENT_FORK_CHILD:
      forget_cpu_times();
      if (active()) enter_child();
      else set_self(ask(SYS_getpid), ask(SYS_getpid));
      return 0;
    default: return 0;
  }
}

void rows(const char* table, cairn_emit_row emit, void* context) {
  bool ids = strcmp(table, "pid") == 0;
  if (!ids && strcmp(table, "thread") != 0) return;
  look();
  if (ids) emit_pid_rows(state, thread_before, emit, context);
  else emit_thread_rows(state, thread_before, emit, context);
}

// Of the plugin `mutex`: when the memory that processes share is one again. Awaited ones after all that are held, in all processes: whoever
// waits does not know a holder of another process by the id that it had.
const char* const mutex_barriers[] = {"held", "awaited", nullptr};

int32_t mutex_barrier(const char* name, uint32_t) {
  if (plugin::same(name, "held")) translate_held_mutexes(thread_before), translate_pi_words();
  else translate_awaited_mutexes(), renew_for_sleepers();
  return 0;
}

}  // namespace

}  // namespace cairn::pid

extern "C" const struct cairn_plugin cairn_plugin_mutex = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "mutex", "1.0", "Cairn",
    nullptr, nullptr, nullptr, nullptr, cairn::pid::mutex_barriers, cairn::pid::mutex_barrier};

extern "C" const struct cairn_plugin cairn_plugin_pid = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "pid", "1.0.0", "Cairn",
    cairn::pid::init,     cairn::pid::event,      cairn::pid::rows,       nullptr, cairn::pid::restart_barriers, cairn::pid::barrier};
