// The plugin `signal`: every action comes back as the kernel had it.
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>

#include "plugin_fake_host.h"

extern "C" const struct cairn_plugin cairn_plugin_signal;

namespace {

using cairn::test::fake;
using cairn::test::fake_host;
using cairn::test::plain_syscall;

struct KernelAction {
  uint64_t handler, flags, restorer, mask;
};

KernelAction read_action(int signal) {
  KernelAction action = {};
  EXPECT_EQ(plain_syscall(SYS_rt_sigaction, signal, 0, reinterpret_cast<long>(&action), 8, 0, 0), 0);
  return action;
}

volatile sig_atomic_t caught = 0;
void handler(int, siginfo_t*, void*) { caught = caught + 1; }

TEST(Signal, ActionsComeBackWithAllTheirFlags) {
  ASSERT_EQ(cairn_plugin_signal.init(fake_host(), "{}"), 0);
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
    KernelAction after = read_action(signal);
    EXPECT_EQ(memcmp(&after, &before[signal], sizeof after), 0) << "signal " << signal;
  }
  raise(SIGUSR1);
  EXPECT_EQ(caught, 1);
  signal(SIGCHLD, SIG_DFL);
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
