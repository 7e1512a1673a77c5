// inotify: the watches of an instance, under the same numbers. The kernel shows the inode of a watch, not its path: that is noted
// when the watch is added; moved.cc looks for what was moved since. Events that nobody has read yet cannot be looked at without taking them, and are lost at a restart.
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "event/events.h"

namespace cairn::event {
namespace {

/// What was watched once, by virtual path. Only ever added to, without a lock: the application's threads add, and may be stopped in
/// the middle of it. An entry counts once it is complete.
struct Place {
  uint64_t device;
  uint64_t inode;
  uint32_t text;      // where its path begins
  uint32_t complete;
  uint32_t dont_follow;
};
constexpr uint32_t max_places = 8192;
constexpr uint32_t max_text = 1 << 19;
Place places[max_places];
uint32_t place_count = 0;
char texts[max_text];
uint32_t text_used = 0;

uint32_t known_places() {
  uint32_t count = __atomic_load_n(&place_count, __ATOMIC_ACQUIRE);
  return count < max_places ? count : max_places;
}

/// The newest first: a path that was given to another file since is that file's. Where a file system shows another device here than
/// stat does, the inode decides.
const Place* find(uint64_t device, uint64_t inode) {
  const Place* similar = nullptr;
  for (uint32_t i = known_places(); i-- > 0;) {
    const Place& place = places[i];
    if (__atomic_load_n(&place.complete, __ATOMIC_ACQUIRE) == 0 || place.inode != inode) continue;
    if (place.device == device) return &place;
    if (similar == nullptr) similar = &place;
  }
  return similar;
}

/// Notes what is behind a virtual path now.
void remember(const struct stat64& status, const char* text, uint32_t dont_follow) {
  const Place* before = find(status.st_dev, status.st_ino);
  if (before != nullptr && before->device == status.st_dev && before->dont_follow == dont_follow && plugin::same(texts + before->text, text)) return;
  auto size = static_cast<uint32_t>(plugin::length_of(text) + 1);
  uint32_t index = __atomic_fetch_add(&place_count, 1, __ATOMIC_RELAXED);
  uint32_t at = __atomic_fetch_add(&text_used, size, __ATOMIC_RELAXED);
  if (index >= max_places || at + size > max_text) {
    // Not remembered: a checkpoint says so. The counts stay where they are full.
    __atomic_fetch_sub(&place_count, 1, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&text_used, size, __ATOMIC_RELAXED);
    return;
  }
  for (uint32_t i = 0; i < size; ++i) texts[at + i] = text[i];
  places[index] = {status.st_dev, status.st_ino, at, 0, dont_follow};
  __atomic_store_n(&places[index].complete, 1, __ATOMIC_RELEASE);
}

void added(const char* path, uint32_t mask) {
  char absolute[4096], virtual_path[4096];
  uint32_t length = 0;
  if (path[0] != '/') {
    long size = sys(SYS_getcwd, pointer(absolute), sizeof absolute - 2);
    if (size <= 0) return;
    length = static_cast<uint32_t>(size) - 1;
    absolute[length++] = '/';
  }
  for (; *path != 0 && length + 1 < sizeof absolute; ++path) absolute[length++] = *path;
  absolute[length] = 0;
  uint32_t dont_follow = (mask & IN_DONT_FOLLOW) != 0 ? 1 : 0;
  struct stat64 status = {};
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(absolute), pointer(&status), dont_follow != 0 ? AT_SYMLINK_NOFOLLOW : 0) < 0) return;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  const char* text = paths != nullptr && paths->to_virtual(absolute, virtual_path, sizeof virtual_path) >= 0 ? virtual_path : absolute;
  remember(status, text, dont_follow);
}

/// fdinfo has the kernel's own form of a device number.
uint64_t device_of(int64_t number) { return makedev(static_cast<unsigned>(number >> 20), static_cast<unsigned>(number & 0xfffff)); }

/// Reads away what the restart itself has caused.
void discard_events(int32_t fd) {
  char events[4096];
  long flags = sys(SYS_fcntl, fd, F_GETFL);
  sys(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
  while (sys(SYS_read, fd, pointer(events), sizeof events) > 0) {}
  sys(SYS_fcntl, fd, F_SETFL, flags);
}

/// The kernel gives numbers out in turn: those that are not in use any more are used up.
int32_t use_up(int32_t fd, int32_t before) {
  const char* folder = nullptr;
  if (host->setting(CAIRN_SETTING_SNAPSHOT_FOLDER, 0, &folder) == nullptr) folder = "/proc";
  for (uint32_t count = 0;; ++count) {
    long number = sys(SYS_inotify_add_watch, fd, pointer(folder), IN_DELETE_SELF);
    if (number < 0) return static_cast<int32_t>(number);
    sys(SYS_inotify_rm_watch, fd, number);
    if (count % 64 == 63) discard_events(fd);
    if (number + 1 == before) return 0;
    if (number >= before) return -EEXIST;
  }
}

}  // namespace

