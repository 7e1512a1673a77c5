// Owns: waits for a child or a group that were under way at the checkpoint, in which the kernel has the numbers of before: they get
// those of now, also where libc waits within itself, and no wrapper can ask again. [restoring] Test: test/probes/processes/shell.c.
// And which children are Cairn's. [any] Test: test/faults/killed.test.ts.
#include <stddef.h>
#include <sys/wait.h>

#include "pid/host.h"
#include "pid/ids.h"
#include "pid/waits.h"

namespace cairn::pid {

void correct_waits() {
  if (host->size < offsetof(cairn_host, set_thread_argument) + sizeof host->set_thread_argument) return;
  uint32_t before = generation() - 1;
  int32_t virtual_id, real_id;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real_id) == 1; ++index) {
    int64_t number = 0;
    uint64_t arguments[6], stack = 0;
    if (!thread_call(index, &number, arguments, &stack)) continue;
    bool by_type = number == SYS_waitid && arguments[0] == P_PID;
    if (number != SYS_wait4 && !by_type) continue;
    uint32_t place = by_type ? 1 : 0;
    auto asked = static_cast<int32_t>(arguments[place]);
    if (asked <= 0) continue;
    host->set_thread_argument(index, place, static_cast<uint64_t>(real_child(child_name(asked, before))));
  }
}

bool is_cairns(int32_t real_id) {
  int64_t any = 0;
  return real_id > 0 && host != nullptr && host->get_name(CAIRN_NAMES_OWN, real_id, &any) == 0 && host->remove_name(CAIRN_NAMES_OWN, real_id) == 0;
}

}  // namespace cairn::pid
