// Threads that messages start (mq_notify with SIGEV_THREAD): of an empty queue, of one with a message in it, and one that was taken back; with
// their values and attributes. Nothing of it is told by the checkpoint.
// sabotage: call close @queue
// alone: it has names that are no paths
// attached: its notification was asked for by a system call of the program
#include "../probe.h"
#include <mqueue.h>

enum { EMPTY, FILLED, BACK, COUNT, STACK = 3 << 20 };
static volatile int told[COUNT];
static volatile size_t stack_of[COUNT];
static volatile int blocked;

static void notice(union sigval value) {
  pthread_attr_t own;
  size_t size = 0;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  blocked += sigismember(&mask, SIGTERM);
  if (pthread_getattr_np(pthread_self(), &own) == 0) pthread_attr_getstacksize(&own, &size), pthread_attr_destroy(&own);
  stack_of[value.sival_int] = size;
  __atomic_fetch_add(&told[value.sival_int], 1, __ATOMIC_RELEASE);
}
static void ask(mqd_t queue, int value) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = value};
  event.sigev_notify_function = notice;
  event.sigev_notify_attributes = value == FILLED ? &attributes : NULL;
  CHECK(mq_notify(queue, &event) == 0, "mq_notify");
  CHECK(mq_notify(queue, &event) == -1 && errno == EBUSY, "mq_notify twice");
  pthread_attr_destroy(&attributes);
}
static mqd_t make(int number) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 32};
  char name[64];
  snprintf(name, sizeof name, "/cairn-probe-notice-%d-%d", number, getpid());
  mqd_t queue = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attributes);
  if (queue == -1 && errno == EMFILE) SKIP("no room for message queues (ulimit -q)");
  CHECK(queue != -1 && mq_unlink(name) == 0, "mq_open %s", name);
  return queue;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  mqd_t queues[COUNT];
  char text[32];
  for (int i = 0; i < COUNT; i++) queues[i] = make(i);
  CHECK(mq_send(queues[FILLED], "there", 5, 1) == 0, "mq_send");
  for (int i = 0; i < COUNT; i++) ask(queues[i], i);
  CHECK(mq_notify(queues[BACK], NULL) == 0, "mq_notify to take it back");
  probe_note("queue", (uint64_t)queues[EMPTY]);
  probe_hold();
  probe_sleep_ms(20);
  CHECK(told[EMPTY] == 0 && told[FILLED] == 0 && told[BACK] == 0, "somebody was told of nothing: %d %d %d", told[EMPTY], told[FILLED], told[BACK]);
  CHECK(mq_receive(queues[FILLED], text, sizeof text, NULL) == 5, "the message that was there");
  for (int i = 0; i < COUNT; i++) CHECK(mq_send(queues[i], "now", 3, 0) == 0, "mq_send");
  WAIT_UNTIL(told[EMPTY] == 1 && told[FILLED] == 1, "told %d and %d times", told[EMPTY], told[FILLED]);
  CHECK(stack_of[FILLED] >= STACK && blocked == 0, "a stack of %zu, SIGTERM is blocked in %d", (size_t)stack_of[FILLED], blocked);
  probe_sleep_ms(20);
  CHECK(told[BACK] == 0, "who has taken it back is told");
  CHECK(mq_receive(queues[EMPTY], text, sizeof text, NULL) == 3, "mq_receive");
  ask(queues[EMPTY], EMPTY);
  CHECK(mq_send(queues[EMPTY], "more", 4, 0) == 0, "mq_send");
  WAIT_UNTIL(told[EMPTY] == 2, "not told again");
  return probe_ok();
}
