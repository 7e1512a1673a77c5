// An epoll instance that parent and child share after fork; the child has added a descriptor to it that the
// parent never had.
// sabotage: call close @instance
// bits: 64, 32
#include "../probe.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int instance = epoll_create1(0), ours = eventfd(0, 0), command = eventfd(0, 0), answer = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 1};
  CHECK(epoll_ctl(instance, EPOLL_CTL_ADD, ours, &event) == 0, "epoll_ctl");
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // where the check fails
    int own = eventfd(0, 0);
    event.data.u64 = 2;
    uint64_t value = 1;
    if (epoll_ctl(instance, EPOLL_CTL_ADD, own, &event) == -1 || write(answer, &value, 8) != 8) _exit(3);
    if (read(command, &value, 8) != 8 || write(own, &value, 8) != 8 || write(answer, &value, 8) != 8) _exit(4);
    if (read(command, &value, 8) != 8) _exit(5);
    _exit(0);
  }
  uint64_t value;
  CHECK(child > 0 && read(answer, &value, 8) == 8, "the child");
  probe_note("instance", (uint64_t)instance);
  probe_hold();
  value = 1;
  CHECK(epoll_wait(instance, &event, 1, 0) == 0, "something is ready");
  CHECK(write(ours, &value, 8) == 8 && epoll_wait(instance, &event, 1, 1000) == 1 && event.data.u64 == 1, "the parent's entry");
  CHECK(read(ours, &value, 8) == 8 && write(command, &value, 8) == 8 && read(answer, &value, 8) == 8, "the child answers");
  CHECK(epoll_wait(instance, &event, 1, 1000) == 1 && event.data.u64 == 2, "the child's entry is not reported");
  CHECK(write(command, &value, 8) == 8, "write");
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %x", status);
  return probe_ok();
}
