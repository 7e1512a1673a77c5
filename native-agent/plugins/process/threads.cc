// Owns: what the kernel keeps for each thread and lets be set from outside: name, nice value, I/O priority, scheduling policy, processors.
// A thread that could run everywhere at the checkpoint is left with what the restart was given, so that taskset(1) and cpusets
// of the new host hold; one that was bound is bound again, as far as the host has those processors.
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

constexpr uint32_t words_of_mask = 16;  // 1024 processors, as libc's cpu_set_t

struct Mask {
  uint64_t words[words_of_mask];
};

/// The kernel's struct sched_attr, first version.
struct Attributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

struct Thread {
  int32_t virtual_id;
  uint32_t bound;  // to `mask`
  char name[16];
  uint64_t slack_ns;  // 0: unknown
  long io_priority;
  Attributes attributes;
  Mask mask;
};

Thread* threads = nullptr;
uint32_t capacity = 0;
uint32_t count = 0;

using Path = plugin::Text<64>;
void comm_path(Path& path, int32_t real) { path.add("/proc/self/task/").add(real).add("/comm"); }
// Not below /proc/self/task: the kernel has this file for ids of threads too, but only there.
void slack_path(Path& path, int32_t real) { path.add("/proc/").add(real).add("/timerslack_ns"); }

constexpr long io_priority_of_process = 1;  // IOPRIO_WHO_PROCESS, which is a thread
long get_io_priority(const cairn_host* host, int32_t tid) { return host->syscall(SYS_ioprio_get, io_priority_of_process, tid, 0, 0, 0, 0); }

long get_mask(const cairn_host* host, int32_t tid, Mask* mask) {
  memset(mask, 0, sizeof *mask);
  return host->syscall(SYS_sched_getaffinity, tid, sizeof *mask, pointer(mask), 0, 0, 0);
}
long set_mask(const cairn_host* host, int32_t tid, const Mask& mask) {
  return host->syscall(SYS_sched_setaffinity, tid, sizeof mask, pointer(&mask), 0, 0, 0);
}

/// All processors that this process may have: Cairn's own thread asks for every one and sees what it gets.
bool widest_mask(const cairn_host* host, Mask* widest) {
  Mask own;
  Mask every;
  memset(&every, 0xff, sizeof every);
  if (get_mask(host, 0, &own) < 0 || set_mask(host, 0, every) < 0) return false;
  bool known = get_mask(host, 0, widest) >= 0;
  set_mask(host, 0, own);
  return known;
}

void save_thread(const cairn_host* host, int32_t virtual_id, int32_t real, const Mask* widest, Thread* thread) {
  memset(static_cast<void*>(thread), 0, sizeof *thread);
  thread->virtual_id = virtual_id;
  thread->io_priority = get_io_priority(host, real);
  Path path;
  comm_path(path, real);
  char name[32];
  long size = plugin::read_file(host, path.text(), name, sizeof name);
  if (size > 0 && name[size - 1] == '\n') name[--size] = 0;
  if (size > 0 && size < 16) memcpy(thread->name, name, static_cast<size_t>(size));
  Path slack;
  slack_path(slack, real);
  char text[32];
  int64_t number;
  const char* at = text;
  if (plugin::read_file(host, slack.text(), text, sizeof text) > 0 && plugin::read_number(&at, 10, &number)) {
    thread->slack_ns = static_cast<uint64_t>(number);
  }
  if (host->syscall(SYS_sched_getattr, real, pointer(&thread->attributes), sizeof(Attributes), 0, 0, 0) < 0) thread->attributes.size = 0;
  bool known = widest != nullptr && get_mask(host, real, &thread->mask) >= 0;
  thread->bound = known && memcmp(&thread->mask, widest, sizeof(Mask)) != 0 ? 1 : 0;
}

using Message = plugin::Text<256>;
void warn(const cairn_host* host, const Thread& thread, const char* what) {
  Message text;
  text.add("Thread ").add(thread.virtual_id).add(" (").add(thread.name).add("): ").add(what);
  host->log(CAIRN_LOG_WARNING, text.text());
}

