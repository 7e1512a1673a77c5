// Process, thread, parent, group and session ids are the same before and after, in every call that gives one.
// sabotage: poke @pid
// bits: 64, 32
#include "../probe.h"

static volatile int stop;
static pid_t pid, parent, group, session, thread_tid;
static void *body(void *argument) {
  thread_tid = gettid();
  while (!stop) probe_sleep_ms(3);
  CHECK(gettid() == thread_tid, "tid of the thread was %d, is %d", thread_tid, gettid());
  CHECK(getpid() == pid, "pid in the thread is %d", getpid());
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid = getpid(), parent = getppid(), group = getpgrp(), session = getsid(0);
  probe_note("pid", (uint64_t)(uintptr_t)&pid);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(thread_tid, "the thread did not start");
  CHECK(gettid() == pid, "tid of the first thread is not its pid");
  probe_hold();
  CHECK(getpid() == pid, "pid was %d, is %d", pid, getpid());
  CHECK(syscall(SYS_getpid) == pid, "pid by syscall() is %ld", syscall(SYS_getpid));
  CHECK(gettid() == pid && syscall(SYS_gettid) == pid, "tid of the first thread is %d", gettid());
  CHECK(getppid() == parent, "parent was %d, is %d", parent, getppid());
  CHECK(getpgrp() == group && getpgid(0) == group && getpgid(pid) == group, "group was %d, is %d", group, getpgrp());
  CHECK(getsid(0) == session && getsid(pid) == session, "session was %d, is %d", session, getsid(0));
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
