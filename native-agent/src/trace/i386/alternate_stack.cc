// Not there: what a 32-bit program sets by system calls of its own is not asked for.
#include "trace/alternate_stack.h"

namespace cairn::trace {

bool alternate_stacks_matter() { return false; }
bool ask_alternate_stack(int32_t, int32_t, const sys::processor::Registers&, const char*, uint64_t, uint64_t) { return false; }
bool alternate_stack_told(AlternateStack*) { return false; }
bool asks_for_alternate_stack(uint64_t) { return false; }
void alternate_stack_done() {}

}  // namespace cairn::trace
