// Tracees of 32-bit programs are not held: a checkpoint is refused while one is traced (why_not_held). Everything else that trace/again.h
// and trace/service.h promise has nothing to do here, since there never is such a tracee.
// Context: as those say. No test yet.
#include "trace/again.h"
#include "trace/service.h"

namespace cairn::trace {

const char* why_not_held() { return "a debugger's stops of 32-bit programs cannot be saved"; }

struct Slot {};
Slot* take_slot(int32_t, int32_t, const sys::processor::Registers&, const char*, uint64_t, uint64_t) { return nullptr; }
void enter(const Slot*, sys::processor::Registers*) {}
bool add(Slot*, int32_t, uint64_t) { return false; }
void release(Slot*) {}
void reset_services() {}
bool in_service(uint64_t) { return false; }

void forget_traced() {}
bool add_traced(int32_t) { return false; }
bool is_traced(int32_t) { return false; }
bool await_tracer(int32_t) { return true; }
uint32_t awaiting_count() { return 0; }
uint32_t attached_count() { return 0; }
void expect_tracers() {}
void attach_again(int32_t) {}

}  // namespace cairn::trace
