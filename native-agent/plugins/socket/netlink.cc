// Netlink sockets with nothing unread: made again with their protocol, groups, options and, where it is free, their port. What a kernel
// has answered or told and nobody has read is refused: it could be an answer that another kernel does not give.
// [quiesced] and [restoring] Test: test/probes/sockets/netlink.c
#include <linux/netlink.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

constexpr int level = 270;  // SOL_NETLINK
constexpr int flags[] = {NETLINK_PKTINFO, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS, NETLINK_LISTEN_ALL_NSID, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK};
constexpr uint32_t group_words = 64;  // 2048 groups

/// In the record's queue, as the only message.
struct Notes {
  int32_t values[sizeof flags / sizeof flags[0]];
  uint32_t words;
  uint32_t groups[group_words];
};

}  // namespace

int32_t describe_netlink(Socket* one) {
  one->target = false;
  char byte;
  if (sys(SYS_recvfrom, one->fd, pointer(&byte), 1, MSG_PEEK | MSG_DONTWAIT, 0, 0) != -EAGAIN) {
    return refuse_for_now(*one, "answers of the kernel that were not read yet (netlink); try again when they were", nullptr);
  }
  Message* message = add_message(one, sizeof(Notes));
  if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for the description of a socket");
  auto* notes = reinterpret_cast<Notes*>(message->data);
  for (uint32_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
    uint32_t size = sizeof(int32_t);
    if (sys(SYS_getsockopt, one->fd, level, flags[i], pointer(&notes->values[i]), pointer(&size)) < 0) notes->values[i] = 0;
  }
  uint32_t size = sizeof notes->groups;
  if (sys(SYS_getsockopt, one->fd, level, NETLINK_LIST_MEMBERSHIPS, pointer(notes->groups), pointer(&size)) < 0) size = 0;
  if (size > sizeof notes->groups) return refuse(*one, "more groups of netlink than 2048", nullptr);
  notes->words = size / sizeof(uint32_t);
  return 0;
}

int32_t make_netlink(const Socket& one) {
  auto* notes = reinterpret_cast<const Notes*>(one.queue->data);
  auto address = *reinterpret_cast<const sockaddr_nl*>(one.local.bytes);
  long result = 0;
  if (one.local.size >= sizeof address && address.nl_pid != 0) {
    address.nl_groups = 0;
    result = sys(SYS_bind, one.fd, pointer(&address), sizeof address);
    if (result == -EADDRINUSE) {
      address.nl_pid = 0;
      result = sys(SYS_bind, one.fd, pointer(&address), sizeof address);
    }
  }
  for (uint32_t i = 0; result >= 0 && i < sizeof flags / sizeof flags[0]; ++i) {
    if (notes->values[i] != 0) result = sys(SYS_setsockopt, one.fd, level, flags[i], pointer(&notes->values[i]), sizeof(int32_t));
  }
  for (uint32_t group = 1; result >= 0 && group <= notes->words * 32; ++group) {
    if ((notes->groups[(group - 1) / 32] & (1u << ((group - 1) % 32))) == 0) continue;
    result = sys(SYS_setsockopt, one.fd, level, NETLINK_ADD_MEMBERSHIP, pointer(&group), sizeof group);
  }
  return result < 0 ? fail(static_cast<int32_t>(result), one, "a netlink socket cannot have its port, options or groups again") : 0;
}

}  // namespace cairn::sockets
