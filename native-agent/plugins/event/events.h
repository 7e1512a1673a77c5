// The descriptors of this process that tell of events, as a checkpoint finds them. Part of the image: static, filled when
// quiesced, read when restoring.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/lines.h"
#include "common/pool.h"
#include "common/text.h"

namespace cairn::event {

enum class Kind : uint32_t { counter, timer, signals, interests, watches, process };

/// An entry of an epoll instance.
struct Interest {
  Interest* next;
  int32_t number;   // by which it was added
  int32_t source;   // a descriptor here of the same open file description; -1: there is none
  uint32_t events;
  uint64_t data;
};

/// A watch of an inotify instance.
struct Watch {
  Watch* next;
  int32_t number;   // wd
  uint32_t mask;    // with IN_DONT_FOLLOW where it was given
  const char* path; // virtual
};

/// One open file description.
struct Instance {
  Kind kind;
  int32_t fd;
  uint32_t flags;      // F_GETFL
  bool elsewhere;      // another process brings it back
  int32_t held;        // watches, from when all descriptors are there until it has its watches: our own copy, since by then it may be on its way over a socket again
  bool semaphore;      // counter
  int32_t clock;       // timer
  uint32_t set_flags;  // timer
  int32_t pid;         // process: virtual id; -1: it is gone
  uint64_t value;      // counter: its value; timer: unread expirations; signals: the mask
  struct itimerspec time;  // timer: what is left, and the interval
  union {
    Interest* interest;
    Watch* watch;
  };
};

inline constexpr uint32_t max_instances = 4096;

struct Table {
  Instance instances[max_instances];
  uint32_t count;
};

extern const cairn_host* host;
extern Table table;
/// For entries and watches of one checkpoint.
extern plugin::Pool pool;

using plugin::Lines;
using plugin::Text;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }

inline Text<64> info_path(int32_t fd) {
  Text<64> path;
  path.add("/proc/thread-self/fdinfo/").add(int64_t{fd});
  return path;
}
/// The number behind blanks at *text, and moves *text behind it.
inline int64_t number_at(const char** text, unsigned base) {
  int64_t value = 0;
  while (**text == ' ' || **text == '\t') ++*text;
  (void)plugin::read_number(text, base, &value);
  return value;
}
/// The number behind `name`, which may stand anywhere in a line; 0: it is not there.
int64_t field(const char* line, const char* name, unsigned base);

int32_t fail(int32_t error, const Instance& instance, const char* what);

// Of each kind: save [quiesced], make gives a new descriptor [restoring], and what is done once all descriptors are there.
int32_t save_counter(Instance* instance);
int32_t make_counter(const Instance& instance);
int32_t save_timer(Instance* instance);
int32_t make_timer(const Instance& instance);
int32_t start_timer(const Instance& instance, int32_t fd);
int32_t save_signals(Instance* instance);
int32_t make_signals(const Instance& instance);
int32_t save_interests(Instance* instance);
int32_t make_interests(const Instance& instance);
int32_t add_interests(const Instance& instance, int32_t fd);
int32_t save_watches(Instance* instance);
int32_t make_watches(const Instance& instance);
int32_t add_watches(const Instance& instance, int32_t fd);
int32_t save_process(Instance* instance);
int32_t make_process(const Instance& instance);

/// [init] Looks up what wrappers need.
void prepare_polling();
void prepare_waiting();
/// [quiesced] The checkpoint's moment. [quiesced, restoring] What remains of time-outs, before the threads go on.
void note_time();
void set_waits_right(bool restarted);
/// [any] In the child of a fork, which has one thread.
void forget_waits();

struct FileNumbers {
  uint64_t device;
  uint64_t inode;
};
/// [quiesced, restoring] What this run does in a folder it does in the run folder's version, which is there once something has a place in it.
/// False: it is no folder.
bool folder_of_run(const cairn_paths& paths, const char* path, char* real, uint32_t capacity);
/// [quiesced] *now: the virtual path of what was watched by `before`, until the next call. False: it is not found.
bool find_watched(const FileNumbers& wanted, const char* before, bool dont_follow, const char** now);

/// [quiesced] Whether all folders that tell by a signal can be told to again; then [restoring] that is done. [any] In the child of a fork, to
/// which they tell nothing.
int32_t check_notices();
int32_t set_notices();
void forget_notices();

/// [quiesced] As in cairn_watches.
int32_t replace(int32_t number, int32_t fd);

/// [any] Extension "cairn.watches/1".
extern const cairn_watches watch_functions;

}  // namespace cairn::event
