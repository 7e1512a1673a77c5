#include "agent/attached.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/altstack.h"
#include "agent/call_again.h"
#include "checkpoint/process_state.h"
#include "events/host.h"
#include "image/attached.h"
#include "sys/syscall.h"
#include "trace/alternate_stack.h"

namespace cairn::agent {
namespace {

using sys::Text;

image::AttachAnswer answer;

}  // namespace

bool is_preloaded() {
  const char* list = getenv("LD_PRELOAD");
  return list != nullptr && strstr(list, "/libcairn.so") != nullptr;
}

bool tell_plugins(const char* variables) {
  if (!events::add_setting(CAIRN_SETTING_OPTION, "attached", "1")) return false;
  for (; *variables != 0; variables += strlen(variables) + 1) {
    const char* equals = strchr(variables, '=');
    if (equals == nullptr) continue;
    Text name(variables, static_cast<size_t>(equals - variables)), value(equals + 1);
    bool library = name == Text("LD_PRELOAD");
    if (!events::add_setting(library ? CAIRN_SETTING_OPTION : CAIRN_SETTING_ENVIRONMENT, library ? "library" : name, value)) return false;
  }
  return true;
}

void record_own_altstack() {
  stack_t now = {};
  if (sys::failed(sys::call(SYS_sigaltstack, nullptr, &now))) return;
  *recorded_altstack() = {reinterpret_cast<uintptr_t>(now.ss_sp), now.ss_size, static_cast<uint32_t>(now.ss_flags & ~SS_ONSTACK), 1};
}

}  // namespace cairn::agent

extern "C" CAIRN_EXPORT const cairn::image::AttachAnswer* cairn_attach(const char* strings) {
  using namespace cairn;
  agent::answer = {};
  agent::answer.version = image::attach_version;
  agent::answer.altstack_offset = static_cast<int64_t>(agent::altstack_offset());
  agent::answer.altstacks_matter = trace::alternate_stacks_matter() ? 1 : 0;
  agent::answer.calls = checkpoint::continued_calls();
  agent::answer.call_again = agent::call_again_entry();
  sys::Error error;
  if (!agent::instance().attach(strings, &error)) {
    agent::answer.status = error.number() < 0 ? error.number() : -EIO;
    sys::TextBuilder(agent::answer.text, sizeof agent::answer.text).add(error.message());
  }
  return &agent::answer;
}
