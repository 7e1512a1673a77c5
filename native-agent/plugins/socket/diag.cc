// Asks the kernel about any socket of this network namespace (NETLINK_SOCK_DIAG), which needs no privilege: who the other end is,
// what waits in a listening socket's queue. [running, quiesced]
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

alignas(8) char answer[16384];

/// Sends one question: the answer's payload, its size in *size; NULL with -errno in *size.
const void* ask(const void* question, uint32_t question_size, long* size) {
  struct {
    nlmsghdr header;
    char body[128];
  } message = {};
  message.header = {static_cast<uint32_t>(sizeof message.header + question_size), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0};
  copy_bytes(message.body, question, question_size);
  long result = 0;
  plugin::aside(host, [&] {
    long fd = result = sys(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return;
    result = sys(SYS_sendto, fd, pointer(&message), message.header.nlmsg_len, 0, 0, 0);
    if (result >= 0) result = sys(SYS_recvfrom, fd, pointer(answer), sizeof answer, 0, 0, 0);
    sys(SYS_close, fd);
  });
  auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (result >= 0 && static_cast<uint64_t>(result) < sizeof *header + sizeof(int)) result = -EPROTO;
  if (result >= 0 && header->nlmsg_type == NLMSG_ERROR) result = *reinterpret_cast<const int*>(answer + sizeof *header);
  if (result >= 0 && header->nlmsg_type != SOCK_DIAG_BY_FAMILY) result = -EPROTO;
  *size = result < 0 ? result : result - static_cast<long>(sizeof *header);
  return result < 0 ? nullptr : answer + sizeof *header;
}

}  // namespace

int32_t unix_state(uint64_t inode, UnixState* found) {
  *found = {};
  unix_diag_req question = {};
  question.sdiag_family = AF_UNIX;
  question.udiag_states = ~0u;
  question.udiag_ino = static_cast<uint32_t>(inode);
  question.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN | UDIAG_SHOW_VFS | UDIAG_SHOW_MEMINFO;
  question.udiag_cookie[0] = question.udiag_cookie[1] = ~0u;
  long size = 0;
  auto* message = static_cast<const unix_diag_msg*>(ask(&question, sizeof question, &size));
  if (message == nullptr) return static_cast<int32_t>(size);
  found->state = message->udiag_state;
  auto* at = reinterpret_cast<const char*>(message + 1);
  const char* end = reinterpret_cast<const char*>(message) + size;
  while (end - at >= static_cast<long>(sizeof(nlattr))) {
    auto* attribute = reinterpret_cast<const nlattr*>(at);
    if (attribute->nla_len < sizeof *attribute || at + attribute->nla_len > end) break;
    auto* value = reinterpret_cast<const uint32_t*>(at + sizeof *attribute);
    uint32_t length = attribute->nla_len - static_cast<uint32_t>(sizeof *attribute);
    switch (attribute->nla_type) {
      case UNIX_DIAG_PEER:
        found->has_peer = true;
        found->peer = value[0];
        break;
      case UNIX_DIAG_VFS:
        found->has_file = true;
        found->file = value[0];
        break;
      case UNIX_DIAG_ICONS:
        for (; found->waiting_count < length / 4 && found->waiting_count < max_waiting; ++found->waiting_count) {
          found->waiting[found->waiting_count] = value[found->waiting_count];
        }
        if (length / 4 > max_waiting) return -E2BIG;
        break;
      case UNIX_DIAG_RQLEN:
        found->backlog = value[1];
        break;
      case UNIX_DIAG_MEMINFO:
        if (length > SK_MEMINFO_WMEM_ALLOC * 4) found->unread = value[SK_MEMINFO_WMEM_ALLOC];
        break;
      case UNIX_DIAG_SHUTDOWN:
        found->shutdown = *reinterpret_cast<const uint8_t*>(value);
        break;
    }
    at += (attribute->nla_len + 3u) & ~3u;
  }
  return 0;
}

