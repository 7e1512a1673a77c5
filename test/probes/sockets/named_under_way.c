// A thread waits in sendto, and one in sendmsg, for room in the queue of a datagram socket of the computation, by its name: one of a file in
// the working folder, and one that the kernel gave. In restarts beside the run itself, what they send goes to their own run.
// sabotage: call close @receiver
#include "../probe.h"
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { COUNT = 400 };
static int receivers[2], senders[2];
static struct sockaddr_un names[2] = {{.sun_family = AF_UNIX, .sun_path = "under-way.sock"}, {.sun_family = AF_UNIX}};
static socklen_t sizes[2] = {sizeof names[0], sizeof names[1]};
static volatile int sent[2];
static volatile uint64_t run;
struct message {
  int number;
  uint64_t run;
};

static void *body(void *argument) {
  int which = (int)(long)argument;
  for (int i = 0; i < COUNT; i++) {
    struct message one = {i, run};
    struct iovec part = {&one, sizeof one};
    struct msghdr header = {.msg_name = &names[which], .msg_namelen = sizes[which], .msg_iov = &part, .msg_iovlen = 1};
    ssize_t count = which == 0 ? sendto(senders[0], &one, sizeof one, 0, (struct sockaddr *)&names[0], sizes[0]) : sendmsg(senders[1], &header, 0);
    CHECK(count == sizeof one, "sending number %d gave %zd", i, count);
    sent[which] = i + 1;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[2];
  unlink("under-way.sock");
  for (int i = 0; i < 2; i++) {
    receivers[i] = socket(AF_UNIX, SOCK_DGRAM, 0), senders[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(bind(receivers[i], (struct sockaddr *)&names[i], i == 0 ? sizeof names[0] : sizeof(sa_family_t)) == 0, "bind");
    CHECK(getsockname(receivers[i], (struct sockaddr *)&names[i], &sizes[i]) == 0, "getsockname");
  }
  probe_note("receiver", (uint64_t)receivers[0]);
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  // Until both wait.
  for (int before = -1; before != sent[0] + sent[1] || sent[0] == 0 || sent[1] == 0; probe_sleep_ms(100)) before = sent[0] + sent[1];
  int waiting[2] = {sent[0], sent[1]};
  probe_hold();
  uint64_t own = 0;
  CHECK(getrandom(&own, sizeof own, 0) == sizeof own, "getrandom");
  run = own;
  for (int which = 0; which < 2; which++) {
    CHECK(sent[which] == waiting[which], "sender %d went on: %d, then %d", which, waiting[which], sent[which]);
    for (int i = 0; i < COUNT; i++) {
      struct message one = {-1, 0};
      ssize_t count = -1;
      for (int wait = 0; wait < 5000 && (count = recv(receivers[which], &one, sizeof one, MSG_DONTWAIT)) == -1; wait++) probe_sleep_ms(1);
      // The one that was under way was made before.
      CHECK(count == sizeof one && one.number == i && one.run == (i > waiting[which] ? own : 0), "number %d of %d: %zd bytes, number %d of run %llx", i, which, count,
            one.number, (unsigned long long)one.run);
    }
    pthread_join(threads[which], NULL);
  }
  return probe_ok();
}
