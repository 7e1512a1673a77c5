// What the restorer leaves in the agent's arena for the agent that it has just mapped from an image: the one interface between
// a restorer of today and an agent of the day of the checkpoint. Members are only added, at the end; a change that an older
// agent would misread raises handoff_version, and the restorer refuses images of another version.
#pragma once
#include <stdint.h>

#include "sys/context.h"

namespace cairn::image {

inline constexpr uint32_t handoff_version = 1;

/// One thread to be brought back. In the handoff's room; the thread itself reads it.
struct ThreadSlot {
  uint64_t frame;         // address of a ucontext: rt_sigreturn with the stack pointer there gives the thread its state
  sys::processor::ThreadPointers pointers;
  uint64_t tid_address;   // for set_tid_address
  uint64_t robust_list;
  uint64_t robust_list_size;
  uint64_t rseq_address;  // 0: not registered
  uint32_t rseq_size;
  uint32_t rseq_signature;
  int32_t virtual_tid;
  int32_t real_tid;       // written by the thread
  uint32_t exited;        // 1: a leader that had ended; it ends again
  uint32_t exit_status;
  char name[16];
  uint64_t instruction;   // where it goes on
};

/// Memory that is a private mapping of the .pages file.
struct LazyRange {
  uint64_t start;
  uint64_t end;
};

/// A child that had ended before the checkpoint, and waits as a zombie again.
struct EndedChild {
  int32_t virtual_pid;
  int32_t real_pid;
};

struct Handoff {
  uint32_t size;
  uint32_t version;
  uint64_t restorer_start;  // to be unmapped once all threads have arrived
  uint64_t restorer_size;
  ThreadSlot* slots;
  uint32_t thread_count;
  int32_t virtual_pid;
  uint32_t arrived;         // futex: threads that are in the agent's code
  uint32_t released;        // futex: what they are to do, see agent/restarted_thread.cc
  uint64_t arena_used;      // bytes of the arena that the restorer occupied
  uint64_t pages_device;    // st_dev and st_ino of the .pages file: mappings of it are the application's own memory
  uint64_t pages_inode;
  LazyRange* lazy;
  uint32_t lazy_count;
  uint32_t reserved;
  char socket[108];         // of the coordinator
  char folder[4096];        // of the snapshot
  EndedChild* ended;
  uint32_t ended_count;
  uint32_t reserved_too;
  uint64_t room_start;      // the slots, and all that threads need until they have their own stacks: to be unmapped when
  uint64_t room_size;       // they have left. An older agent leaves it
};

}  // namespace cairn::image
