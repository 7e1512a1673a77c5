// Which process brings an open file description back that several share: the one with the lowest virtual id. Each process finds
// that out by itself, as all are stopped. kcmp(2) tells whether two descriptors are one open file description.
#include <errno.h>
#include <linux/kcmp.h>

#include "descriptor/table.h"

namespace cairn::descriptor {
namespace {

struct Process {
  int32_t virtual_id;
  int32_t real_id;
};

struct Look {
  int32_t self;
  Process other;
  uint32_t open;  // files that nobody else is known to have
};

int32_t compare(int32_t number, void* data) {
  auto* look = static_cast<Look*>(data);
  Text<64> path;
  path.add("/proc/").add(look->other.real_id).add("/fd/").add(number);
  struct stat64 status = {};
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(path.text()), pointer(&status)) < 0) return 0;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    OpenFile* file = &table.files[i];
    if (file->place == Place::standard || file->keeper != host->virtual_pid()) continue;
    if (file->device != status.st_dev || file->inode != status.st_ino) continue;
    long result = sys(SYS_kcmp, look->self, look->other.real_id, KCMP_FILE, file->fd, number);
    if (result < 0 && result != -ESRCH && result != -EBADF) {
      return host->fail(static_cast<int32_t>(result), "kcmp",
          "cannot find out which open files the processes share; this system forbids kcmp(2) among processes of one user (see cairn doctor). The computation runs on");
    }
    if (result != 0) continue;
    file->keeper = look->other.virtual_id;
    file->keeper_fd = number;
    --look->open;
    break;
  }
  return look->open == 0 ? -EALREADY : 0;
}

}  // namespace

int32_t find_keepers() {
  Look look = {static_cast<int32_t>(sys(SYS_getpid)), {}, 0};
  for (uint32_t i = 0; i < table.file_count; ++i) look.open += table.files[i].place != Place::standard ? 1 : 0;
  // In ascending order of ids, so that the first that has it is the one.
  int32_t done = 0;
  while (look.open > 0) {
    uint32_t index = 0;
    int64_t virtual_id, real_id;
    Process next = {host->virtual_pid(), 0};
    while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
      if (virtual_id > done && virtual_id < next.virtual_id) next = {static_cast<int32_t>(virtual_id), static_cast<int32_t>(real_id)};
    }
    if (next.real_id == 0) return 0;
    done = next.virtual_id;
    look.other = next;
    int32_t result = for_each_descriptor(next.real_id, compare, &look);
    if (result < 0 && result != -EALREADY) return result;
  }
  return 0;
}

}  // namespace cairn::descriptor
