// The plugin `signal`: every action comes back as the kernel had it, and handlers that are told a sender learn of the virtual one,
// without the application noticing how.
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>

#include "plugin_fake_host.h"

extern "C" const struct cairn_plugin cairn_plugin_signal;

namespace {

using cairn::test::fake;
using cairn::test::fake_host;
using cairn::test::own_real_id;
using cairn::test::plain_syscall;

struct KernelAction {
  unsigned long handler, flags, restorer;
  uint64_t mask;
};

KernelAction read_action(int signal) {
  KernelAction action = {};
  EXPECT_EQ(plain_syscall(SYS_rt_sigaction, signal, 0, reinterpret_cast<long>(&action), 8, 0, 0), 0);
  return action;
}

/// As the application sees it.
KernelAction shown_action(int signal) {
  auto* signals = static_cast<const cairn_signals*>(fake.extensions["cairn.signals/1"]);
  KernelAction action = {};
  EXPECT_EQ(signals->action(signal, nullptr, &action, 8), 0);
  return action;
}

constexpr int32_t virtual_sender = 3100001;
volatile sig_atomic_t caught = 0;
volatile sig_atomic_t sender = 0;
void handler(int, siginfo_t* info, void*) {
  caught = caught + 1;
  sender = info->si_pid;
}
void other_handler(int, siginfo_t*, void*) {}
void plain_handler(int) {}

const cairn_ids test_ids = {sizeof test_ids, 0, [](int32_t id) { return id; },
                            [](int32_t id) { return id == own_real_id(SYS_getpid) ? virtual_sender : id; }};

void start() {
  fake.extensions["cairn.ids/1"] = &test_ids;
  ASSERT_EQ(cairn_plugin_signal.init(fake_host(), "{}"), 0);
}
void restart() {
  ASSERT_EQ(cairn_plugin_signal.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  ASSERT_EQ(cairn_plugin_signal.event(CAIRN_EVENT_RESTART, nullptr), 0) << fake.failure;
}

TEST(Signal, ActionsComeBackWithAllTheirFlags) {
  start();
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGTERM);
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  ASSERT_EQ(sigaction(SIGRTMAX, &action, nullptr), 0);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ignore.sa_flags = SA_NOCLDWAIT;
  ASSERT_EQ(sigaction(SIGCHLD, &ignore, nullptr), 0);
  KernelAction before[65];
  for (int signal = 1; signal <= 64; ++signal) before[signal] = read_action(signal);

  ASSERT_EQ(cairn_plugin_signal.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), 0) << fake.failure;
  // The new process has none of it.
  KernelAction none = {};
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) {
      ASSERT_EQ(plain_syscall(SYS_rt_sigaction, signal, reinterpret_cast<long>(&none), 0, 8, 0, 0), 0);
    }
  }
  ASSERT_EQ(cairn_plugin_signal.event(CAIRN_EVENT_RESTART, nullptr), 0) << fake.failure;
  for (int signal = 1; signal <= 64; ++signal) {
    KernelAction after = shown_action(signal);
    EXPECT_EQ(memcmp(&after, &before[signal], sizeof after), 0) << "signal " << signal;
    KernelAction real = read_action(signal);
    EXPECT_EQ(real.flags, before[signal].flags) << "signal " << signal;
    EXPECT_EQ(real.handler != before[signal].handler, signal == SIGUSR1 || signal == SIGRTMAX) << "signal " << signal;
  }
  raise(SIGUSR1);
  EXPECT_EQ(caught, 1);
  EXPECT_EQ(sender, virtual_sender);
  signal(SIGCHLD, SIG_DFL);
}

TEST(Signal, AfterARestartTheApplicationSeesItsOwnHandlers) {
  start();
  restart();
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(sigaction(SIGUSR2, &action, nullptr), 0);
  EXPECT_NE(read_action(SIGUSR2).handler, reinterpret_cast<uintptr_t>(handler));
  struct sigaction old = {};
  action.sa_sigaction = other_handler;
  ASSERT_EQ(sigaction(SIGUSR2, &action, &old), 0);
  EXPECT_EQ(old.sa_sigaction, handler);
  EXPECT_EQ(signal(SIGUSR2, plain_handler), reinterpret_cast<void (*)(int)>(reinterpret_cast<uintptr_t>(other_handler)));
  EXPECT_EQ(read_action(SIGUSR2).handler, reinterpret_cast<uintptr_t>(plain_handler));
}

TEST(Signal, ASecondCheckpointSavesTheApplicationsHandlers) {
  start();
  restart();
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(sigaction(SIGUSR2, &action, nullptr), 0);
  restart();
  EXPECT_EQ(shown_action(SIGUSR2).handler, reinterpret_cast<uintptr_t>(handler));
  caught = 0;
  raise(SIGUSR2);
  EXPECT_EQ(caught, 1);
}

TEST(Signal, AFailureNamesTheSignal) {
  ASSERT_EQ(cairn_plugin_signal.init(fake_host(), "{}"), 0);
  fake.intercept = [](long number, const long* arguments, long* result) {
    *result = -EFAULT;
    return number == SYS_rt_sigaction && arguments[0] == 5;
  };
  EXPECT_EQ(cairn_plugin_signal.event(CAIRN_EVENT_PRECHECKPOINT, nullptr), -EFAULT);
  fake.intercept = nullptr;
  EXPECT_NE(fake.failure.find("signal 5"), std::string::npos) << fake.failure;
}

}  // namespace
