// The plugin `timer`: timers are taken away, as in a new process, and come back with their ids, their time and their targets.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "plugin_fake_host.h"

extern "C" const struct cairn_plugin cairn_plugin_timer;

namespace {

using cairn::test::fake;
using cairn::test::fake_host;
using cairn::test::own_real_id;
using cairn::test::plain_syscall;

constexpr int32_t virtual_tid = 3100001;

int32_t to_real(int32_t id) { return id == virtual_tid ? own_real_id(SYS_gettid) : id; }
int32_t to_virtual(int32_t id) { return id == own_real_id(SYS_gettid) ? virtual_tid : id; }
const cairn_ids ids = {sizeof(cairn_ids), 0, to_real, to_virtual};

int32_t create(clockid_t clock, int notify, int signal, uint64_t value) {
  struct sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = signal;
  event.sigev_value.sival_ptr = reinterpret_cast<void*>(value);
  if ((notify & SIGEV_THREAD_ID) != 0) event._sigev_un._tid = own_real_id(SYS_gettid);
  int32_t id = -1;
  EXPECT_EQ(plain_syscall(SYS_timer_create, clock, reinterpret_cast<long>(&event), reinterpret_cast<long>(&id), 0, 0, 0), 0);
  return id;
}
void start(int32_t id, long seconds, long interval) {
  struct itimerspec time = {{interval, 0}, {seconds, 0}};
  EXPECT_EQ(plain_syscall(SYS_timer_settime, id, 0, reinterpret_cast<long>(&time), 0, 0, 0), 0);
}
struct itimerspec left(int32_t id) {
  struct itimerspec time = {};
  EXPECT_EQ(plain_syscall(SYS_timer_gettime, id, reinterpret_cast<long>(&time), 0, 0, 0, 0), 0) << "timer " << id;
  return time;
}

std::string list() {
  std::string text;
  FILE* file = fopen("/proc/self/timers", "r");
  if (file == nullptr) return text;
  for (int character; (character = fgetc(file)) != EOF;) text += static_cast<char>(character);
  fclose(file);
  return text;
}

void round_trip() {
  fake.extensions["cairn.ids/1"] = &ids;
  fake.virtual_pid = virtual_tid;
  ASSERT_EQ(cairn_plugin_timer.init(fake_host(), "{}"), 0);
  int32_t unused = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  int32_t one = create(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN + 1, 0x1234567890ab);
  plain_syscall(SYS_timer_delete, unused, 0, 0, 0, 0, 0);
  int32_t two = create(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN + 2, 0);
  int32_t three = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_NONE, 0, 5);
  int32_t four = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR2, 6);
  start(one, 1000, 7);
  start(two, 2000, 0);
  start(three, 3000, 0);
  struct itimerval interval = {{3, 0}, {500, 0}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &interval, nullptr), 0);
  ASSERT_EQ(setitimer(ITIMER_PROF, &interval, nullptr), 0);
  std::string before = list();
  ASSERT_FALSE(before.empty()) << "this kernel has no /proc/self/timers";

  ASSERT_EQ(cairn_plugin_timer.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  for (int32_t id : {one, two, three, four}) plain_syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0);
  struct itimerval none = {};
  setitimer(ITIMER_REAL, &none, nullptr);
  setitimer(ITIMER_PROF, &none, nullptr);
  ASSERT_TRUE(list().empty());

  ASSERT_EQ(cairn_plugin_timer.barrier(cairn_plugin_timer.restart_barriers[0], 1), 0) << fake.failure;
  std::string after = list();
  // The kernel's list says the same, but that the thread's own clock names its thread now.
  std::string own_clock = "ClockID: -2\n";
  size_t at = before.find(own_clock);
  ASSERT_NE(at, std::string::npos) << before;
  std::string named = "ClockID: " + std::to_string(static_cast<int32_t>(~static_cast<uint32_t>(own_real_id(SYS_gettid)) << 3 | 6)) + "\n";
  before.replace(at, own_clock.size(), named);
  EXPECT_EQ(after, before);
  EXPECT_NEAR(static_cast<double>(left(one).it_value.tv_sec), 1000, 2);
  EXPECT_EQ(left(one).it_interval.tv_sec, 7);
  EXPECT_NEAR(static_cast<double>(left(two).it_value.tv_sec), 2000, 2);
  EXPECT_NEAR(static_cast<double>(left(three).it_value.tv_sec), 3000, 2);
  EXPECT_EQ(left(four).it_value.tv_sec, 0);
  struct itimerval now;
  getitimer(ITIMER_REAL, &now);
  EXPECT_NEAR(static_cast<double>(now.it_value.tv_sec), 500, 2);
  EXPECT_EQ(now.it_interval.tv_sec, 3);
  getitimer(ITIMER_VIRTUAL, &now);
  EXPECT_EQ(now.it_value.tv_sec, 0);
  for (int32_t id : {one, two, three, four}) plain_syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0);
  setitimer(ITIMER_REAL, &none, nullptr);
  setitimer(ITIMER_PROF, &none, nullptr);
}

