// The plugin `pid` on this very process: a "restart" gives it other virtual names than the kernel's, and every wrapper has to
// keep to them. Each test runs in a child, since the tables of a process cannot be taken back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <functional>

#include "pid/ids.h"
#include "pid/proc_text.h"
#include "pid/threads.h"
#include "plugin_fake_host.h"

extern "C" const struct cairn_plugin cairn_plugin_pid;

namespace {

using cairn::test::fake;
using cairn::test::fake_host;
using cairn::test::own_real_id;
using cairn::test::plain_syscall;

constexpr int32_t old_pid = 3100001;  // above what the kernel gives here, so that no test meets its own number
constexpr int32_t old_group = 3100002;
constexpr int32_t old_session = 3100003;
constexpr int32_t old_parent = 3100004;
constexpr int32_t old_thread = 3100005;

int32_t group_before = old_group;

/// Runs in a child of its own; the expectations of the child fail the test.
void in_child(const std::function<void()>& body) {
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    body();
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

void start() { ASSERT_EQ(cairn_plugin_pid.init(fake_host(), "{}"), 0) << fake.failure; }

/// The checkpoint sees other ids than the restart, as a process does that is restarted.
void restart() {
  fake.intercept = [](long number, const long*, long* result) {
    switch (number) {
      case SYS_getpid: *result = old_pid; return true;
      case SYS_getpgid: *result = group_before; return true;
      case SYS_getsid: *result = old_session; return true;
      case SYS_getppid: *result = old_parent; return true;
      default: return false;
    }
  };
  ASSERT_EQ(cairn_plugin_pid.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  fake.intercept = nullptr;
  fake.virtual_pid = old_pid;
  fake.real_pid = own_real_id(SYS_getpid);
  fake.threads.insert(fake.threads.begin(), {old_pid, fake.real_pid});
  ASSERT_EQ(cairn_plugin_pid.event(CAIRN_EVENT_RESTART, nullptr), 0) << fake.failure;
  for (const char* const* name = cairn_plugin_pid.restart_barriers; *name != nullptr; ++name) {
    ASSERT_EQ(cairn_plugin_pid.barrier(*name, 1), 0) << fake.failure;
  }
  *cairn::pid::tid_word(pthread_self()) = old_pid;  // what the image brings back
}

struct Waiter {
  pthread_t thread;
  int32_t real = 0;
  volatile bool stop = false;
  Waiter() {
    pthread_create(&thread, nullptr, [](void* self) -> void* {
      Waiter* waiter = static_cast<Waiter*>(self);
      __atomic_store_n(&waiter->real, own_real_id(SYS_gettid), __ATOMIC_RELEASE);
      while (!waiter->stop) usleep(1000);
      return nullptr;
    }, this);
    while (__atomic_load_n(&real, __ATOMIC_ACQUIRE) == 0) sched_yield();
  }
  ~Waiter() {
    stop = true;
    pthread_join(thread, nullptr);
  }
  void rename(int32_t virtual_id) const { *cairn::pid::tid_word(thread) = virtual_id; }
};

volatile sig_atomic_t caught_by = 0;
void remember(int) { caught_by = own_real_id(SYS_gettid); }

TEST(Pid, BeforeARestartEveryNumberIsTheKernels) {
  in_child([] {
    start();
    EXPECT_EQ(getpid(), own_real_id(SYS_getpid));
    EXPECT_EQ(gettid(), own_real_id(SYS_gettid));
    EXPECT_EQ(getppid(), own_real_id(SYS_getppid));
    EXPECT_EQ(getpgrp(), own_real_id(SYS_getpgrp));
    EXPECT_EQ(kill(old_pid, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  });
}

TEST(Pid, OldNamesAfterARestart) {
  in_child([] {
    start();
    restart();
    EXPECT_EQ(getpid(), old_pid);
    EXPECT_EQ(gettid(), old_pid);
    EXPECT_EQ(getppid(), old_parent);
    EXPECT_EQ(getpgrp(), old_group);
    EXPECT_EQ(getpgid(old_pid), old_group);
    EXPECT_EQ(getsid(0), old_session);
    EXPECT_EQ(syscall(SYS_getpid), old_pid);
    EXPECT_EQ(syscall(SYS_gettid), old_pid);
    EXPECT_EQ(syscall(SYS_getpgid, 0), old_group);
    EXPECT_EQ(kill(old_pid, 0), 0);
    EXPECT_EQ(kill(-old_group, 0), 0);
    EXPECT_EQ(kill(old_parent, 0), 0);
    EXPECT_EQ(kill(old_thread, 0), -1);
    EXPECT_EQ(tgkill(old_pid, old_pid, 0), 0);
    EXPECT_EQ(syscall(SYS_tgkill, old_pid, old_pid, 0), 0);
    EXPECT_EQ(getpriority(PRIO_PROCESS, old_pid), getpriority(PRIO_PROCESS, 0));
    EXPECT_EQ(sched_getscheduler(old_pid), SCHED_OTHER);
    struct rlimit limit;
    EXPECT_EQ(prlimit(old_pid, RLIMIT_NOFILE, nullptr, &limit), 0);
    errno = 0;
    EXPECT_EQ(sched_getscheduler(old_thread), -1);
    EXPECT_EQ(errno, ESRCH);
  });
}

TEST(Pid, SetsidMakesTheProcessItsOwnGroup) {
  in_child([] {
    start();
    restart();
    EXPECT_EQ(setsid(), old_pid);
    EXPECT_EQ(getsid(0), old_pid);
    EXPECT_EQ(getpgrp(), old_pid);
    EXPECT_EQ(own_real_id(SYS_getpgrp), fake.real_pid);
    EXPECT_EQ(kill(-old_pid, 0), 0);
  });
}

TEST(Pid, ALeaderLeadsItsGroupAgain) {
  in_child([] {
    start();
    group_before = old_pid;
    restart();
    EXPECT_EQ(own_real_id(SYS_getpgrp), fake.real_pid);
    EXPECT_EQ(getpgrp(), old_pid);
    EXPECT_EQ(cairn::pid::real_target(-old_pid), -fake.real_pid);
    EXPECT_EQ(setsid(), -1) << "a leader of a group gets no session";
    EXPECT_EQ(errno, EPERM);
  });
}

TEST(Pid, SignalsReachARenamedThread) {
  in_child([] {
    start();
    Waiter waiter;
    fake.threads = {{old_thread, waiter.real}};
    restart();
    waiter.rename(old_thread);
    signal(SIGUSR1, remember);
    ASSERT_EQ(pthread_kill(waiter.thread, SIGUSR1), 0);
    for (int left = 5000; caught_by == 0 && left > 0; --left) usleep(1000);
    EXPECT_EQ(caught_by, waiter.real);
    caught_by = 0;
    ASSERT_EQ(pthread_sigqueue(waiter.thread, SIGUSR1, sigval{}), 0);
    for (int left = 5000; caught_by == 0 && left > 0; --left) usleep(1000);
    EXPECT_EQ(caught_by, waiter.real);
    EXPECT_EQ(tgkill(old_pid, old_thread, 0), 0);
    EXPECT_EQ(pthread_kill(waiter.thread, 32), EINVAL);
    char name[16];
    EXPECT_EQ(pthread_setname_np(waiter.thread, "renamed"), 0);
    EXPECT_EQ(pthread_getname_np(waiter.thread, name, sizeof name), 0);
    EXPECT_STREQ(name, "renamed");
    cpu_set_t set;
    EXPECT_EQ(pthread_getaffinity_np(waiter.thread, sizeof set, &set), 0);
    EXPECT_EQ(pthread_setaffinity_np(waiter.thread, sizeof set, &set), 0);
    int policy;
    struct sched_param param;
    EXPECT_EQ(pthread_getschedparam(waiter.thread, &policy, &param), 0);
    clockid_t clock;
    struct timespec time;
    EXPECT_EQ(pthread_getcpuclockid(waiter.thread, &clock), 0);
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    EXPECT_EQ(clock_getcpuclockid(old_pid, &clock), 0);
    EXPECT_EQ(clock_gettime(clock, &time), 0);
  });
}

TEST(Pid, AThreadThatEndedIsNoError) {
  in_child([] {
    start();
    pthread_attr_t attributes;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr), 0);
    fake.threads = {{old_thread, 0x3ffffff}};  // no such thread
    restart();
    pthread_attr_init(&attributes);
    for (int left = 5000; *cairn::pid::tid_word(thread) != 0 && left > 0; --left) usleep(1000);
    EXPECT_EQ(pthread_kill(thread, 0), 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    EXPECT_EQ(tgkill(old_pid, old_thread, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  });
}

TEST(Pid, CancelsARenamedThreadInABlockingCall) {
  in_child([] {
    start();
    static int32_t real = 0;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, nullptr, [](void*) -> void* {
      __atomic_store_n(&real, own_real_id(SYS_gettid), __ATOMIC_RELEASE);
      for (;;) pause();
    }, nullptr), 0);
    while (__atomic_load_n(&real, __ATOMIC_ACQUIRE) == 0) sched_yield();
    fake.threads = {{old_thread, real}};
    restart();
    *cairn::pid::tid_word(thread) = old_thread;
    ASSERT_EQ(pthread_cancel(thread), 0);
    void* result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, PTHREAD_CANCELED);
  });
}

TEST(Pid, ANewThreadNeverTakesANameInUse) {
  in_child([] {
    start();
    Waiter waiter;
    fake.threads = {{old_thread, waiter.real}};
    restart();
    // The waiter is renamed to the very numbers that the kernel will give next.
    int32_t base = waiter.real;
    for (int32_t next = 1; next <= 4000; ++next) {
      cairn::pid::insert(cairn::pid::Space::id, {base + next, waiter.real, cairn::pid::Kind::thread});
    }
    static int32_t seen[2];
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, nullptr, [](void*) -> void* {
      seen[0] = gettid();
      seen[1] = *cairn::pid::tid_word(pthread_self());
      return nullptr;
    }, nullptr), 0);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
    EXPECT_GE(seen[0], cairn::pid::first_made_id);
    EXPECT_EQ(seen[0], seen[1]);
  });
}

/// The table of shared names has no place for all processes that a run ever starts.
TEST(Pid, AChildWithItsOwnNumberTakesNoPlaceInTheSharedNames) {
  in_child([] {
    start();
    restart();
    pid_t child = fork();
    if (child == 0) {
      size_t before = cairn::test::names.size();
      cairn_plugin_pid.event(CAIRN_EVENT_FORK_CHILD, nullptr);
      _exit(cairn::test::names.size() == before && getpid() == own_real_id(SYS_getpid) ? 0 : 1);
    }
    int status = 1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    // Who had that number for a name before, and is no more, does not stand before another one that has it.
    fake_host()->set_name(CAIRN_NAMES_ID, child + 1, child);
    if (child + 1 != own_real_id(SYS_getpid)) {
      EXPECT_EQ(cairn::pid::to_virtual(cairn::pid::Space::id, child + 1), child + 1);
      EXPECT_EQ(cairn::pid::to_real(cairn::pid::Space::id, child + 1), child + 1);
    }
  });
}

TEST(Pid, AChildOfAForkHasAParentByItsOldName) {
  in_child([] {
    start();
    restart();
    pid_t child = fork();
    if (child == 0) {
      cairn_plugin_pid.event(CAIRN_EVENT_FORK_CHILD, nullptr);
      bool right = getppid() == old_parent ? false : getppid() == old_pid;
      right = right && getpid() == own_real_id(SYS_getpid) && getpgrp() == old_group && kill(old_pid, 0) == 0;
      _exit(right ? 0 : 1);
    }
    int status = 1;
    siginfo_t info = {};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(info.si_pid, child);
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  });
}

TEST(Pid, OwnersOfDescriptorsAndSignals) {
  in_child([] {
    start();
    restart();
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    EXPECT_EQ(fcntl(pipes[0], F_SETOWN, old_pid), 0);
    EXPECT_EQ(fcntl(pipes[0], F_GETOWN), old_pid);
    EXPECT_EQ(fcntl(pipes[0], F_SETOWN, -old_group), 0);
    EXPECT_EQ(fcntl(pipes[0], F_GETOWN), -old_group);
    f_owner_ex owner = {F_OWNER_TID, old_pid};
    EXPECT_EQ(fcntl(pipes[0], F_SETOWN_EX, &owner), 0);
    owner = {};
    EXPECT_EQ(fcntl(pipes[0], F_GETOWN_EX, &owner), 0);
    EXPECT_EQ(owner.pid, old_pid);
    EXPECT_EQ(fcntl(pipes[0], F_GETFD), 0);

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
    siginfo_t info = {};
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGUSR2);
    EXPECT_EQ(info.si_pid, old_pid);
  });
}

