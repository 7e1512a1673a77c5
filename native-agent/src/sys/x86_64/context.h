// A thread's processor state on x86-64: how it is captured (ptrace) and how it is given back (the frame of rt_sigreturn).
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#include "sys/text.h"

namespace cairn::sys::x86_64 {

using Registers = user_regs_struct;

/// Largest XSAVE area of any processor (AMX included), with room.
inline constexpr size_t max_xstate = 16384;

/// Makes the state of a thread that was stopped inside a system call one from which the call begins anew; leaves others as
/// they are. `restarted_call`: number of the call that a restart_syscall continues, -1 when unknown (it then ends by EINTR).
void make_restartable(Registers* registers, long restarted_call);

/// True for a call that the stop itself ended with EINTR, although no handler ran, and that has had no effect yet. Such a
/// call has to begin anew in a process that goes on, too.
bool ended_by_stop(const Registers& registers);
void begin_call_anew(Registers* registers, long number);

/// Size of the part of a standard-format XSAVE area that holds state (trailing components in their initial state are left
/// out), and the mask of components within it.
size_t used_xstate(const void* xstate, size_t size, uint64_t* features);

/// Bytes that build_frame writes.
size_t frame_size(size_t xstate_size);
/// Writes a frame at `memory` (64-byte aligned, to live at that address): the address for ThreadSlot::frame.
uint64_t build_frame(void* memory, const Registers& registers, Text xstate, uint64_t signal_mask, uint64_t altstack_sp,
                     uint64_t altstack_size, uint32_t altstack_flags);

/// Whether the state in a frame is one that begins a system call, which, and with which stack.
bool call_of_frame(uint64_t frame, int64_t* number, uint64_t* arguments, uint64_t* stack);
/// Replaces one of its arguments; false: it begins no system call.
bool set_frame_argument(uint64_t frame, uint32_t argument, uint64_t value);

/// Counts in *left and continues with the state in the frame. Does not return. Between the two the thread needs no memory but
/// the frame; its stack pointer stays there until the kernel has read it.
[[noreturn]] void enter_frame(uint64_t frame, uint32_t* left);
/// Counts in *left and ends the thread, which needs no stack any more.
[[noreturn]] void exit_thread(uint32_t* left);

/// clone(2) of a thread or process that begins at entry(argument) on a stack of its own. The child's id, or -errno.
long clone_with_stack(uint64_t flags, void* stack_top, void (*entry)(void*), void* argument, void* tls);

}  // namespace cairn::sys::x86_64