void restore_policy(const cairn_host* host, const Thread& thread, int32_t real) {
  const Attributes& wanted = thread.attributes;
  if (wanted.size == 0) return;
  Attributes here = {};
  long error = host->syscall(SYS_sched_getattr, real, pointer(&here), sizeof here, 0, 0, 0);
  if (error == 0 && memcmp(&here, &wanted, sizeof here) == 0) return;
  Attributes set = wanted;
  set.size = sizeof set;
  set.flags &= 7;  // reset on fork, reclaim, overrun
  if (wanted.policy == SCHED_OTHER || wanted.policy == SCHED_BATCH) set.runtime = set.deadline = set.period = 0;
  error = host->syscall(SYS_sched_setattr, real, pointer(&set), 0, 0, 0, 0);
  if (error == 0) return;
  Message text;
  text.add("scheduling policy ").add(static_cast<int64_t>(wanted.policy)).add(", nice ").add(wanted.nice).add(", priority ");
  text.add(static_cast<int64_t>(wanted.priority)).add(" could not be set (");
  text.add(error == -EPERM ? "not permitted; see RLIMIT_NICE and RLIMIT_RTPRIO" : "refused by the kernel").add("); it runs with nice ");
  text.add(here.nice).add(".");
  warn(host, thread, text.text());
}

void restore_mask(const cairn_host* host, const Thread& thread, int32_t real) {
  if (thread.bound == 0) return;
  if (set_mask(host, real, thread.mask) < 0) {
    warn(host, thread, "this host has none of the processors that it was bound to; it may run on all of them.");
    return;
  }
  Mask now;
  if (get_mask(host, real, &now) >= 0 && memcmp(&now, &thread.mask, sizeof now) != 0) {
    warn(host, thread, "this host has only some of the processors that it was bound to.");
  }
}

const Thread* find(int32_t virtual_id) {
  for (uint32_t index = 0; index < count; ++index) {
    if (threads[index].virtual_id == virtual_id) return &threads[index];
  }
  return nullptr;
}

}  // namespace

int32_t save_threads(const cairn_host* host) {
  Mask widest;
  bool known = widest_mask(host, &widest);
  uint32_t needed = 0;
  int32_t virtual_id;
  int32_t real;
  while (host->thread(needed, &virtual_id, &real) == 1) ++needed;
  if (needed > capacity) {
    uint32_t larger = needed + needed / 2 + 16;
    threads = static_cast<Thread*>(host->allocate((uint64_t{larger} * sizeof(Thread) + 15) & ~uint64_t{15}));
    capacity = threads == nullptr ? 0 : larger;
    if (threads == nullptr) return host->fail(-ENOMEM, "threads", "No memory to save the attributes of the threads.");
  }
  for (count = 0; count < needed; ++count) {
    host->thread(count, &virtual_id, &real);
    save_thread(host, virtual_id, real, known ? &widest : nullptr, &threads[count]);
  }
  return 0;
}

int32_t restore_threads(const cairn_host* host) {
  int32_t virtual_id;
  int32_t real;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    const Thread* thread = find(virtual_id);
    if (thread == nullptr) continue;
    Path path;
    comm_path(path, real);
    if (thread->name[0] != 0) plugin::write_file(host, path.text(), thread->name);
    if (thread->slack_ns != 0) {
      // Only a privileged process may do this for another thread; only then could it be read, too.
      Path slack;
      slack_path(slack, real);
      plugin::Text<32> value;
      value.add(static_cast<int64_t>(thread->slack_ns));
      plugin::write_file(host, slack.text(), value.text());
    }
    if (thread->io_priority >= 0 && thread->io_priority != get_io_priority(host, real)) {
      host->syscall(SYS_ioprio_set, io_priority_of_process, real, thread->io_priority, 0, 0, 0);
    }
    restore_mask(host, *thread, real);
    restore_policy(host, *thread, real);
  }
  return 0;
}

}  // namespace cairn::process
