// Owns: the wrappers of libc's functions that take a pthread_t and give its tid to the kernel.
// Threads whose tid is the kernel's go to libc; for the others the same is done here with the real id. [any]
#include "pid/threads.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(pthread_kill);
CAIRN_PID_NEXT(pthread_cancel);
CAIRN_PID_NEXT(pthread_sigqueue);
CAIRN_PID_NEXT(pthread_setschedparam);
CAIRN_PID_NEXT(pthread_getschedparam);
CAIRN_PID_NEXT(pthread_setschedprio);
CAIRN_PID_NEXT(pthread_setaffinity_np);
CAIRN_PID_NEXT(pthread_getaffinity_np);
CAIRN_PID_NEXT(pthread_setname_np);
CAIRN_PID_NEXT(pthread_getname_np);
CAIRN_PID_NEXT(pthread_getattr_np);

void prepare_threads() {
  next_pthread_kill.get();
  next_pthread_cancel.get();
  next_pthread_sigqueue.get();
  next_pthread_setschedparam.get();
  next_pthread_getschedparam.get();
  next_pthread_setschedprio.get();
  next_pthread_setaffinity_np.get();
  next_pthread_getaffinity_np.get();
  next_pthread_setname_np.get();
  next_pthread_getname_np.get();
  next_pthread_getattr_np.get();
}

namespace {

// libc's own signals, which pthread_kill and pthread_sigqueue refuse.
constexpr int signal_cancel = 32;
constexpr int signal_setxid = 33;

long tid_offset = 0;

/// Functions of this family return the error.
int as_error(long result) { return result < 0 ? static_cast<int>(-result) : 0; }

/// To a thread that ends meanwhile a signal is sent without error, as libc does.
int send(pthread_t thread, int signal, int32_t real) {
  long result = stable([&] {
    is_renamed(thread, &real);
    return real > 0 ? raw(SYS_tgkill, self_real(), real, signal) : 0;
  });
  return result == -ESRCH ? 0 : as_error(result);
}

/// /proc/self/task/REAL/comm
using CommPath = plugin::Text<64>;
CommPath comm_path(int32_t real) {
  CommPath path;
  path.add("/proc/self/task/").add(real).add("/comm");
  return path;
}

}  // namespace

/// As libc tells debuggers: the size in bits, the number of elements, and the place; 0: it does not.
static long told_tid_offset() {
  auto* place = static_cast<const uint32_t*>(host->next("_thread_db_pthread_tid"));
  return place != nullptr && place[0] == 8 * sizeof(int32_t) && place[1] == 1 && place[2] < 8192 ? static_cast<long>(place[2]) : 0;
}

int32_t find_tid_word() {
  tid_offset = told_tid_offset();
  if (tid_offset != 0) {
    // clone(2) leaves the parent's there.
    *tid_word(pthread_self()) = static_cast<int32_t>(raw(SYS_gettid));
    return 0;
  }
  int32_t* word = nullptr;
  int32_t tid = static_cast<int32_t>(raw(SYS_gettid));
  char* self = reinterpret_cast<char*>(pthread_self());
  if (raw(SYS_prctl, PR_GET_TID_ADDRESS, pointer(&word)) < 0 || word == nullptr) {
    // A kernel without that call: the tid lies within the first part of libc's description of the thread.
    for (long offset = 0; offset < 1024 && word == nullptr; offset += 4) {
      if (*reinterpret_cast<int32_t*>(self + offset) == tid) word = reinterpret_cast<int32_t*>(self + offset);
    }
  }
  long offset = reinterpret_cast<char*>(word) - self;
  if (word == nullptr || offset <= 0 || offset > 8192 || *word != tid) return -ENOTSUP;
  tid_offset = offset;
  return 0;
}

int32_t* tid_word(pthread_t thread) {
  return tid_offset == 0 ? nullptr : reinterpret_cast<int32_t*>(reinterpret_cast<char*>(thread) + tid_offset);
}

bool is_renamed(pthread_t thread, int32_t* real) {
  int32_t* word = active() ? tid_word(thread) : nullptr;
  if (word == nullptr) return false;
  int32_t tid = __atomic_load_n(word, __ATOMIC_RELAXED);
  int32_t virtual_id = lent_id(thread);
  *real = to_real(Space::id, virtual_id != 0 ? virtual_id : tid);
  return *real != tid || virtual_id != 0;
}

