// eventfd: values, semaphore, flags, a value that cannot grow; shared by dup; a child that waits in read on one.
// sabotage: call close @event
#include "../probe.h"
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int event = eventfd(7, EFD_NONBLOCK), semaphore = eventfd(3, EFD_SEMAPHORE | EFD_CLOEXEC), full = eventfd(0, EFD_NONBLOCK);
  int empty = eventfd(0, 0), answer = eventfd(0, 0), copy = dup(event);
  uint64_t value = UINT64_MAX - 1;
  CHECK(event >= 0 && semaphore >= 0 && copy >= 0 && write(full, &value, 8) == 8, "eventfd");
  probe_note("event", (uint64_t)event);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // where the check fails
    if (read(empty, &value, 8) != 8 || value != 40) _exit(3);
    value += 2;
    _exit(write(answer, &value, 8) == 8 ? 0 : 4);
  }
  probe_hold();
  CHECK(fcntl(event, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(semaphore, F_GETFL) == O_RDWR, "flags");
  CHECK(fcntl(semaphore, F_GETFD) == FD_CLOEXEC && fcntl(event, F_GETFD) == 0, "close-on-exec");
  value = 5;
  CHECK(write(copy, &value, 8) == 8 && read(event, &value, 8) == 8 && value == 12, "the value is %lu", (unsigned long)value);
  CHECK(read(copy, &value, 8) == -1 && errno == EAGAIN, "it is not empty");
  for (int i = 0; i < 3; i++) CHECK(read(semaphore, &value, 8) == 8 && value == 1, "unit %d of the semaphore", i);
  value = 1;
  CHECK(write(full, &value, 8) == -1 && errno == EAGAIN, "the full one takes more");
  CHECK(read(full, &value, 8) == 8 && value == UINT64_MAX - 1, "the full one had %lx", (unsigned long)value);
  value = 40;
  CHECK(write(empty, &value, 8) == 8 && read(answer, &value, 8) == 8 && value == 42, "the child answers");
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %x", status);
  return probe_ok();
}
