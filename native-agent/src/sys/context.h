// A thread's processor state: how it is captured (ptrace), and how it is given back (the frame of rt_sigreturn). The types, and all
// that one processor does its own way, are in the folder of that processor.
// Tests: tests/context_test.cc, test/probes.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sys/text.h"
#if defined(__x86_64__)
#include "sys/x86_64/registers.h"
#elif defined(__i386__)
#include "sys/i386/registers.h"
#else
#error "this processor is not known"
#endif

namespace cairn::sys::processor {

/// Largest XSAVE area of any processor (AMX included), with room.
inline constexpr size_t max_xstate = 16384;

/// Of a thread that is stopped under ptrace. -errno; -ENOTSUP: it is in a mode in which programs of this kind do not run.
long read_registers(int32_t tid, Registers* registers);
long write_registers(int32_t tid, const Registers& registers);

/// Makes the state of a thread that was stopped inside a system call one from which the call begins anew; leaves others as
/// they are. `restarted_call`: number of the call that a restart_syscall continues, -1 when unknown (it then ends by EINTR).
void make_restartable(Registers* registers, long restarted_call);

/// True for a call that the stop itself ended with EINTR, although no handler ran, and that has had no effect yet. Such a
/// call has to begin anew in a process that goes on, too.
bool ended_by_stop(const Registers& registers);

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
/// Where the state goes on; nullptr: it is not told on this processor.
uint64_t* frame_instruction(uint64_t frame);
/// What a frame gives a thread, as far as ptrace would show it, with its XSAVE area in place; and another state into it. false: not on this processor.
bool read_frame(uint64_t frame, Registers* registers, char** xstate, size_t* xstate_size);
bool write_frame(uint64_t frame, const Registers& registers);

/// General registers by the processor's numbers, where it goes on, flags. false: not on this processor.
inline constexpr size_t numbered_registers = 18;
bool get_numbered(const Registers& registers, uint64_t* values);
bool set_numbered(Registers* registers, const uint64_t* values);

/// Counts in *left and continues with the state in the frame. Does not return. Between the two the thread needs no memory but
/// the frame; its stack pointer stays there until the kernel has read it.
[[noreturn]] void enter_frame(uint64_t frame, uint32_t* left);
/// Counts in *left and ends the thread, which needs no stack any more.
[[noreturn]] void exit_thread(uint32_t status, uint32_t* left);

/// Continues at entry(argument) on another stack.
[[noreturn]] void jump_to(uint64_t entry, void* argument, uint64_t stack_top);

/// clone(2) of a thread or process that begins at entry(argument) on a stack of its own. `tls` with CLONE_SETTLS. The child's id,
/// or -errno.
long clone_with_stack(uint64_t flags, void* stack_top, void (*entry)(void*), void* argument, const ThreadPointers* tls);

// ---- What a processor's folder gives to the rest of this one ----------------------------------------------------------

/// The parts of the signal frame's area for floating point that both processors have.
inline constexpr size_t legacy_area = 512;
inline constexpr size_t xsave_header = 64;
inline constexpr size_t xstate_alignment = 64;
/// Writes an XSAVE area with what the kernel looks for in a frame: to `area`, aligned to 64.
void build_xstate(char* area, Text xstate);
/// Bytes that build_xstate writes.
inline size_t xstate_size_in_frame(size_t xstate_size) { return xstate_size + sizeof(uint32_t); }

/// Bytes at an address that may not be there.
bool peek(uint64_t address, void* data, size_t size);

}  // namespace cairn::sys::processor
