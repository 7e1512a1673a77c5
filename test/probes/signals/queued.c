// Queued real-time signals keep their number, order, values and sender, however many they are.
// other user: not the same user, which it compares with the sender's
// sabotage: call rt_sigtimedwait @set 0 @zero 8
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  static uint64_t kernel_set, zero[2];
  kernel_set = 1ull << (SIGRTMIN + 1 - 1);
  probe_note("set", (uint64_t)(uintptr_t)&kernel_set);
  probe_note("zero", (uint64_t)(uintptr_t)zero);
  for (int i = 0; i < 5; i++) {
    CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 100 + i}) == 0, "sigqueue");
    CHECK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_ptr = (void *)(uintptr_t)(0x1234567800000000ull + (unsigned)i)}) == 0, "sigqueue");
  }
  enum { many = 2500 };
  sigaddset(&set, SIGRTMIN + 3);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < many; i++) CHECK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i}) == 0, "sigqueue %d", i);
  probe_hold();
  sigset_t third;
  sigemptyset(&third);
  sigaddset(&third, SIGRTMIN + 3);
  for (int i = 0; i < many; i++) {
    siginfo_t info;
    struct timespec none = {0, 0};
    CHECK(sigtimedwait(&third, &info, &none) == SIGRTMIN + 3, "signal %d of many is gone", i);
    CHECK(info.si_value.sival_int == i, "the value of signal %d of many is %d", i, info.si_value.sival_int);
  }
  for (int i = 0; i < 5; i++) {
    struct timespec none = {0, 0};
    siginfo_t info;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMIN + 1);
    CHECK(sigtimedwait(&one, &info, &none) == SIGRTMIN + 1, "signal %d is gone", i);
    CHECK(info.si_value.sival_int == 100 + i, "its value is %d", info.si_value.sival_int);
    CHECK(info.si_code == SI_QUEUE && info.si_pid == getpid() && info.si_uid == getuid(), "its sender is %d, code %d", info.si_pid, info.si_code);
    sigemptyset(&one);
    sigaddset(&one, SIGRTMIN + 2);
    CHECK(sigtimedwait(&one, &info, &none) == SIGRTMIN + 2, "second signal %d is gone", i);
    CHECK((uintptr_t)info.si_value.sival_ptr == (uintptr_t)(0x1234567800000000ull + (unsigned)i), "its pointer is %p", info.si_value.sival_ptr);
  }
  struct timespec none = {0, 0};
  CHECK(sigtimedwait(&set, NULL, &none) == -1 && errno == EAGAIN, "a signal too many");
  return probe_ok();
}