TEST(Pid, ATimerThatCallsAFunctionAfterARestart) {
  in_child([] {
    start();
    restart();
    static int called = 0;
    struct sigevent event = {};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_value.sival_int = 7;
    event.sigev_notify_function = [](union sigval value) { __atomic_fetch_add(&called, value.sival_int, __ATOMIC_ACQ_REL); };
    timer_t timer;
    ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0) << errno;
    struct itimerspec soon = {{0, 0}, {0, 1000000}};
    ASSERT_EQ(timer_settime(timer, 0, &soon, nullptr), 0);
    for (int left = 5000; __atomic_load_n(&called, __ATOMIC_ACQUIRE) == 0 && left > 0; --left) usleep(1000);
    EXPECT_EQ(called, 7);
    // A child has a server of its own.
    pid_t child = fork();
    if (child == 0) {
      cairn_plugin_pid.event(CAIRN_EVENT_FORK_CHILD, nullptr);
      called = 0;
      bool made = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &soon, nullptr) == 0;
      for (int left = 5000; __atomic_load_n(&called, __ATOMIC_ACQUIRE) == 0 && left > 0; --left) usleep(1000);
      _exit(made && called == 7 ? 0 : 1);
    }
    int status = 1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(timer_delete(timer), 0);
  });
}

TEST(Pid, RowsNameWhatIsAndWas) {
  in_child([] {
    start();
    Waiter waiter;
    fake.threads = {{old_thread, waiter.real}};
    restart();
    static std::string text;
    // As Cairn's own thread, which is no row.
    pthread_t thread;
    pthread_create(&thread, nullptr, [](void*) -> void* {
      auto emit = [](void*, const cairn_row* row) {
        text += std::string(row->virtual_name) + ">" + row->real_name + "<" + row->before + " " + row->detail + "\n";
      };
      cairn_plugin_pid.rows("pid", emit, nullptr);
      cairn_plugin_pid.rows("thread", emit, nullptr);
      return nullptr;
    }, nullptr);
    pthread_join(thread, nullptr);
    std::string pid = std::to_string(old_pid) + ">" + std::to_string(fake.real_pid);
    EXPECT_NE(text.find(pid + "<" + std::to_string(old_pid) + " process\n"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(old_thread) + ">" + std::to_string(waiter.real)), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(old_group) + ">"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(old_parent) + ">"), std::string::npos) << text;
    // The waiter runs or sleeps.
    bool state = text.find(" S\n") != std::string::npos || text.find(" R\n") != std::string::npos;
    EXPECT_TRUE(state) << text;
  });
}

