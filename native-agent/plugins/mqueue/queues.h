// The POSIX message queues of this process as a checkpoint finds them, and what the parts of the plugin `mqueue` offer each other. A queue
// may be behind several open file descriptions of several processes; one of them, elected, saves it and makes it again. Part of the
// image: filled when quiesced, read when restoring.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "common/handles.h"
#include "common/kernel.h"
#include "common/pool.h"
#include "common/text.h"

namespace cairn::mqueue {

using plugin::Text;

struct Message {
  uint32_t size;
  uint32_t priority;
  const char* text;
};

struct Queue {
  uint64_t device;
  uint64_t inode;
  int32_t fd;            // a descriptor here
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
  struct mq_attr attributes;
  bool deleted;
  bool made_here;
  bool registered;       // this process is to be told of a message
  bool silenced;         // for the moment it is not
  struct sigevent event;
  const char* name;      // virtual, with its slash
  Message* messages;
  uint32_t count;
  int32_t handle;        // while restoring: of the process that makes it
  bool made;             // by this restart, in this process
};

inline constexpr uint32_t max_queues = 1024;
extern const cairn_host* host;
extern Queue queues[max_queues];
extern uint32_t queue_count;
extern plugin::Pool pool;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }
inline int64_t key_of(const Queue& queue) { return plugin::file_key(queue.device, queue.inode); }

int32_t fail(long error, const Queue& queue, const char* what);
/// A new descriptor of the same queue. -errno
long open_again(int32_t fd, int flags);

// ---- names.cc: the name that stands for a queue since a restart [any] -----------------------------------------------------------
/// The real name, with its slash.
Text<300> real_name(const char* virtual_name);
/// [restoring] Makes a queue under its own name, if nobody has it, else beside it: a descriptor, or -errno.
long make_name(const Queue& queue);
/// [restoring] What make_name has made.
Text<300> made_name(const Queue& queue);
/// [quiesced] The virtual name for what the kernel shows.
const char* virtual_name(const char* shown);

// ---- calls.cc: what was asked for with mq_notify [any] ----------------------------------------------------------------------------
bool find_notification(uint64_t inode, struct sigevent* event);
void note_notification(uint64_t inode, const struct sigevent* event);
void forget_notifications();
void prepare_calls();

// ---- thread_notices.cc: SIGEV_THREAD --------------------------------------------------------------------------------------------------
/// Asks the kernel; what it was asked is in *kernels, by which it can be asked again. 0 or -errno.
long notify_by_thread(int32_t queue, const struct sigevent& asked, struct sigevent* kernels);
/// A word of the kernel has not been taken by the helper yet.
bool notice_waits();
/// [quiesced] The kernel has told our socket of what was just taken back, which is to stand.
void forget_taken_back();
/// In the child of a fork, which has neither the thread nor what was asked for.
void forget_notice_threads();

// ---- save.cc, messages.cc [quiesced] ------------------------------------------------------------------------------------------------
void forget_queues();
/// Also takes this process's registration back for the moment.
int32_t claim(cairn_descriptor* offer);
/// When all have claimed theirs.
int32_t read_messages();
int32_t notify_again();
/// Takes all out and puts all back. 0 or -errno.
long copy_messages(Queue* queue);

// ---- restore.cc [restoring] ------------------------------------------------------------------------------------------------------
int32_t make_queues();
int32_t restore(cairn_descriptor* wanted);
int32_t finish();
/// The restart comes to nothing.
void remove_made();

}  // namespace cairn::mqueue