const cairn_watches watch_functions = {sizeof watch_functions, 0, added, replace};

namespace {

/// Whoever watches reads soon: the checkpoint is tried again for a while. Who never reads does not miss what is lost.
bool waits_for_reader() {
  constexpr int64_t second = 1000000000;
  static int64_t first = 0;
  struct timespec time = {};
  if (host->exchange_folder() != nullptr) return false;  // on several hosts nothing is tried again
  sys(SYS_clock_gettime, CLOCK_MONOTONIC, pointer(&time));
  int64_t now = time.tv_sec * second + time.tv_nsec;
  if (now < first || now - first > 10 * second) first = now;
  return now - first < 2 * second;
}

}  // namespace

int32_t save_watches(Instance* instance) {
  int32_t unread = 0;
  sys(SYS_ioctl, instance->fd, FIONREAD, pointer(&unread));
  if (unread > 0 && !instance->elsewhere) {
    if (waits_for_reader()) return fail(-EAGAIN, *instance, "events that were not read yet");
    Text<128> text;
    text.add("inotify (descriptor ").add(int64_t{instance->fd}).add("): events that were not read yet are lost at a restart");
    host->log(CAIRN_LOG_WARNING, text.text());
  }
  if (instance->elsewhere) return 0;
  Lines lines(host, info_path(instance->fd).text());
  if (lines.error() != 0) return fail(lines.error(), *instance, "its watches cannot be read from /proc");
  while (const char* line = lines.next()) {
    const char* rest;
    if (!plugin::begins(line, "inotify wd:", &rest)) continue;
    auto number = static_cast<int32_t>(number_at(&rest, 16));
    const Place* place = find(device_of(field(line, "sdev:", 16)), static_cast<uint64_t>(field(line, "ino:", 16)));
    if (place == nullptr) {
      return fail(-ENOTSUP, *instance, "the path of one of its watches is not known (added before cairn attach, by a raw system call, or by another program before exec); remove it before the checkpoint. The computation runs on");
    }
    const char* now;
    if (!find_watched({place->device, place->inode}, texts + place->text, place->dont_follow != 0, &now)) {
      Text<400> text;
      text.add("it watches what was ").add(texts + place->text).add(", and where that is now is not known; remove the watch before the checkpoint. The computation runs on");
      return fail(-ENOTSUP, *instance, text.text());
    }
    // A symbolic link's own watch stays one; what was found elsewhere may be the link of a descriptor, which is to be followed.
    bool dont_follow = place->dont_follow != 0 && now == texts + place->text;
    auto* watch = static_cast<Watch*>(pool.take(host, sizeof(Watch)));
    const char* path = pool.copy(host, now);
    if (watch == nullptr || path == nullptr) return fail(-ENOMEM, *instance, "no memory for the list of its watches");
    uint32_t mask = static_cast<uint32_t>(field(line, "mask:", 16)) | (dont_follow ? IN_DONT_FOLLOW : 0u);
    // In ascending order of numbers.
    Watch** at = &instance->watch;
    while (*at != nullptr && (*at)->number < number) at = &(*at)->next;
    *watch = {*at, number, mask, path};
    *at = watch;
  }
  return 0;
}

int32_t make_watches(const Instance&) { return static_cast<int32_t>(sys(SYS_inotify_init1, 0)); }

int32_t add_watches(const Instance& instance, int32_t fd) {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  int32_t next = 1;
  for (const Watch* watch = instance.watch; watch != nullptr; watch = watch->next) {
    if (watch->number > next) {
      if (int32_t error = use_up(fd, watch->number); error < 0) return fail(error, instance, "a watch cannot have its number back");
    }
    char real[4096];
    const char* path = folder_of_run(*paths, watch->path, real, sizeof real) || paths->to_real(watch->path, real, sizeof real) >= 0 ? real : watch->path;
    long number = sys(SYS_inotify_add_watch, fd, pointer(path), watch->mask);
    if (number < 0) {
      // It may have been removed since: as if that had been a moment ago, but nobody is told.
      Text<4400> text;
      text.add("inotify (descriptor ").add(int64_t{instance.fd}).add("): ").add(path).add(" cannot be watched any more");
      host->log(CAIRN_LOG_WARNING, text.text());
      continue;
    }
    // What was made again or copied into the run folder has another inode now: the next checkpoint is to find its path.
    struct stat64 status = {};
    uint32_t dont_follow = (watch->mask & IN_DONT_FOLLOW) != 0 ? 1 : 0;
    if (sys(SYS_newfstatat, AT_FDCWD, pointer(path), pointer(&status), dont_follow != 0 ? AT_SYMLINK_NOFOLLOW : 0) == 0) remember(status, watch->path, dont_follow);
    if (number != watch->number) return fail(-EEXIST, instance, "a watch cannot have its number back: two watched files have become one");
    next = watch->number + 1;
  }
  discard_events(fd);
  return 0;
}

}  // namespace cairn::event
