// The accounts of the process, of its children that have ended, and of each thread, by its virtual id. Written while no thread
// runs, except that a new thread clears its own entry. Wrapped here: clock, times and getrusage; clocks.cc and syscall.cc ask too.
// How a thread's time divides into user's and system's is known to nobody else but as the kernel samples it: that part may differ
// by some samples from what the thread saw last. Not kept: a thread's page faults and switches, and what a parent learns of its
// child by wait4.
// Test: test/probes/timers/cpu_times.c.
#include "pid/cpu_times.h"

#include <sys/times.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "pid/clocks.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(clock);
CAIRN_PID_NEXT(times);
CAIRN_PID_NEXT(getrusage);

void prepare_cpu_times() {
  next_clock.get();
  next_times.get();
  next_getrusage.get();
}

namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t tick = second / 100;  // of times(2); the kernel's USER_HZ is 100 on every processor that Cairn knows

// What a clock's id says it counts, as the kernel numbers it.
enum Counted : int { whole = 0, user_mode = 1, scheduled = 2 };

/// Nanoseconds. `ticks…` are what the kernel samples, `user` and `system` what it makes of that and shows in rusage.
struct Times {
  int64_t scheduled;
  int64_t ticks;
  int64_t user_ticks;
  int64_t user;
  int64_t system;
};

struct ThreadTimes {
  int32_t virtual_tid;  // 0: free
  Times times;
};

struct Table {
  ThreadTimes* list;
  uint32_t capacity;
  uint32_t count;
};

Table saved_threads;
Times saved_process;
struct rusage saved_self, saved_children;

// What is added. The threads are a hash table with twice as many places as entries, a power of two.
bool adds;
Table added_threads;
Times added_process;
struct rusage added_self, added_children;

Times operator-(const Times& a, const Times& b) {
  return {a.scheduled - b.scheduled, a.ticks - b.ticks, a.user_ticks - b.user_ticks, a.user - b.user, a.system - b.system};
}
Times operator+(const Times& a, const Times& b) {
  return {a.scheduled + b.scheduled, a.ticks + b.ticks, a.user_ticks + b.user_ticks, a.user + b.user, a.system + b.system};
}

int64_t nanoseconds(const struct timeval& time) { return plugin::nanoseconds_of(time); }
struct timeval time_value(int64_t time) { return plugin::timeval_of(time < 0 ? 0 : time); }

/// to += sign * from, but the peak of memory.
void add(struct rusage* to, const struct rusage& from, long sign) {
  to->ru_utime.tv_sec += static_cast<time_t>(sign * from.ru_utime.tv_sec);
  to->ru_utime.tv_usec += static_cast<suseconds_t>(sign * from.ru_utime.tv_usec);
  to->ru_stime.tv_sec += static_cast<time_t>(sign * from.ru_stime.tv_sec);
  to->ru_stime.tv_usec += static_cast<suseconds_t>(sign * from.ru_stime.tv_usec);
  to->ru_minflt += sign * from.ru_minflt;
  to->ru_majflt += sign * from.ru_majflt;
  to->ru_inblock += sign * from.ru_inblock;
  to->ru_oublock += sign * from.ru_oublock;
  to->ru_nvcsw += sign * from.ru_nvcsw;
  to->ru_nivcsw += sign * from.ru_nivcsw;
  if (to->ru_maxrss < from.ru_maxrss) to->ru_maxrss = from.ru_maxrss;
}

/// Brings times to their usual form.
void normalize(struct rusage* usage) {
  usage->ru_utime = time_value(nanoseconds(usage->ru_utime));
  usage->ru_stime = time_value(nanoseconds(usage->ru_stime));
}

int64_t read_clock(int32_t real_id, int thread, Counted counted) {
  clockid_t clock = static_cast<clockid_t>(static_cast<uint32_t>(~real_id) << 3) | thread | counted;
  struct timespec time = {};
  raw(SYS_clock_gettime, clock, pointer(&time));
  return plugin::nanoseconds_of(time);
}

/// As the kernel has them now. thread: 4 for one of this process's threads, 0 for the process.
Times read_times(int32_t real_id, int thread) {
  Times times = {read_clock(real_id, thread, scheduled), read_clock(real_id, thread, whole), read_clock(real_id, thread, user_mode), 0, 0};
  // As the kernel does: the exact time, divided in the proportion of the samples.
  int64_t in_kernel = times.ticks - times.user_ticks;
  if (in_kernel > 0) {
    double part = static_cast<double>(in_kernel) / static_cast<double>(times.ticks);
    times.system = times.user_ticks > 0 ? static_cast<int64_t>(static_cast<double>(times.scheduled) * part) : times.scheduled;
  }
  times.user = times.scheduled - times.system;
  return times;
}

/// The place of a thread, or the free one where it belongs; nullptr: there is no table.
ThreadTimes* find(int32_t virtual_tid) {
  if (added_threads.capacity == 0) return nullptr;
  uint32_t mask = added_threads.capacity - 1;
  uint32_t at = static_cast<uint32_t>(virtual_tid) * 2654435761u & mask;
  while (added_threads.list[at].virtual_tid != 0 && added_threads.list[at].virtual_tid != virtual_tid) at = (at + 1) & mask;
  return &added_threads.list[at];
}

Times added_to_thread(int32_t virtual_tid) {
  const ThreadTimes* entry = adds ? find(virtual_tid) : nullptr;
  return entry != nullptr && entry->virtual_tid != 0 ? entry->times : Times{};
}