extern "C" {

CAIRN_EXPORT int pthread_kill(pthread_t thread, int signal) noexcept {
  int32_t real;
  // To itself libc asks the kernel for its ids.
  if (!active() || thread == pthread_self() || !is_renamed(thread, &real)) return next_pthread_kill.get()(thread, signal);
  if (signal == signal_cancel || signal == signal_setxid) return EINVAL;
  return send(thread, signal, real);
}

CAIRN_EXPORT int pthread_cancel(pthread_t thread) {
  int32_t real;
  bool renamed = thread != pthread_self() && is_renamed(thread, &real);
  int32_t lent = lent_id(thread);
  int32_t tid = !renamed ? 0 : lent != 0 ? lent : *tid_word(thread);
  int result = next_pthread_cancel.get()(thread);
  if (!renamed) return result;
  // libc has marked the thread. Where it sent a signal too, that went to the virtual id: into the void, or to the thread that has
  // the number today, whose handler finds no mark.
  if (result == ESRCH || (result == 0 && raw(SYS_tgkill, self_real(), tid, 0) == 0)) return send(thread, signal_cancel, real);
  return result;
}

CAIRN_EXPORT int pthread_sigqueue(pthread_t thread, int signal, const union sigval value) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_sigqueue.get()(thread, signal, value);
  if (signal == signal_cancel || signal == signal_setxid) return EINVAL;
  return as_error(stable([&] {
    siginfo_t info = {};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = static_cast<pid_t>(raw(SYS_getpid));
    info.si_uid = static_cast<uid_t>(raw(SYS_getuid));
    info.si_value = value;
    is_renamed(thread, &real);
    return raw(SYS_rt_tgsigqueueinfo, self_real(), real, signal, pointer(&info));
  }));
}

CAIRN_EXPORT int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param* param) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_setschedparam.get()(thread, policy, param);
  return as_error(raw(SYS_sched_setscheduler, real, policy, pointer(param)));
}

CAIRN_EXPORT int pthread_getschedparam(pthread_t thread, int* policy, struct sched_param* param) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_getschedparam.get()(thread, policy, param);
  long result = raw(SYS_sched_getscheduler, real);
  if (result < 0) return as_error(result);
  *policy = static_cast<int>(result);
  return as_error(raw(SYS_sched_getparam, real, pointer(param)));
}

CAIRN_EXPORT int pthread_setschedprio(pthread_t thread, int priority) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_setschedprio.get()(thread, priority);
  struct sched_param param = {};
  param.sched_priority = priority;
  return as_error(raw(SYS_sched_setparam, real, pointer(&param)));
}

CAIRN_EXPORT int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t* set) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_setaffinity_np.get()(thread, size, set);
  return as_error(raw(SYS_sched_setaffinity, real, static_cast<long>(size), pointer(set)));
}

CAIRN_EXPORT int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t* set) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_getaffinity_np.get()(thread, size, set);
  long result = raw(SYS_sched_getaffinity, real, static_cast<long>(size < INT32_MAX ? size : INT32_MAX), pointer(set));
  if (result < 0) return as_error(result);
  memset(reinterpret_cast<char*>(set) + result, 0, size - static_cast<size_t>(result));
  return 0;
}

CAIRN_EXPORT int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_setname_np.get()(thread, name);
  size_t length = strlen(name);
  if (length > 15) return ERANGE;
  if (thread == pthread_self()) return as_error(raw(SYS_prctl, PR_SET_NAME, pointer(name)));
  CommPath path = comm_path(real);
  return as_error(plugin::write_file(host, path.text(), name));
}

CAIRN_EXPORT int pthread_getname_np(pthread_t thread, char* buffer, size_t size) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_getname_np.get()(thread, buffer, size);
  if (size < 16) return ERANGE;
  if (thread == pthread_self()) return as_error(raw(SYS_prctl, PR_GET_NAME, pointer(buffer)));
  CommPath path = comm_path(real);
  char name[32];
  long count = plugin::read_file(host, path.text(), name, sizeof name);
  if (count < 0) return as_error(count);
  if (count > 0 && name[count - 1] == '\n') name[--count] = 0;
  memcpy(buffer, name, static_cast<size_t>(count) + 1);
  return 0;
}

CAIRN_EXPORT int pthread_getattr_np(pthread_t thread, pthread_attr_t* attributes) noexcept {
  int32_t real;
  int result = next_pthread_getattr_np.get()(thread, attributes);
  if (!is_renamed(thread, &real)) return result;
  // What libc asks the kernel for by its tid is the affinity, and it does so last: where there is no such thread it gives up with
  // all else filled in, where there is one it has the affinity of a stranger. Either is put right here.
  void* stack = nullptr;
  size_t size = 0;
  bool filled = result == 0 || (result == ESRCH && pthread_attr_getstack(attributes, &stack, &size) == 0 && size != 0);
  if (!filled) return result;
  unsigned long processors[1024 / sizeof(long)];
  long count = stable([&] {
    is_renamed(thread, &real);
    return raw(SYS_sched_getaffinity, real, sizeof processors, pointer(processors));
  });
  int error = count < 0 ? as_error(count)
                        : pthread_attr_setaffinity_np(attributes, static_cast<size_t>(count), reinterpret_cast<cpu_set_t*>(processors));
  if (error != 0 && result == 0) pthread_attr_destroy(attributes);
  return error;
}

}  // extern "C"

}  // namespace cairn::pid