TEST(Pid, AChildWhoseNumberIsTakenGetsAMadeOne) {
  in_child([] {
    start();
    restart();
    pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    // The number that the child got is the old name of this process' thread.
    cairn::pid::insert(cairn::pid::Space::id, {child, fake.real_pid, cairn::pid::Kind::thread});
    int32_t made = cairn::pid::to_virtual(cairn::pid::Space::id, child);
    EXPECT_EQ(made, child + cairn::pid::first_made_id);
    EXPECT_EQ(cairn::pid::to_real(cairn::pid::Space::id, made), child);
    EXPECT_EQ(getpgid(made), old_group);
    ASSERT_EQ(kill(made, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(waitpid(made, &status, 0), made);
    EXPECT_TRUE(WIFSIGNALED(status));
    // It is gone, and its name with it.
    EXPECT_EQ(kill(made, 0), -1);
    EXPECT_EQ(cairn::pid::to_virtual(cairn::pid::Space::group, child), child + cairn::pid::first_made_id);
  });
}

TEST(Pid, AWaitStaysAPointOfCancellation) {
  in_child([] {
    start();
    restart();
    static bool cleaned = false;
    pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    pthread_t thread;
    auto body = [](void* pid) -> void* {
      pthread_cleanup_push([](void*) { cleaned = true; }, nullptr);
      waitpid(static_cast<pid_t>(reinterpret_cast<intptr_t>(pid)), nullptr, 0);
      pthread_cleanup_pop(0);
      return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, nullptr, body, reinterpret_cast<void*>(static_cast<intptr_t>(child))), 0);
    ASSERT_EQ(pthread_cancel(thread), 0);
    void* result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, PTHREAD_CANCELED);
    EXPECT_TRUE(cleaned);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  });
}

