// When the run goes on after a checkpoint (or after one that was given up), plugins bring back what they took off. Where one gives a new
// descriptor, this takes the numbers of the old one in all processes that share it. There is no barrier on these edges: the process
// that has the record publishes the new one, the others wait for it, before their threads go on; and it keeps both until nobody has the old
// one any more. Nobody waits before having published all of its own, so that no two wait for each other; and nobody for ever. [quiesced]
#include <linux/kcmp.h>

#include "external/external.h"

namespace cairn::external {
namespace {

constexpr uint32_t olds = plugin::name_space("external.old");  // key of a record -> real pid and descriptor of the old one
constexpr uint32_t news = plugin::name_space("external.new");  // likewise of the new one; gone: it stays the old one
constexpr int64_t not_yet = -1;
// A plugin may have to wait for the other end. The phase's deadline is longer.
constexpr int32_t patience_ms = 25000, patience_for_others_ms = 3000;

int64_t key_of(const Record& record) { return int64_t{host->virtual_pid()} << 16 | (&record - records); }
int64_t handle(int32_t fd) { return int64_t{host->real_pid()} << 32 | fd; }
int64_t pid_of(int64_t handle) { return handle >> 32; }
int32_t fd_of(int64_t handle) { return static_cast<int32_t>(handle & 0x7fffffff); }

bool same_open_file(int64_t pid, int32_t fd, int64_t other_pid, int32_t other) {
  return sys(SYS_kcmp, pid, other_pid, KCMP_FILE, fd, other) == 0;
}

void pause_a_moment() {
  struct timespec pause = {0, 2000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

struct Numbers {
  int32_t list[1024];
  uint32_t count;
};

/// The numbers in a process by which it has this open file.
void find_numbers(int64_t pid, int64_t of, Numbers* found) {
  Text<64> path;
  path.add("/proc/").add(pid).add("/fd");
  found->count = 0;
  (void)plugin::for_each_entry(host, path.text(), [&](long folder, const plugin::KernelDirent& entry) {
    const char* name = entry.name;
    int64_t number = 0;
    if (!plugin::read_number(&name, 10, &number)) return false;
    auto fd = static_cast<int32_t>(number);
    if (pid == host->real_pid() && (number == folder || host->own_fd(fd) != 0)) return false;
    if (found->count < 1024 && same_open_file(pid, fd, pid_of(of), fd_of(of))) found->list[found->count++] = fd;
    return false;
  });
}

/// Processes of the computation that have it, without this one.
uint32_t others_with(int64_t of) {
  static Numbers found;
  uint32_t index = 0, count = 0;
  int64_t virtual_id, real_id;
  while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
    if (real_id == host->real_pid()) continue;
    find_numbers(real_id, of, &found);
    count += found.count > 0 ? 1 : 0;
  }
  return count;
}

/// A hidden descriptor takes the place of all of these.
void put(const Numbers& numbers, int32_t fd, uint32_t mode) {
  auto* sockets = static_cast<const cairn_sockets*>(host->extension("cairn.sockets/1"));
  auto* watches = static_cast<const cairn_watches*>(host->extension("cairn.watches/1"));
  if (numbers.count > 0 && S_ISSOCK(mode) && sockets != nullptr) (void)sockets->replace(numbers.list[0], fd);
  for (uint32_t i = 0; i < numbers.count; ++i) {
    long fd_flags = sys(SYS_fcntl, numbers.list[i], F_GETFD);
    long error = watches != nullptr ? watches->replace(numbers.list[i], fd) : sys(SYS_dup3, fd, numbers.list[i], 0);
    if (error < 0) host->log(CAIRN_LOG_ERROR, "a descriptor of an external connection cannot be replaced");
    else sys(SYS_fcntl, numbers.list[i], F_SETFD, fd_flags);
  }
}

Numbers numbers;

int32_t bring_back(Record* record, bool aborted) {
  cairn_external data = record->facts;
  data.aborted = aborted ? 1 : 0;
  int32_t result = host->deliver(record->layer, CAIRN_EVENT_EXTERNAL_RESUME, &data);
  if (result < 0) {
    Text<1024> text;
    text.add("the connection to ").add(data.peer[0] != 0 ? data.peer : data.name).add(" (descriptor ").add(int64_t{data.fd})
        .add(") was not brought back by its plugin when the computation went on (error ").add(int64_t{-result}).add(")");
    host->log(CAIRN_LOG_ERROR, text.text());
    (void)host->fail(result, data.peer, text.text());
  }
  record->away = false;
  if (data.fd < 0 || data.fd == record->facts.fd) {
    host->remove_name(news, key_of(*record));
    return result;
  }
  int32_t fd = host->hide_fd(data.fd);
  sys(SYS_fcntl, fd, F_SETFL, static_cast<long>(record->facts.status_flags));
  find_numbers(host->real_pid(), handle(record->old >= 0 ? record->old : record->facts.fd), &numbers);
  put(numbers, fd, record->facts.mode);
  if (record->facts.name[0] != 0) (void)mark(fd, record->facts.name);
  host->set_name(news, key_of(*record), handle(fd));
  return result;
}

void take_over(int64_t key, int64_t old) {
  if (pid_of(old) == host->real_pid()) return;
  find_numbers(host->real_pid(), old, &numbers);
  if (numbers.count == 0) return;
  int64_t now = 0;
  for (int32_t waited = 0; waited < patience_ms; waited += 2) {
    if (host->get_name(news, key, &now) < 0 || sys(SYS_kill, pid_of(old), 0) == -ESRCH) return;
    if (now != not_yet) break;
    pause_a_moment();
  }
  int32_t taken = now == not_yet ? -ETIMEDOUT : plugin::take_descriptor(host, pid_of(now), fd_of(now));
  if (taken < 0) {
    host->log(CAIRN_LOG_ERROR, "an external connection cannot be taken over from the process that has brought it back");
    return;
  }
  struct stat64 status = {};
  sys(SYS_fstat, taken, pointer(&status));
  int32_t hidden = host->hide_fd(taken);
  put(numbers, hidden, status.st_mode);
  host->close_fd(hidden);
}

void let_go(Record* record) {
  int64_t now = 0;
  bool replaced = host->get_name(news, key_of(*record), &now) == 0 && now != not_yet;
  for (int32_t waited = 0; replaced && others_with(handle(record->old)) > 0; waited += 2) {
    if (waited >= patience_for_others_ms) {
      host->log(CAIRN_LOG_WARNING, "a process does not take over an external connection that was brought back");
      break;
    }
    pause_a_moment();
  }
  host->remove_name(news, key_of(*record));
  host->remove_name(olds, key_of(*record));
  host->close_fd(record->old);
  if (replaced) host->close_fd(fd_of(now));
  record->old = -1;
}

}  // namespace

uint32_t sharers(int32_t fd) { return 1 + others_with(handle(fd)); }

int32_t tell_away(Record* record) {
  long copy = sys(SYS_fcntl, record->facts.fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return host->fail(static_cast<int32_t>(copy), "connections", "no descriptor is left for an external connection");
  record->old = host->hide_fd(static_cast<int32_t>(copy));
  int32_t error = host->set_name(news, key_of(*record), not_yet);
  if (error == 0) error = host->set_name(olds, key_of(*record), handle(record->old));
  return error < 0 ? host->fail(error, "connections", "no room to tell the other processes of an external connection") : 0;
}

int32_t come_back(bool aborted) {
  int32_t error = 0;
  for (uint32_t i = 0; i < record_count; ++i) {
    if (!records[i].away) continue;
    int32_t result = bring_back(&records[i], aborted);
    if (result < 0 && error == 0) error = result;
  }
  uint32_t index = 0;
  int64_t key, old;
  while (host->next_name(olds, &index, &key, &old) == 0) take_over(key, old);
  for (uint32_t i = 0; i < record_count; ++i) {
    if (records[i].old >= 0) let_go(&records[i]);
  }
  return error;
}

}  // namespace cairn::external
