// Calls that were under way when the program was attached, and whose arguments or results are names that a restart changes (the child
// that wait4(2) tells of, …): they are begun again through the wrappers, so that what they give is right also after a restart. The
// thread has been stopped at the call and is sent to call_again_entry() by cairn-attach, which makes the call in the kernel's stead:
// from its registers, back to where it would have returned to, with the registers as a system call leaves them.
// Context: any thread, on its stack. Test: test/probes (processes, attached), test/probes/attach.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::agent {

/// Where the thread is sent, with its registers as for the call, and rcx and r11 as the call would leave them.
uint64_t call_again_entry();

}  // namespace cairn::agent