TEST(Pid, ACallThatARestartSplitsIsMadeAgain) {
  in_child([] {
    int calls = 0;
    EXPECT_EQ(cairn::pid::stable([&] {
      if (++calls > 1) return 7;
      ++cairn::pid::generation_count;
      return -1;
    }), 7);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(cairn::pid::stable([&] { return ++calls, -1; }), -1);
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(cairn::pid::settled([&] {
      if (++calls == 4) ++cairn::pid::generation_count;
      return calls;
    }), 5);
  });
}

TEST(Pid, OwnErrorCheckingMutexesKeepTheirOwner) {
  in_child([] {
    start();
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t mutex;
    pthread_mutex_init(&mutex, &attributes);
    restart();
    ASSERT_EQ(pthread_mutex_lock(&mutex), 0);
    EXPECT_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    pthread_attr_t own;
    EXPECT_EQ(pthread_getattr_np(pthread_self(), &own), 0);
    pthread_attr_destroy(&own);
    EXPECT_EQ(*cairn::pid::tid_word(pthread_self()), old_pid);
    EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
  });
}

TEST(Pid, AChildOfAForkNeverTakesANameInUse) {
  in_child([] {
    start();
    restart();
    int32_t base = fake.real_pid;
    for (int32_t next = 1; next <= 4000; ++next) {
      cairn::pid::insert(cairn::pid::Space::id, {base + next, fake.real_pid, cairn::pid::Kind::self});
    }
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
      cairn_plugin_pid.event(CAIRN_EVENT_FORK_CHILD, nullptr);
      pid_t own = getpid();
      _exit(write(pipes[1], &own, sizeof own) == sizeof own && gettid() == own ? 0 : 1);
    }
    EXPECT_GE(child, cairn::pid::first_made_id);
    pid_t told = 0;
    EXPECT_EQ(read(pipes[0], &told, sizeof told), static_cast<ssize_t>(sizeof told));
    EXPECT_EQ(told, child);
    int status = 1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);

    pid_t sharing = vfork();
    if (sharing == 0) _exit(5);
    EXPECT_EQ(waitpid(sharing, &status, 0), sharing);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5);
  });
}

