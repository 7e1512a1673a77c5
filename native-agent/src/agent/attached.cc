#include "agent/attached.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/altstack.h"
#include "checkpoint/process_state.h"
#include "events/host.h"
#include "image/attached.h"
#include "sys/syscall.h"

extern "C" char** environ;

namespace cairn::agent {
namespace {

using sys::Text;

char** environment_before = nullptr;
image::AttachAnswer answer;

Text name_of(const char* variable) {
  const char* end = strchr(variable, '=');
  return end == nullptr ? Text(variable) : Text(variable, static_cast<size_t>(end - variable));
}

uint32_t count_of(const char* strings) {
  uint32_t count = 0;
  for (; *strings != 0; strings += strlen(strings) + 1) ++count;
  return count;
}

/// A variable of ours; the program's own list of preloaded libraries stays behind ours.
const char* keep(const char* text, const char* others) {
  size_t size = strlen(text) + 1;
  size_t more = others == nullptr ? 0 : strlen(others) + 1;
  auto* copy = static_cast<char*>(events::allocate(size + more));
  if (copy == nullptr) return nullptr;
  memcpy(copy, text, size);
  if (more != 0) {
    copy[size - 1] = ':';
    memcpy(copy + size, others, more);
  }
  return copy;
}

const char* value_of(const char* strings, Text name) {
  for (; *strings != 0; strings += strlen(strings) + 1) {
    if (name_of(strings) == name) return strings + name.size + 1;
  }
  return nullptr;
}

}  // namespace

bool is_preloaded() {
  const char* list = getenv("LD_PRELOAD");
  return list != nullptr && strstr(list, "/libcairn.so") != nullptr;
}

bool extend_environment(const char* additions) {
  uint32_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  auto** list = static_cast<char**>(events::allocate((count + count_of(additions) + 1) * sizeof(char*)));
  if (list == nullptr) return false;
  uint32_t filled = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (value_of(additions, name_of(environ[i])) == nullptr) list[filled++] = environ[i];
  }
  for (const char* one = additions; *one != 0; one += strlen(one) + 1) {
    const char* others = name_of(one) == Text("LD_PRELOAD") ? getenv("LD_PRELOAD") : nullptr;
    list[filled] = const_cast<char*>(keep(one, others == nullptr || others[0] == 0 ? nullptr : others));
    if (list[filled++] == nullptr) return false;
  }
  environment_before = environ;
  // The old array stays as it is, for a thread that is just reading it.
  __atomic_store_n(&environ, list, __ATOMIC_RELEASE);
  return true;
}

void restore_environment() {
  if (environment_before != nullptr) __atomic_store_n(&environ, environment_before, __ATOMIC_RELEASE);
  environment_before = nullptr;
}

void record_own_altstack() {
  stack_t now = {};
  if (sys::failed(sys::call(SYS_sigaltstack, nullptr, &now))) return;
  *recorded_altstack() = {reinterpret_cast<uint64_t>(now.ss_sp), now.ss_size, static_cast<uint32_t>(now.ss_flags & ~SS_ONSTACK), 1};
}

bool altstacks_matter() {
  for (int signal = 1; signal < 65; ++signal) {
    uint64_t action[4] = {};  // handler, flags, restorer, mask
    if (!sys::failed(sys::call(SYS_rt_sigaction, signal, nullptr, action, 8)) && action[0] > 1 && (action[1] & SA_ONSTACK) != 0) return true;
  }
  return false;
}

}  // namespace cairn::agent

extern "C" CAIRN_EXPORT const cairn::image::AttachAnswer* cairn_attach(const char* strings) {
  using namespace cairn;
  agent::answer = {};
  agent::answer.version = image::attach_version;
  agent::answer.altstack_offset = static_cast<int64_t>(agent::altstack_offset());
  agent::answer.altstacks_matter = agent::altstacks_matter() ? 1 : 0;
  sys::Error error;
  if (!agent::instance().attach(strings, &error)) {
    agent::answer.status = error.number() < 0 ? error.number() : -EIO;
    sys::TextBuilder(agent::answer.text, sizeof agent::answer.text).add(error.message());
  }
  return &agent::answer;
}
