// Owns: the plugin `signal`: what the process does on each signal.
// The kernel's own structures are read and set, with every flag and libc's restorer, so that nothing is lost on the way; that
// children are not waited for (SIGCHLD ignored, SA_NOCLDWAIT) is part of them. Pending signals and masks are the core's.
// [quiesced] saves, [restoring] sets; the handlers' code is in the image. Test: tests/signal_plugin_test.cc.
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "common/text.h"

namespace cairn::signal {

namespace {

constexpr int signal_count = 64;
constexpr long mask_size = 8;

/// struct sigaction as the kernel has it.
struct KernelAction {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
};

const cairn_host* host = nullptr;
KernelAction actions[signal_count + 1];
bool saved = false;

bool is_fixed(int signal) { return signal == SIGKILL || signal == SIGSTOP; }

long action(int signal, const KernelAction* set, KernelAction* get) {
  return host->syscall(SYS_rt_sigaction, signal, reinterpret_cast<long>(set), reinterpret_cast<long>(get), mask_size, 0, 0);
}

int32_t failed(long error, int signal, const char* what) {
  plugin::Text<64> culprit;
  culprit.add("signal ").add(signal);
  plugin::Text<128> text;
  text.add("The action of the signal could not be ").add(what).add(" (rt_sigaction).");
  return host->fail(static_cast<int32_t>(error), culprit.text(), text.text());
}

int32_t save() {
  for (int signal = 1; signal <= signal_count; ++signal) {
    long error = action(signal, nullptr, &actions[signal]);
    if (error < 0) return failed(error, signal, "read");
  }
  saved = true;
  return 0;
}

int32_t restore() {
  if (!saved) return 0;
  for (int signal = 1; signal <= signal_count; ++signal) {
    if (is_fixed(signal)) continue;
    long error = action(signal, &actions[signal], nullptr);
    if (error < 0) return failed(error, signal, "set again");
  }
  return 0;
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return 0;
}

int32_t event(uint32_t number, void*) {
  if (number == CAIRN_EVENT_PRECHECKPOINT) return save();
  if (number == CAIRN_EVENT_RESTART) return restore();
  return 0;
}

}  // namespace

}  // namespace cairn::signal

extern "C" const struct cairn_plugin cairn_plugin_signal = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "signal", "1.0.0", "Cairn",
    cairn::signal::init,  cairn::signal::event,   nullptr,                nullptr, nullptr,  nullptr};