std::string translated(cairn::pid::ProcText kind, const std::string& text) {
  char out[512];
  long size = cairn::pid::translate_proc_text(kind, text.data(), text.size(), out, sizeof out);
  return size < 0 ? "error" : std::string(out, static_cast<size_t>(size));
}

TEST(Pid, TextOfProcFiles) {
  using cairn::pid::ProcText;
  EXPECT_EQ(cairn::pid::proc_text_of("/proc/12/status"), ProcText::status);
  EXPECT_EQ(cairn::pid::proc_text_of("/proc/self//task/7/children"), ProcText::children);
  EXPECT_EQ(cairn::pid::proc_text_of("/proc//thread-self/stat"), ProcText::stat);
  for (const char* other : {"/proc/stat", "/proc/selfish/stat", "/proc/self/task/stat", "/proc/self/children", "/proc/12/statm", "/tmp/12/stat"}) {
    EXPECT_EQ(cairn::pid::proc_text_of(other), ProcText::none) << other;
  }
  in_child([] {
    start();
    restart();
    std::string real = std::to_string(fake.real_pid), parent = std::to_string(own_real_id(SYS_getppid));
    std::string group = std::to_string(plain_syscall(SYS_getpgid, 0, 0, 0, 0, 0, 0));
    std::string session = std::to_string(plain_syscall(SYS_getsid, 0, 0, 0, 0, 0, 0));
    EXPECT_EQ(translated(ProcText::status, "Name:\t1 Pid:\nTgid:\t" + real + "\nPPid:\t" + parent + "\nNSpgid:\t" + group + "\nUid:\t" + real),
              "Name:\t1 Pid:\nTgid:\t3100001\nPPid:\t3100004\nNSpgid:\t3100002\nUid:\t" + real);
    EXPECT_EQ(translated(ProcText::stat, real + " (a) " + real + " (b)) S " + parent + " " + group + " " + session + " 7 -1 " + real + "\n"),
              "3100001 (a) " + real + " (b)) S 3100004 3100002 3100003 7 -1 " + real + "\n");
    EXPECT_EQ(translated(ProcText::stat, "5"), "5");
    EXPECT_EQ(translated(ProcText::children, real + " 99999999999 "), "3100001 99999999999 ");
    EXPECT_EQ(translated(ProcText::children, std::string(600, ' ')), "error");
    int32_t copy = cairn::pid::copy_of_proc_file("/proc/self/status");
    ASSERT_GE(copy, 0);
    char text[64] = {};
    EXPECT_GT(pread(copy, text, sizeof text - 1, 0), 20);
    EXPECT_EQ(cairn::pid::copy_of_proc_file("/proc/self/maps"), -ENOENT);
  });
}

}  // namespace
