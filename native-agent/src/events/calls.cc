#include "events/calls.h"

#include <errno.h>
#include <sys/mman.h>

#include "events/guard.h"
#include "events/modules.h"
#include "events/names.h"

namespace cairn::events {
namespace {

using sys::Text;
using sys::TextBuilder;

/// As debug-adapter/src/coordinator/callbacks.ts reads it: layer in the upper half, this, and the event's number in the lowest 24 bits.
enum Kind : uint32_t { event_call = 1, barrier_call = 2, init_call = 3, rows_call = 4, request_call = 5, stop_call = 6 };

struct Call {
  const LoadedPlugin& entry;
  Kind kind;
  uint32_t event;
  const char* name;  // of a barrier or table
};

/// Of the callback that runs; 0: none.
int64_t noted = 0;

void note(int64_t value) {
  noted = value;
  int32_t pid = facts().virtual_pid;
  if (value == 0) (void)remove_name(CAIRN_NAMES_CALL, pid);
  else (void)set_name(CAIRN_NAMES_CALL, pid, value);
}

int64_t number_of(const Call& call) {
  auto layer = uint64_t{layer_of(number_of(call.entry))};
  return static_cast<int64_t>(layer << 32 | static_cast<uint64_t>(call.kind) << 24 | (call.event & 0xffffff));
}

void describe(const Call& call, TextBuilder* text) {
  const char* name = call.kind == event_call ? event_name(call.event) : call.name;
  switch (call.kind) {
    case event_call:
      text->add("event ");
      if (name[0] == 0) text->number(call.event);
      else text->add(name);
      break;
    case barrier_call: text->add("barrier ").add(name); break;
    case init_call: text->add("init"); break;
    case request_call: text->add("a request"); break;
    case stop_call: text->add("a moment in which all threads stand"); break;
    case rows_call: text->add("table ").add(name); break;
  }
}

int32_t crashed(const Call& call, const Fault& fault) {
  const LoadedPlugin& entry = call.entry;
  TextBuilder& text = facts().error->set(-EFAULT, entry.library);
  text.add("plugin ").add(entry.plugin->name).add(" crashed in ");
  describe(call, &text);
  text.add(" (").add(fault_name(fault.signal));
  if (fault.address != 0 || Text(fault_name(fault.signal)) == Text("SIGSEGV")) text.add(" at address ").hex(fault.address);
  text.add(")");
  return -EFAULT;
}

/// Whose callback runs.
const LoadedPlugin* caller = nullptr;

/// Calls work(), which gives what the callback gives.
template <class Work>
int32_t run_noted(const Call& call, Work work) {
  if (call.entry.library[0] == 0) return work();
  struct Job {
    Work* work;
    int32_t result;
  } job = {&work, 0};
  // Elsewhere it is a thread of the application that calls, as it calls any library.
  if (facts().error == nullptr) return work();
  int64_t outer = noted;
  note(number_of(call));
  Fault fault = {};
  auto go = [](void* context) {
    auto* to = static_cast<Job*>(context);
    to->result = (*to->work)();
  };
  bool whole = run_guarded(go, &job, &fault);
  note(outer);
  return whole ? job.result : crashed(call, fault);
}

template <class Work>
int32_t run(const Call& call, Work work) {
  const LoadedPlugin* outer = caller;
  caller = &call.entry;
  int32_t result = run_noted(call, work);
  caller = outer;
  return result;
}

}  // namespace

const LoadedPlugin* calling() { return caller; }

void forget_calls() {
  caller = nullptr;
  // The process may have been copied in the middle of an operation.
  facts().error = nullptr;
  noted = 0;
  forget_guard();
}

const char* event_name(uint32_t event) {
  static const char* const names[] = {
      "", "presuspend", "precheckpoint", "resume", "restart", "running", "abort", "fork_child", "mapping_save", "mapping_restore",
      "descriptor_save", "descriptor_restore", "descriptor_fill", "started", "mapping_content", "settings", "external_save",
      "external_resume", "external_restore", "settings_live", "restart_failed"};
  static_assert(sizeof names / sizeof names[0] == CAIRN_EVENT_RESTART_FAILED + 1);
  return event < sizeof names / sizeof names[0] ? names[event] : "";
}

int32_t call_event(const LoadedPlugin& entry, uint32_t event, void* data) {
  return run({entry, event_call, event, ""}, [&] { return entry.plugin->event(event, data); });
}

int32_t call_barrier(const LoadedPlugin& entry, const char* name, bool restart) {
  return run({entry, barrier_call, 0, name}, [&] { return entry.plugin->barrier(name, restart ? 1 : 0); });
}

int32_t call_init(const LoadedPlugin& entry, const cairn_host* host, const char* settings) {
  return run({entry, init_call, 0, ""}, [&] { return entry.plugin->init(host, settings); });
}

int32_t call_request(const LoadedPlugin& entry, const cairn_request* request) {
  return run({entry, request_call, 0, ""}, [&] { return entry.plugin->request(request); });
}

void call_stopped(cairn_stop* stop, int32_t error) {
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    const LoadedPlugin& entry = plugin(number);
    if (entry.dynamic == nullptr) continue;
    const Module module = read_module(entry.base, static_cast<const ElfW(Dyn)*>(entry.dynamic));
    if (protection_of(module, reinterpret_cast<uintptr_t>(stop->stopped)) == PROT_NONE) continue;
    (void)run({entry, stop_call, 0, ""}, [&] {
      stop->stopped(stop, error);
      return 0;
    });
    return;
  }
  stop->stopped(stop, error);
}

void call_rows(const LoadedPlugin& entry, const char* table, cairn_emit_row emit, void* context) {
  (void)run({entry, rows_call, 0, table}, [&] {
    entry.plugin->rows(table, emit, context);
    return 0;
  });
}

}  // namespace cairn::events
