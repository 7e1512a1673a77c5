#include "agent/family.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent/operation.h"
#include "events/host.h"
#include "events/own_processes.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace cairn::agent {
namespace {

using sys::call;
using sys::failed;
using sys::Text;

constexpr uint32_t max_children = 8192;
constexpr size_t list_size = 96 * 1024;

/// Looks without taking the child away from whoever will wait for it.
void read_status(Child* child) {
  siginfo_t info = {};
  long result = call(SYS_waitid, P_PID, child->real_pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, nullptr);
  // Of what the caller itself traces, stops are told, too, whatever was asked for.
  bool ended = info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
  if (failed(result) || info.si_pid == 0 || !ended) return;
  child->ended = true;
  child->wait_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                                  : (info.si_status & 0x7f) | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

/// The field tty_nr of /proc/self/stat is 0 for a process without a controlling terminal.
bool leads_with_terminal() {
  if (call(SYS_getsid, 0) != call(SYS_getpid)) return false;
  return sys::stat_field("/proc/self/stat", sys::stat_terminal) != 0;
}

}  // namespace

bool read_family(sys::Arena* arena, int32_t tracer, int32_t writer, Family* family, sys::Error* error) {
  auto* ids = static_cast<const cairn_ids*>(events::extension("cairn.ids/1"));
  *family = Family();
  family->virtual_parent = ids->parent();
  family->virtual_session = ids->session();
  family->session_terminal = leads_with_terminal();
  family->children = arena->array<Child>(max_children);
  char* list = static_cast<char*>(arena->allocate(list_size));
  if (family->children == nullptr || list == nullptr) {
    error->set(-ENOMEM, "agent arena").add("no room for the list of children");
    return false;
  }
  // Each thread has the children that it made.
  sys::Status status = sys::for_each_entry("/proc/self/task", [&](Text thread) {
    sys::TextBuffer<64> path;
    path.add("/proc/self/task/").add(thread).add("/children");
    long size = sys::read_all(path.c_str(), list, list_size);
    sys::TextReader numbers(Text(list, failed(size) ? 0 : static_cast<size_t>(size)));
    while (!numbers.done()) {
      uint64_t pid = 0;
      numbers.skip(' ');
      if (!numbers.number(&pid)) break;
      auto real = static_cast<int32_t>(pid);
      if (real == tracer || real == writer || events::is_own_process(real)) continue;
      if (family->child_count == max_children) return false;
      Child* child = &family->children[family->child_count++];
      *child = {virtual_id(real), real, false, 0};
      read_status(child);
    }
    return true;
  });
  if (family->child_count == max_children) {
    error->set(-E2BIG, "children").add("the process has more than ").number(max_children).add(" children");
    return false;
  }
  if (status != 0) error->set(status, "/proc/self/task").add("cannot list the children");
  return status == 0;
}

}  // namespace cairn::agent
