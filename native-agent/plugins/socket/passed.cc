// Descriptors on the way: passed over a Unix socket (SCM_RIGHTS) and not received yet. A checkpoint looks at them with MSG_PEEK, which
// gives new descriptors of the same open files, and leaves those open while the threads are stopped: so the plugin `descriptor` finds
// them as it finds all others, and each kind is saved and shared as ever. Sockets among them may have some on the way, too: they are
// looked into in the next of three barriers. A restarted process has them again at the same numbers, sends them (deliver.cc) and
// closes them before the application runs. Of each socket the process with the lowest id that has it looks: the one that keeps it.
// [quiesced], close_restored [restoring]. Here also: the plugin `passed`, a layer above `descriptor`.
// Tests: test/probes/sockets (passed*.c, credentials.c)
#include <linux/kcmp.h>
#include <sys/uio.h>

#include "common/handles.h"
#include "common/lines.h"
#include "socket/socket.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

namespace cairn::sockets {
namespace {

constexpr uint32_t capacity = 2048;
// In the image.
int32_t opened[capacity];
uint32_t opened_count = 0;
uint32_t looked_count = 0;  // of those whose own queues were looked into
// While a checkpoint looks.
Socket* looked = nullptr;
bool opening = false;

bool same_open_file(int32_t one, int32_t other) {
  long self = sys(SYS_getpid);
  return sys(SYS_kcmp, self, self, KCMP_FILE, one, other) == 0;
}

int32_t opened_as(int32_t fd) {
  for (uint32_t i = 0; i < opened_count; ++i) {
    if (same_open_file(opened[i], fd)) return opened[i];
  }
  return -1;
}

/// How many descriptors are on the way to this socket; -1: the kernel does not say (before Linux 5.10).
int64_t on_the_way(int32_t fd) {
  Text<64> path;
  path.add("/proc/thread-self/fdinfo/").add(int64_t{fd});
  plugin::Lines lines(host, path.text());
  while (const char* line = lines.next()) {
    const char* rest;
    int64_t value = 0;
    if (!plugin::begins(line, "scm_fds:", &rest)) continue;
    while (*rest == ' ' || *rest == '\t') ++rest;
    return plugin::read_number(&rest, 10, &value) ? value : -1;
  }
  return -1;
}

/// Calls visit(number, context) for the descriptors of a process until it returns true, and returns whether it did.
bool any_descriptor(int64_t real_pid, bool (*visit)(int64_t pid, int32_t number, void* context), void* context) {
  Text<64> path;
  path.add("/proc/").add(real_pid).add("/fd");
  // Numbers first: visit may open and close some.
  static int32_t numbers[8192];
  uint32_t count = 0;
  (void)plugin::for_each_entry(host, path.text(), [&](long folder, const plugin::KernelDirent& entry) {
    const char* name = entry.name;
    int64_t number = 0;
    if (plugin::read_number(&name, 10, &number) && number != folder && count < 8192) numbers[count++] = static_cast<int32_t>(number);
    return false;
  });
  bool found = false;
  for (uint32_t i = 0; i < count && !found; ++i) found = visit(real_pid, numbers[i], context);
  return found;
}

bool has_inode(int64_t pid, int32_t number, void* context) {
  Text<64> path;
  path.add("/proc/").add(pid).add("/fd/").add(int64_t{number});
  struct stat64 status = {};
  auto* wanted = static_cast<const struct stat64*>(context);
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(path.text()), pointer(&status), 0) < 0) return false;
  return status.st_ino == wanted->st_ino && status.st_dev == wanted->st_dev;
}

bool kept_by_another(const struct stat64& status) {
  uint32_t index = 0;
  int64_t virtual_id = 0, real_id = 0;
  struct stat64 wanted = status;
  // Two lists of numbers would be one too many: this one is not left before it is decided.
  while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
    if (virtual_id < host->virtual_pid() && any_descriptor(real_id, has_inode, &wanted)) return true;
  }
  return false;
}

