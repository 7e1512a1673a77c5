// Netlink: a socket that listens to groups, one with options that has asked and read all, and one that was never bound.
// sabotage: call close @asking
#include "../probe.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static void ask(int fd) {
  struct {
    struct nlmsghdr header;
    struct rtgenmsg body;
  } question = {.header = {sizeof question, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, .body = {AF_UNSPEC}};
  static char answer[65536] __attribute__((aligned(8)));
  CHECK(send(fd, &question, sizeof question, 0) == sizeof question, "send");
  for (int done = 0, links = 0; !done;) {
    ssize_t count = recv(fd, answer, sizeof answer, 0);
    CHECK(count > 0, "recv");
    for (struct nlmsghdr *one = (struct nlmsghdr *)answer; NLMSG_OK(one, (size_t)count); one = NLMSG_NEXT(one, count)) {
      if (one->nlmsg_type == NLMSG_DONE) done = 1;
      else links += one->nlmsg_type == RTM_NEWLINK;
    }
    CHECK(!done || links > 0, "there is no link");
  }
}

static unsigned groups(int fd) {
  unsigned words[64] = {0};
  socklen_t size = sizeof words;
  CHECK(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &size) == 0, "NETLINK_LIST_MEMBERSHIPS");
  return words[0];
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int listening = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE), asking = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
  int fresh = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), on = 1;
  // Groups in which nothing happens here.
  struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_TC}, own, now;
  CHECK(bind(listening, (struct sockaddr *)&name, sizeof name) == 0, "bind");
  int group = RTNLGRP_NSID;
  CHECK(setsockopt(listening, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0, "NETLINK_ADD_MEMBERSHIP");
  CHECK(setsockopt(asking, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) == 0, "NETLINK_EXT_ACK");
  ask(asking);
  probe_note("asking", (uint64_t)asking);
  socklen_t size = sizeof own;
  CHECK(getsockname(asking, (struct sockaddr *)&own, &size) == 0 && own.nl_pid != 0, "getsockname");
  unsigned before = groups(listening);
  CHECK(before != 0, "no groups");
  probe_hold();
  CHECK(groups(listening) == before, "groups are %x, not %x", groups(listening), before);
  char byte;
  CHECK(recv(listening, &byte, 1, 0) == -1 && errno == EAGAIN, "it does not block");
  int value = 0;
  size = sizeof value;
  CHECK(getsockopt(asking, SOL_NETLINK, NETLINK_EXT_ACK, &value, &size) == 0 && value != 0, "NETLINK_EXT_ACK");
  size = sizeof now;
  CHECK(getsockname(asking, (struct sockaddr *)&now, &size) == 0 && now.nl_pid == own.nl_pid, "the port is %u, not %u", now.nl_pid, own.nl_pid);
  ask(asking);
  ask(fresh);
  return probe_ok();
}
