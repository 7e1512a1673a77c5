// Owns: the plugin `signal`: what the process does on each signal.
// The kernel's own structures are read and set, with every flag and libc's restorer, so that nothing is lost on the way; that
// children are not waited for (SIGCHLD ignored, SA_NOCLDWAIT) is part of them. Pending signals and masks are the core's.
// What is saved is what the application asked for, also where the kernel calls a function of ours (actions.h).
// [quiesced] saves, [restoring] sets; the handlers' code is in the image. Test: tests/signal_plugin_test.cc.
#include <errno.h>

#include "common/handles.h"
#include "common/text.h"
#include "signal/actions.h"

namespace cairn::signal {

const cairn_host* host = nullptr;

namespace {

// As the application sees them.
KernelAction actions[signal_count + 1];
bool saved = false;

bool is_fixed(int signal) { return signal == SIGKILL || signal == SIGSTOP; }

long action(int signal, const KernelAction* set, KernelAction* get) {
  return host->syscall(SYS_rt_sigaction, signal, pointer(set), pointer(get), mask_size, 0, 0);
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
    actions[signal].handler = static_cast<unsigned long>(shown_handler(signal, actions[signal].handler));
  }
  saved = true;
  return 0;
}

int32_t restore() {
  if (!saved) return 0;
  for (int signal = 1; signal <= signal_count; ++signal) {
    if (is_fixed(signal)) continue;
    KernelAction own = actions[signal];
    own.handler = static_cast<unsigned long>(kernel_handler(signal, own.handler, own.flags));
    if (own.handler != actions[signal].handler) remember_handler(signal, actions[signal].handler);
    long error = action(signal, &own, nullptr);
    if (error < 0) return failed(error, signal, "set again");
  }
  __atomic_store_n(&active_flag, true, __ATOMIC_RELEASE);
  return 0;
}

const cairn_signals functions = {sizeof(cairn_signals), 0, [](int32_t signal, const void* set, void* get, uint64_t size) -> int64_t {
  return change_action(signal, static_cast<const KernelAction*>(set), static_cast<KernelAction*>(get), static_cast<long>(size));
}};

int32_t init(const cairn_host* given, const char*) {
  host = given;
  prepare_wrappers();
  if (plugin::has_other_names(host)) __atomic_store_n(&active_flag, true, __ATOMIC_RELEASE);
  return host->publish("cairn.signals/1", &functions);
}

int32_t event(uint32_t number, void*) {
  if (number == CAIRN_EVENT_PRECHECKPOINT) return save();
  if (number == CAIRN_EVENT_RESTART) return restore();
  if (number == CAIRN_EVENT_FORK_CHILD) forget_change();
  return 0;
}

}  // namespace

}  // namespace cairn::signal

extern "C" const struct cairn_plugin cairn_plugin_signal = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "signal", "1.0.0", "Cairn",
    cairn::signal::init,  cairn::signal::event,   nullptr,                nullptr, nullptr,  nullptr};
