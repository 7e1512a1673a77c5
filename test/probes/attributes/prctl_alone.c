// What prctl(2) has set for the one thread of a program: kept capabilities, slack of timers, the mode at memory errors; also where it was set before
// the agent came.
// sabotage: call prctl 8 0
#include "../probe.h"
#include <sys/prctl.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0, "PR_SET_KEEPCAPS");
  CHECK(prctl(PR_SET_TIMERSLACK, 123456) == 0, "PR_SET_TIMERSLACK");
  int errors = prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0;
  probe_hold();
  CHECK(prctl(PR_GET_KEEPCAPS) == 1, "PR_GET_KEEPCAPS");
  CHECK(prctl(PR_GET_TIMERSLACK) == 123456, "PR_GET_TIMERSLACK is %d", prctl(PR_GET_TIMERSLACK));
  if (errors) CHECK(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY, "PR_MCE_KILL_GET");
  return probe_ok();
}
