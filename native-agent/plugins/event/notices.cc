// F_NOTIFY: folders that tell of changes by a signal. One that tells only once may have told, which nobody sees, and a signal too many
// may end a program: it is refused. Test: test/probes/events/notices.c.
#include "common/notices.h"

#include "event/events.h"

namespace cairn::event {

int32_t check_notices() {
  if (plugin::notices_missed != 0) return host->fail(-ENOTSUP, "F_NOTIFY", "more than 256 folders of which it wants to be told by F_NOTIFY");
  for (plugin::Notice& one : plugin::notices) {
    if (!is_there(host, one)) {
      one = {};  // room for others
      continue;
    }
    if ((one.mask & static_cast<uint32_t>(DN_MULTISHOT)) != 0) continue;
    Text<256> text;
    text.add("descriptor ").add(int64_t{one.fd}).add(" is a folder that tells once of a change (F_NOTIFY without DN_MULTISHOT); whether it has cannot be seen. End that, or close it, before the checkpoint. The computation runs on");
    return host->fail(-ENOTSUP, "F_NOTIFY", text.text());
  }
  return 0;
}

int32_t set_notices() {
  for (plugin::Notice& one : plugin::notices) {
    if (one.mask == 0) continue;
    if (int64_t error = sys(SYS_fcntl, one.fd, F_NOTIFY, one.mask); error < 0) {
      Text<128> text;
      text.add("descriptor ").add(int64_t{one.fd}).add(": a folder cannot tell of changes (F_NOTIFY) any more");
      return host->fail(static_cast<int32_t>(error), "F_NOTIFY", text.text());
    }
    struct stat64 status = {};
    if (sys(SYS_fstat, one.fd, pointer(&status)) < 0) continue;
    one.device = status.st_dev;
    one.inode = status.st_ino;
  }
  return 0;
}

void forget_notices() {
  for (plugin::Notice& one : plugin::notices) one = {};
}

}  // namespace cairn::event
