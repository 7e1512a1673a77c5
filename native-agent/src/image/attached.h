// What cairn-attach and the agent say to each other, in the memory of the program that is attached. Both are of one installation;
// the version is checked all the same. Test: test/probes/attach.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::image {

/// The function of libcairn.so that cairn-attach has called: takes "NAME=VALUE" strings, each with its NUL, and an empty one at the
/// end; gives an AttachAnswer, which lives as long as the process.
inline constexpr char attach_function[] = "cairn_attach";
inline constexpr uint32_t attach_version = 1;

struct AttachAnswer {
  uint32_t version;
  int32_t status;            // 0, or -errno: the program goes on without Cairn
  int64_t altstack_offset;   // of the thread's recorded alternate stack, from the thread pointer
  uint32_t altstacks_matter; // some signal is handled on the alternate stack
  char text[1020];           // what failed, for the user
  uint64_t calls;            // address of AttachedCall[attached_calls]
  uint64_t call_again;       // where threads are sent whose calls have names in them: agent/call_again.h
};

/// A call that cairn-attach has interrupted, and that goes on as restart_syscall(2), of which nobody knows any more what it was. As the
/// agent keeps it for its own stops: at the place tid % attached_calls.
struct AttachedCall {
  int32_t tid;
  int64_t number;
  uint64_t rip;
  uint64_t rsp;
};
inline constexpr uint32_t attached_calls = 256;

/// As checkpoint::RecordedAltstack.
struct AttachedAltstack {
  uint64_t sp;
  uint64_t size;
  uint32_t flags;
  uint32_t set;
};

}  // namespace cairn::image
