// System V message queues keep messages in order, types, ids, keys and permissions; a child that waits for a type goes on waiting,
// and a sender before a full queue as well.
// alone: it counts and removes the objects of all runs
// sabotage: poke @expected
#include "sysv.h"
#include <sys/msg.h>

#define KEY 0x43d1

struct message {
  long type;
  char text[1024];
};
static int keyed, full;
static char expected[4096];

// Below all wrappers; the queues of this probe are known by their permissions.
static void remove_queues(void) {
  FILE *list = fopen("/proc/sysvipc/msg", "r");
  char line[512];
  int key, id, mode;
  while (list && fgets(line, sizeof line, list))
    if (sscanf(line, "%d %d %o", &key, &id, (unsigned *)&mode) == 3 && (mode & 0777) == 0634) sysv_call(SYS_msgctl, id, IPC_RMID, 0);
  if (list) fclose(list);
}

static int put(int id, long type, const void *text, size_t size, int flags) {
  struct message message;
  message.type = type;
  memcpy(message.text, text, size);
  return msgsnd(id, &message, size, flags);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  remove_queues();
  keyed = msgget(KEY, IPC_CREAT | 0634);
  full = msgget(IPC_PRIVATE, 0634);
  CHECK(keyed != -1 && full != -1, "msgget");
  probe_fill(expected, sizeof expected, 7);
  for (int i = 0; i < 4; i++) CHECK(put(keyed, i + 1, expected + 1024 * i, (size_t)(1024 - i * 100), 0) == 0, "msgsnd");
  CHECK(put(keyed, 9, "", 0, 0) == 0, "an empty message");
  int in_queue = 0;
  while (put(full, 3, expected, 1024, IPC_NOWAIT) == 0) in_queue++;
  pid_t child = fork();
  if (child == 0) {
    struct message message;
    ssize_t size = msgrcv(keyed, &message, sizeof message.text, 77, 0);
    _exit(size == 5 && memcmp(message.text, "hello", 5) == 0 ? 0 : 98);
  }
  pid_t sender = fork();
  if (sender == 0) _exit(put(full, 4, "last", 4, 0) == 0 && put(full, 4, "really", 6, 0) == 0 && put(full, 4, expected, 1024, 0) == 0 ? 0 : errno);
  probe_note("expected", (uint64_t)(uintptr_t)expected);
  probe_hold();
  struct msqid_ds status;
  SYSV_CHECK(msgctl(keyed, IPC_STAT, &status) == 0, "IPC_STAT");
  SYSV_CHECK(status.msg_qnum == 5 && (status.msg_perm.mode & 0777) == 0634 && status.msg_perm.__key == KEY, "state: %lu %o %x",
             (unsigned long)status.msg_qnum, status.msg_perm.mode, (unsigned)status.msg_perm.__key);
  SYSV_CHECK(msgget(KEY, 0) == keyed && msgget(KEY, IPC_CREAT | 0600) == keyed, "the key gives another id");
  SYSV_CHECK(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST, "the key is free");
  struct message message;
  for (int i = 0; i < 4; i++) {
    ssize_t size = msgrcv(keyed, &message, sizeof message.text, 0, IPC_NOWAIT);
    SYSV_CHECK(size == 1024 - i * 100 && message.type == i + 1, "message %d: %ld bytes, type %ld", i, (long)size, message.type);
    SYSV_CHECK(size < 0 || memcmp(message.text, expected + 1024 * i, (size_t)size) == 0, "text of message %d", i);
  }
  SYSV_CHECK(msgrcv(keyed, &message, sizeof message.text, 9, IPC_NOWAIT) == 0, "the empty message");
  SYSV_CHECK(probe_compare(expected, sizeof expected, 7) == -1, "the expectation");
  SYSV_CHECK(put(keyed, 77, "hello", 5, 0) == 0, "msgsnd");
  int taken = 0;
  for (int waited = 0; taken < in_queue + 3 && waited < 5000; waited++) {
    if (msgrcv(full, &message, sizeof message.text, 0, IPC_NOWAIT) >= 0) taken++;
    else probe_sleep_ms(1);
  }
  SYSV_CHECK(taken == in_queue + 3, "%d messages of %d", taken, in_queue + 3);
  // Both ids are those of processes that are there: the child has not been waited for.
  for (int i = 0; i < 5000 && msgctl(keyed, IPC_STAT, &status) == 0 && status.msg_lrpid != child; i++) probe_sleep_ms(2);
  SYSV_CHECK(status.msg_lspid == getpid() && status.msg_lrpid == child, "last used by %d and %d, not %d and %d", status.msg_lspid, status.msg_lrpid, getpid(), child);
  int results[2] = {-1, -1};
  if (sysv_wrong[0]) kill(child, SIGKILL), kill(sender, SIGKILL);
  waitpid(child, &results[0], 0);
  waitpid(sender, &results[1], 0);
  SYSV_CHECK(results[0] == 0 && results[1] == 0, "the children ended with %x and %x", (unsigned)results[0], (unsigned)results[1]);
  SYSV_CHECK(msgctl(keyed, IPC_RMID, NULL) == 0 && msgget(KEY, 0) == -1 && errno == ENOENT, "removal");
  SYSV_CHECK(msgctl(full, IPC_RMID, NULL) == 0 && msgctl(full, IPC_STAT, &status) == -1, "removal");
  remove_queues();
  CHECK(!sysv_wrong[0], "%.200s", sysv_wrong);
  return probe_ok();
}