/// Saves the queue of one socket and opens what is on the way to it. This is done once: a look can be seen by the next.
int32_t open_all(int32_t fd, const struct stat64& status, int64_t expected) {
  auto* one = static_cast<Socket*>(take_memory(sizeof(Socket)));
  if (one == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket");
  uint32_t size = sizeof one->type;
  one->fd = fd;
  one->inode = status.st_ino;
  one->family = AF_UNIX;
  one->role = Role::paired;
  one->helper = -1;
  sys(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, pointer(&one->type), pointer(&size));
  UnixState state;
  if (unix_state(one->inode, &state) == 0) one->shutdown = state.shutdown;
  opening = true;
  int32_t error = save_queue(one);
  opening = false;
  if (error < 0) return error;
  for (const Message* message = one->queue; message != nullptr; message = message->next) expected -= message->passed_count;
  if (expected > 0) return refuse_for_now(*one, "descriptors that were passed over it with an empty message, which cannot be looked at twice; try again when they were received", nullptr);
  one->next = looked;
  looked = one;
  return 0;
}

struct Found {
  int32_t sockets[1024];
  uint32_t count;
};
Found found;

void consider(int32_t number) {
  int32_t family = 0, listens = 0;
  uint32_t size = sizeof family;
  if (sys(SYS_getsockopt, number, SOL_SOCKET, SO_DOMAIN, pointer(&family), pointer(&size)) < 0 || family != AF_UNIX) return;
  sys(SYS_getsockopt, number, SOL_SOCKET, SO_ACCEPTCONN, pointer(&listens), pointer(&size));
  if (listens == 0 && on_the_way(number) != 0 && found.count < 1024) found.sockets[found.count++] = number;
}

bool consider_own(int64_t, int32_t number, void*) {
  if (host->own_fd(number) == 0) consider(number);
  return false;
}

int32_t open_found() {
  for (uint32_t i = 0; i < found.count; ++i) {
    struct stat64 status = {};
    if (sys(SYS_fstat, found.sockets[i], pointer(&status)) < 0 || kept_by_another(status)) continue;
    if (int32_t error = open_all(found.sockets[i], status, on_the_way(found.sockets[i]))) return error;
  }
  return 0;
}

int32_t look() {
  close_opened();  // of a checkpoint before, where the computation is held
  looked = nullptr;
  found.count = 0;
  (void)any_descriptor(host->real_pid(), consider_own, nullptr);
  return open_found();
}

int32_t look_deeper(bool last) {
  found.count = 0;
  for (; looked_count < opened_count; ++looked_count) consider(opened[looked_count]);
  if (last && found.count > 0) {
    return host->fail(-ENOTSUP, "socket", "a socket is on the way in a socket that is on the way in another, and has descriptors on the way itself; receive some of them before the checkpoint. The computation runs on");
  }
  return open_found();
}

const char* const checkpoint_barriers[] = {"look", "deeper", "deepest", nullptr};
const char* const restart_barriers[] = {"send", "finish", nullptr};

int32_t barrier(const char* name, uint32_t restart) {
  if (restart == 0) {
    int32_t error = plugin::same(name, "look") ? look() : look_deeper(plugin::same(name, "deepest"));
    return error == 0 && looked_count == opened_count ? CAIRN_BARRIER_LAST : error;
  }
  if (plugin::same(name, "send")) return deliver_deferred();
  forget_deferred();
  end_pending();
  int32_t result = finish();
  close_restored();
  return result;
}

int32_t event(uint32_t number, void*) {
  if (number == CAIRN_EVENT_RESUME || number == CAIRN_EVENT_ABORT) close_opened();
  return 0;
}

int32_t init(const cairn_host*, const char*) { return 0; }

}  // namespace

long look_into(int32_t fd, const iovec* parts, uint64_t count, long flags, Look* look) {
  static char control[16384] __attribute__((aligned(8)));
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  message.msg_name = look->from.bytes;
  message.msg_namelen = sizeof look->from.bytes - 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  look->author = 0;
  look->with_author = false;
  look->passed_count = 0;
  look->cut = false;
  long result = sys(SYS_recvmsg, fd, pointer(&message), MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
  look->from.size = result < 0 ? 0 : message.msg_namelen;
  if (result < 0) return result;
  look->cut = (message.msg_flags & MSG_CTRUNC) != 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    const auto* numbers = reinterpret_cast<const int32_t*>(CMSG_DATA(part));
    if (part->cmsg_type == SCM_CREDENTIALS) {
      look->author = reinterpret_cast<const struct ucred*>(CMSG_DATA(part))->pid;
      look->with_author = true;
    }
    if (part->cmsg_type == SCM_PIDFD && *numbers >= 0) sys(SYS_close, *numbers);
    if (part->cmsg_type != SCM_RIGHTS) continue;
    uint64_t many = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int32_t);
    for (uint64_t i = 0; i < many && look->passed_count < 256; ++i) look->passed[look->passed_count++] = numbers[i];
  }
  return result;
}

void close_passed(const Look& look) {
  for (uint32_t i = 0; i < look.passed_count; ++i) sys(SYS_close, look.passed[i]);
}

int32_t note_passed(Message* message, const Look& look) {
  int32_t result = look.cut && look.passed_count > 0 ? -EBADF : 0;
  if (look.passed_count > 0) message->passed = static_cast<int32_t*>(take_memory(look.passed_count * sizeof(int32_t)));
  for (uint32_t i = 0; i < look.passed_count; ++i) {
    int32_t number = opened_as(look.passed[i]);
    if (number < 0 && opening && opened_count < capacity) number = opened[opened_count++] = look.passed[i];
    else sys(SYS_close, look.passed[i]);
    if (number < 0 || message->passed == nullptr) result = -EBADF;
    else message->passed[message->passed_count++] = number;
  }
  return result;
}

bool take_looked(Socket* one) {
  for (const Socket* other = looked; other != nullptr; other = other->next) {
    if (other->inode != one->inode) continue;
    one->queue = other->queue;
    one->deferred = other->deferred;
    return true;
  }
  return false;
}

void open_passed(bool yes) { opening = yes; }

void for_each_passed_socket(void (*visit)(int32_t fd)) {
  for (uint32_t i = 0; i < opened_count; ++i) {
    struct stat64 status = {};
    if (sys(SYS_fstat, opened[i], pointer(&status)) == 0 && S_ISSOCK(status.st_mode)) visit(opened[i]);
  }
}

int32_t refuse_deeper() { return look_deeper(true); }

void close_opened() {
  for (uint32_t i = 0; i < opened_count; ++i) sys(SYS_close, opened[i]);
  opened_count = looked_count = 0;
}

void close_restored() { close_opened(); }

}  // namespace cairn::sockets

extern "C" const struct cairn_plugin cairn_plugin_passed = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "passed", "1.0", "Cairn", cairn::sockets::init,
    cairn::sockets::event, nullptr, cairn::sockets::checkpoint_barriers, cairn::sockets::restart_barriers, cairn::sockets::barrier,
};