/// Room for `count` entries; what there was is lost. False: no memory.
bool make_room(Table* table, uint32_t count) {
  if (count > table->capacity) {
    uint32_t capacity = 64;
    while (capacity < count) capacity *= 2;
    table->list = static_cast<ThreadTimes*>(host->allocate((capacity * sizeof(ThreadTimes) + 15) & ~uint64_t{15}));
    table->capacity = table->list != nullptr ? capacity : 0;
  }
  table->count = 0;
  return count <= table->capacity;
}

int32_t no_memory() { return host->fail(-ENOMEM, "threads", "No memory for the processor times of the threads."); }

}  // namespace

int32_t save_cpu_times() {
  int32_t virtual_tid, real_tid;
  uint32_t count = 0;
  while (host->thread(count, &virtual_tid, &real_tid) == 1) ++count;
  if (!make_room(&saved_threads, count)) return no_memory();
  for (uint32_t i = 0; i < count; ++i) {
    host->thread(i, &virtual_tid, &real_tid);
    saved_threads.list[saved_threads.count++] = {virtual_tid, read_times(real_tid, 4) + added_to_thread(virtual_tid)};
  }
  saved_process = read_times(host->real_pid(), 0);
  if (adds) saved_process = saved_process + added_process;
  raw(SYS_getrusage, RUSAGE_SELF, pointer(&saved_self));
  raw(SYS_getrusage, RUSAGE_CHILDREN, pointer(&saved_children));
  if (adds) {
    add(&saved_self, added_self, 1);
    add(&saved_children, added_children, 1);
  }
  return 0;
}

int32_t restore_cpu_times() {
  adds = true;
  if (!make_room(&added_threads, 2 * saved_threads.count + 2)) return no_memory();
  for (uint32_t i = 0; i < added_threads.capacity; ++i) added_threads.list[i] = {};
  for (uint32_t i = 0; i < saved_threads.count; ++i) *find(saved_threads.list[i].virtual_tid) = saved_threads.list[i];
  int32_t virtual_tid, real_tid;
  for (uint32_t i = 0; host->thread(i, &virtual_tid, &real_tid) == 1; ++i) {
    ThreadTimes* entry = find(virtual_tid);
    if (entry->virtual_tid != 0) entry->times = entry->times - read_times(real_tid, 4);
  }
  struct rusage now = {};
  added_process = saved_process - read_times(host->real_pid(), 0);
  added_self = saved_self;
  raw(SYS_getrusage, RUSAGE_SELF, pointer(&now));
  now.ru_maxrss = 0;
  add(&added_self, now, -1);
  added_children = saved_children;
  raw(SYS_getrusage, RUSAGE_CHILDREN, pointer(&now));
  now.ru_maxrss = 0;
  add(&added_children, now, -1);
  return 0;
}

void forget_cpu_times() { adds = false; }

void begin_cpu_time() {
  ThreadTimes* entry = adds ? find(own_tid()) : nullptr;
  if (entry != nullptr && entry->virtual_tid != 0) entry->times = {};
}

int64_t cpu_time_before(clockid_t clock) {
  if (!adds) return 0;
  if (clock == CLOCK_PROCESS_CPUTIME_ID) return added_process.scheduled;
  if (clock == CLOCK_THREAD_CPUTIME_ID) return added_to_thread(own_tid()).scheduled;
  int counted = clock & 3;
  if (clock >= 0 || counted == 3) return 0;
  int32_t owner = ~(clock >> 3);
  Times times = {};
  if ((clock & 4) != 0) times = added_to_thread(owner != 0 ? owner : own_tid());
  else if (owner == 0 || owner == self_virtual()) times = added_process;
  return counted == scheduled ? times.scheduled : counted == user_mode ? times.user_ticks : times.ticks;
}

void add_cpu_time(clockid_t clock, struct timespec* time) {
  int64_t before = cpu_time_before(clock);
  if (before == 0) return;
  int64_t sum = plugin::nanoseconds_of(*time) + before;
  *time = plugin::timespec_of(sum < 0 ? 0 : sum);
}

void add_usage(int who, struct rusage* usage) {
  if (!adds) return;
  if (who == RUSAGE_SELF) {
    add(usage, added_self, 1);
  } else if (who == RUSAGE_CHILDREN) {
    add(usage, added_children, 1);
  } else if (who == RUSAGE_THREAD) {
    Times times = added_to_thread(own_tid());
    usage->ru_utime = time_value(nanoseconds(usage->ru_utime) + times.user);
    usage->ru_stime = time_value(nanoseconds(usage->ru_stime) + times.system);
    return;
  }
  normalize(usage);
}

extern "C" {

CAIRN_EXPORT int getrusage(__rusage_who_t who, struct rusage* usage) noexcept {
  int result = next_getrusage.get()(who, usage);
  if (result == 0 && active()) add_usage(static_cast<int>(who), usage);
  return result;
}

CAIRN_EXPORT clock_t clock() noexcept {
  if (!active()) return next_clock.get()();
  struct timespec time = {};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return -1;
  return static_cast<clock_t>(plugin::nanoseconds_of(time) / (second / CLOCKS_PER_SEC));
}

CAIRN_EXPORT clock_t times(struct tms* times) noexcept {
  clock_t result = next_times.get()(times);
  if (result != -1) result += plugin::ahead(CLOCK_BOOTTIME) / tick;
  if (times == nullptr || !active() || !adds) return result;
  struct rusage self, children;
  if (getrusage(RUSAGE_SELF, &self) == 0 && getrusage(RUSAGE_CHILDREN, &children) == 0) {
    auto ticks = [](const struct timeval& time) { return static_cast<clock_t>(nanoseconds(time) / tick); };
    *times = {ticks(self.ru_utime), ticks(self.ru_stime), ticks(children.ru_utime), ticks(children.ru_stime)};
  }
  return result;
}

}  // extern "C"

}  // namespace cairn::pid
