// mq_notify with SIGEV_THREAD. To the kernel that is a netlink socket and 32 bytes that it sends there; who reads them starts the thread. libc does it
// in a way that nobody else can bring back, since only it knows those bytes. So here it is done by a socket, bytes and a thread
// of our own, which a checkpoint finds like the program's: the socket comes back with its number, and the queue is told anew.
// [running: in threads of the application] Lock-free but for the start. Test: test/probes/posix/notice_threads.c
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mqueue/queues.h"

namespace cairn::mqueue {
namespace {

/// As the kernel takes it, and gives it back with a word at its end.
struct Cookie {
  uint32_t slot;
  uint32_t serial;
  unsigned char rest[23];
  unsigned char what;
};
static_assert(sizeof(Cookie) == 32);
constexpr unsigned char woken = 1;  // NOTIFY_WOKENUP; else it was taken back

struct Slot {
  uint32_t used;
  bool has_attributes;
  Cookie cookie;
  void (*run)(union sigval);
  union sigval value;
  pthread_attr_t attributes;
};
constexpr uint32_t slot_count = 256;

enum Helper : uint32_t { none, starting, ready };

// In the image.
Slot slots[slot_count];
uint32_t serials = 0;
uint32_t helper = none;
int32_t helper_socket = -1;

void release(Slot* slot) {
  if (slot->has_attributes) pthread_attr_destroy(&slot->attributes);
  slot->has_attributes = false;
  __atomic_store_n(&slot->used, 0, __ATOMIC_RELEASE);
}

struct Start {
  void (*run)(union sigval);
  union sigval value;
  uint32_t taken;
};

/// The signals are the program's again.
void* run_notice(void* argument) {
  auto* start = static_cast<Start*>(argument);
  const Start own = *start;
  __atomic_store_n(&start->taken, 1, __ATOMIC_RELEASE);
  sigset_t no_signals;
  sigemptyset(&no_signals);
  pthread_sigmask(SIG_SETMASK, &no_signals, nullptr);
  own.run(own.value);
  return nullptr;
}

void start_notice(Slot* slot) {
  Start start = {slot->run, slot->value, 0};
  pthread_t thread;
  bool made = pthread_create(&thread, slot->has_attributes ? &slot->attributes : nullptr, run_notice, &start) == 0;
  release(slot);
  if (!made) {
    host->log(CAIRN_LOG_WARNING, "there is no memory for the thread that a message was to start (mq_notify)");
    return;
  }
  while (__atomic_load_n(&start.taken, __ATOMIC_ACQUIRE) == 0) sched_yield();
  pthread_detach(thread);
}

void* help(void* argument) {
  const auto fd = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  for (;;) {
    Cookie cookie;
    ssize_t size = recv(fd, &cookie, sizeof cookie, 0);
    if (size < 0 && errno != EINTR) return nullptr;  // the program has closed it
    if (size != sizeof cookie || cookie.slot >= slot_count) continue;
    Slot* slot = &slots[cookie.slot];
    if (__atomic_load_n(&slot->used, __ATOMIC_ACQUIRE) == 0 || slot->cookie.serial != cookie.serial) continue;
    if (cookie.what == woken) start_notice(slot);
    else release(slot);
  }
}

bool begin() {
  long fd = sys(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  bool made = pthread_create(&thread, &attributes, help, reinterpret_cast<void*>(static_cast<intptr_t>(fd))) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (made) helper_socket = static_cast<int32_t>(fd);
  else sys(SYS_close, fd);
  return made;
}

bool start_helper() {
  for (;;) {
    uint32_t found = none;
    if (__atomic_compare_exchange_n(&helper, &found, starting, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      bool made = begin();
      __atomic_store_n(&helper, made ? ready : none, __ATOMIC_RELEASE);
      return made;
    }
    if (found == ready) return true;
    sched_yield();
  }
}

/// What a thread can be given, so that the program may destroy its own.
void copy_attributes(Slot* slot, const pthread_attr_t* given) {
  slot->has_attributes = given != nullptr && pthread_attr_init(&slot->attributes) == 0;
  if (!slot->has_attributes) return;
  size_t size = 0, guard = 0;
  void* stack = nullptr;
  int policy = 0, inherits = 0;
  struct sched_param parameters = {};
  if (pthread_attr_getguardsize(given, &guard) == 0) pthread_attr_setguardsize(&slot->attributes, guard);
  // Where there is none libc gives the end of no stack, less its size.
  const bool has_stack = pthread_attr_getstack(given, &stack, &size) == 0 && reinterpret_cast<uintptr_t>(stack) + size != 0;
  if (has_stack) pthread_attr_setstack(&slot->attributes, stack, size);
  else if (pthread_attr_getstacksize(given, &size) == 0) pthread_attr_setstacksize(&slot->attributes, size);
  if (pthread_attr_getschedpolicy(given, &policy) == 0) pthread_attr_setschedpolicy(&slot->attributes, policy);
  if (pthread_attr_getschedparam(given, &parameters) == 0) pthread_attr_setschedparam(&slot->attributes, &parameters);
  if (pthread_attr_getinheritsched(given, &inherits) == 0) pthread_attr_setinheritsched(&slot->attributes, inherits);
}

}  // namespace

long notify_by_thread(int32_t queue, const struct sigevent& asked, struct sigevent* kernels) {
  if (!start_helper()) return -ENOMEM;
  for (uint32_t i = 0; i < slot_count; ++i) {
    Slot* slot = &slots[i];
    uint32_t unused = 0;
    if (!__atomic_compare_exchange_n(&slot->used, &unused, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    slot->cookie = {i, __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED), {}, 0};
    slot->run = asked.sigev_notify_function;
    slot->value = asked.sigev_value;
    copy_attributes(slot, asked.sigev_notify_attributes);
    *kernels = {};
    kernels->sigev_notify = SIGEV_THREAD;
    kernels->sigev_signo = helper_socket;
    kernels->sigev_value.sival_ptr = &slot->cookie;
    long result = sys(SYS_mq_notify, queue, pointer(kernels));
    if (result < 0) release(slot);
    return result;
  }
  return -ENOMEM;
}

bool notice_waits() {
  Cookie cookie;
  return sys(SYS_recvfrom, helper_socket, pointer(&cookie), sizeof cookie, MSG_DONTWAIT | MSG_PEEK, 0, 0) > 0;
}

void forget_taken_back() {
  Cookie cookie;
  sys(SYS_recvfrom, helper_socket, pointer(&cookie), sizeof cookie, MSG_DONTWAIT, 0, 0);
}

void forget_notice_threads() {
  if (helper_socket >= 0) sys(SYS_close, helper_socket);
  helper_socket = -1;
  helper = none;
  for (Slot& slot : slots) slot.used = 0;
}

}  // namespace cairn::mqueue