TEST(Timer, ComesBackWithItsIdAndTime) { round_trip(); }

TEST(Timer, GoesOnTickingWhenItsSignalWasPending) {
  // The kernel starts the next interval when the signal is taken; a timer whose signal is pending shows no time left.
  fake.extensions["cairn.ids/1"] = &ids;
  ASSERT_EQ(cairn_plugin_timer.init(fake_host(), "{}"), 0);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  struct itimerval interval = {{500, 0}, {0, 1000}}, now = {};
  ASSERT_EQ(setitimer(ITIMER_REAL, &interval, nullptr), 0);
  sigset_t pending;
  do sigpending(&pending);
  while (sigismember(&pending, SIGALRM) == 0);
  ASSERT_EQ(cairn_plugin_timer.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  struct itimerval none = {};
  setitimer(ITIMER_REAL, &none, nullptr);
  EXPECT_EQ(cairn_plugin_timer.barrier(cairn_plugin_timer.restart_barriers[0], 1), 0) << fake.failure;
  getitimer(ITIMER_REAL, &now);
  EXPECT_EQ(now.it_interval.tv_sec, 500);
  EXPECT_NEAR(static_cast<double>(now.it_value.tv_sec), 500, 2);
  setitimer(ITIMER_REAL, &none, nullptr);
  int number = 0;
  sigwait(&blocked, &number);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(Timer, AnIdOutOfReachIsRefusedWithoutTheKernelsHelp) {
  fake.extensions["cairn.ids/1"] = &ids;
  ASSERT_EQ(cairn_plugin_timer.init(fake_host(), "{}"), 0);
  int32_t id = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  ASSERT_EQ(cairn_plugin_timer.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  plain_syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0);
  // This process has used the number up; only prctl would bring it back.
  fake.intercept = [](long number, const long*, long* result) {
    *result = -EINVAL;
    return number == SYS_prctl;
  };
  EXPECT_EQ(cairn_plugin_timer.barrier(cairn_plugin_timer.restart_barriers[0], 1), -EBUSY);
  fake.intercept = nullptr;
  EXPECT_NE(fake.failure.find("timer " + std::to_string(id)), std::string::npos) << fake.failure;
  EXPECT_TRUE(list().empty());
}

TEST(Timer, IdsInOrderWithoutTheKernelsHelp) {
  // In a new process, whose ids begin at 0.
  fake.extensions["cairn.ids/1"] = &ids;
  ASSERT_EQ(cairn_plugin_timer.init(fake_host(), "{}"), 0);
  int32_t id = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 99);
  start(id, 100, 0);
  ASSERT_EQ(cairn_plugin_timer.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  pid_t child = fork();
  if (child == 0) {
    fake.intercept = [](long number, const long*, long* result) {
      *result = -EINVAL;
      return number == SYS_prctl;
    };
    bool done = cairn_plugin_timer.barrier(cairn_plugin_timer.restart_barriers[0], 1) == 0;
    std::string text = list();
    bool right = done && text.find("ID: " + std::to_string(id) + "\n") == 0 && text.find("ID:", 1) == text.find("ID:", text.find("ClockID"));
    _exit(right && left(id).it_value.tv_sec >= 98 ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  plain_syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0);
}

}  // namespace
