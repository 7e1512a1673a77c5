#include "sys/context.h"

#include <asm/sigcontext.h>
#include <cpuid.h>
#include <errno.h>
#include <sys/uio.h>

#include "sys/syscall.h"

namespace cairn::sys::processor {
namespace {

// From the kernel's include/linux/errno.h; a tracer sees them, user space does not.
enum : long { restart_sys = -512, restart_no_intr = -513, restart_no_hand = -514, restart_block = -516 };

constexpr size_t software_bytes = 464;

}  // namespace

void make_restartable(Registers* registers, long restarted_call) {
  long number = call_number(*registers);
  if (number < 0) return;
  switch (call_result(*registers)) {
    case restart_sys:
    case restart_no_intr:
    case restart_no_hand:
      begin_call_anew(registers, number);
      return;
    case restart_block:
      if (number == SYS_restart_syscall) number = restarted_call;
      if (number >= 0) {
        begin_call_anew(registers, number);
      } else {
        set_call_result(registers, -EINTR);
      }
      return;
    default:
      if (ended_by_stop(*registers)) begin_call_anew(registers, number);
  }
  forget_call(registers);
}

bool ended_by_stop(const Registers& registers) {
  return call_number(registers) >= 0 && call_result(registers) == -EINTR && repeatable_after_eintr(registers);
}

size_t used_xstate(const void* xstate, size_t size, uint64_t* features) {
  *features = 0;
  if (size < legacy_area + xsave_header) return size;
  uint64_t in_use = 0;
  memcpy(&in_use, static_cast<const char*>(xstate) + legacy_area, sizeof in_use);
  size_t used = legacy_area + xsave_header;
  *features = 3;  // x87 and SSE are in the legacy area
  for (unsigned component = 2; component < 63; ++component) {
    if ((in_use & (uint64_t{1} << component)) == 0) continue;
    unsigned length = 0, offset = 0, c = 0, d = 0;
    __cpuid_count(0xd, component, length, offset, c, d);
    if (offset == 0 || offset + length > size) continue;
    *features |= uint64_t{1} << component;
    if (offset + length > used) used = offset + length;
  }
  return used;
}

void build_xstate(char* area, Text xstate) {
  memcpy(area, xstate.data, xstate.size);
  uint64_t features = 0;
  used_xstate(xstate.data, xstate.size, &features);
  struct _fpx_sw_bytes software = {};
  software.magic1 = FP_XSTATE_MAGIC1;
  software.xfeatures = features;
  software.xstate_size = static_cast<uint32_t>(xstate.size);
  software.extended_size = software.xstate_size + FP_XSTATE_MAGIC2_SIZE;
  memcpy(area + software_bytes, &software, sizeof software);
  uint32_t magic = FP_XSTATE_MAGIC2;
  memcpy(area + xstate.size, &magic, sizeof magic);
}

bool peek(uint64_t address, void* data, size_t size) {
  struct iovec local = {data, size};
  struct iovec remote = {reinterpret_cast<void*>(static_cast<uintptr_t>(address)), size};
  return call(SYS_process_vm_readv, call(SYS_getpid), &local, 1, &remote, 1, 0) == static_cast<int64_t>(size);
}

}  // namespace cairn::sys::processor