int32_t inet_children(int32_t family, const Address& local, InetVisit* visit, void* context) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 question;
  } message = {};
  message.header = {sizeof message, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
  message.question.sdiag_family = static_cast<uint8_t>(family);
  message.question.sdiag_protocol = IPPROTO_TCP;
  message.question.idiag_states = ~(1u << TCP_LISTEN | 1u << TCP_TIME_WAIT);
  copy_bytes(&message.question.id.idiag_sport, local.bytes + 2, 2);
  long fd = sys(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return static_cast<int32_t>(fd);
  long result = sys(SYS_sendto, fd, pointer(&message), sizeof message, 0, 0, 0);
  for (bool more = result >= 0; more;) {
    result = sys(SYS_recvfrom, fd, pointer(answer), sizeof answer, 0, 0, 0);
    if (result == -EINTR) continue;
    if (result < 0) break;
    auto left = static_cast<uint32_t>(result);
    for (auto* header = reinterpret_cast<const nlmsghdr*>(answer); more && left >= sizeof(nlmsghdr) && header->nlmsg_len >= sizeof(nlmsghdr) && header->nlmsg_len <= left;) {
      if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
        if (header->nlmsg_type == NLMSG_ERROR) result = *reinterpret_cast<const int*>(header + 1);
        more = false;
        break;
      }
      auto* one = reinterpret_cast<const inet_diag_msg*>(header + 1);
      bool four = one->idiag_family == AF_INET;
      Address ends[2] = {};
      for (int i = 0; i < 2; ++i) {
        *reinterpret_cast<uint16_t*>(ends[i].bytes) = one->idiag_family;
        ends[i].size = four ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        copy_bytes(ends[i].bytes + 2, i == 0 ? &one->id.idiag_sport : &one->id.idiag_dport, 2);
        copy_bytes(ends[i].bytes + (four ? 4 : 8), i == 0 ? one->id.idiag_src : one->id.idiag_dst, four ? 4 : 16);
      }
      visit(context, {one->idiag_state, one->idiag_inode, one->idiag_rqueue, one->idiag_wqueue, one->idiag_expires}, ends[0], ends[1]);
      uint32_t step = (header->nlmsg_len + 3u) & ~3u;
      if (step >= left) break;
      left -= step;
      header = reinterpret_cast<const nlmsghdr*>(reinterpret_cast<const char*>(header) + step);
    }
  }
  sys(SYS_close, fd);
  return result < 0 ? static_cast<int32_t>(result) : 0;
}

int32_t inet_state(int32_t protocol, const Address& local, const Address& remote, InetState* found) {
  // IPv4 over a socket of IPv6 is known by its IPv4 addresses.
  Address from = as_family(local, AF_INET), to = as_family(remote, AF_INET);
  if (from.family() != to.family()) return -ENOENT;
  inet_diag_req_v2 question = {};
  question.sdiag_family = static_cast<uint8_t>(from.family());
  question.sdiag_protocol = static_cast<uint8_t>(protocol);
  question.idiag_states = ~0u;
  question.id.idiag_cookie[0] = question.id.idiag_cookie[1] = ~0u;
  bool four = from.family() == AF_INET;
  copy_bytes(&question.id.idiag_sport, from.bytes + 2, 2);
  copy_bytes(&question.id.idiag_dport, to.bytes + 2, 2);
  copy_bytes(question.id.idiag_src, from.bytes + (four ? 4 : 8), four ? 4 : 16);
  copy_bytes(question.id.idiag_dst, to.bytes + (four ? 4 : 8), four ? 4 : 16);
  long size = 0;
  auto* message = static_cast<const inet_diag_msg*>(ask(&question, sizeof question, &size));
  if (message == nullptr) return static_cast<int32_t>(size);
  *found = {message->idiag_state, message->idiag_inode, message->idiag_rqueue, message->idiag_wqueue, message->idiag_expires};
  // A lookup of what is not there can end at a listening socket.
  bool exact = message->id.idiag_dport == question.id.idiag_dport && message->id.idiag_sport == question.id.idiag_sport;
  return exact ? 0 : -ENOENT;
}

}  // namespace cairn::sockets
