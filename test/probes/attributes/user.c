// User, groups, capabilities and session are what they were.
// other user: not the same user
// sabotage: call setsid
#include "../probe.h"
#include <grp.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  uid_t real, effective, saved;
  gid_t groups[64], groups_after[64];
  getresuid(&real, &effective, &saved);
  int count = getgroups(64, groups);
  pid_t session = getsid(0), group = getpgrp();
  probe_hold();
  uid_t now[3];
  CHECK(getresuid(&now[0], &now[1], &now[2]) == 0 && now[0] == real && now[1] == effective && now[2] == saved, "user ids");
  CHECK(getgroups(64, groups_after) == count && memcmp(groups, groups_after, (size_t)count * sizeof(gid_t)) == 0, "groups");
  CHECK(getsid(0) == session && getpgrp() == group, "session %d (was %d), group %d (was %d)", getsid(0), session, getpgrp(), group);
  return probe_ok();
}
