// System calls on i386, without libc: no errno, no cancellation point, no lazy binding.
// The rest of the code names calls as x86-64 has them, and gives 64-bit numbers as one argument: here each becomes the call of
// this processor that does the same, with structures for files of any size (struct stat64, rlimit64). Times stay as libc's
// struct timespec has them here, of 32 bits, unless a call's name says otherwise.
// Callable in every context, the freestanding restorer included.
#pragma once
#include <stdint.h>
#include <sys/syscall.h>

// Calls that are only named otherwise.
#undef SYS_fstat
#define SYS_fstat __NR_fstat64
#define SYS_newfstatat __NR_fstatat64
#undef SYS_fcntl
#define SYS_fcntl __NR_fcntl64
#undef SYS_getuid
#define SYS_getuid __NR_getuid32
// Calls whose arguments are laid out otherwise: syscall() below.
#undef SYS_mmap
#define SYS_mmap __NR_mmap2
#undef SYS_lseek
#define SYS_lseek __NR__llseek
#undef SYS_ftruncate
#define SYS_ftruncate __NR_ftruncate64

namespace cairn::sys {

/// The kernel's result: -4095..-1 is -errno, everything else is the value.
[[gnu::always_inline]] inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  // There is no register left for the sixth argument, nor for what the stack pointer is when one is pushed.
  const long first_and_last[2] = {number, f};
  long result;
  asm volatile("push %%ebp\n\tmov 4(%%eax), %%ebp\n\tmov (%%eax), %%eax\n\tint $0x80\n\tpop %%ebp"
               : "=a"(result)
               : "a"(first_and_last), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
               : "memory");
  return result;
}

/// Arguments and result of any size. Numbers are constants: only one case is left.
[[gnu::always_inline]] inline int64_t syscall_wide(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f) {
  auto low = [](int64_t value) { return static_cast<long>(value); };
  auto high = [](int64_t value) { return static_cast<long>(value >> 32); };
  long result;
  switch (number) {
    case SYS_mmap:
      result = syscall6(number, low(a), low(b), low(c), low(d), low(e), static_cast<long>(f >> 12));
      break;
    case SYS_pread64:
    case SYS_pwrite64:
      result = syscall6(number, low(a), low(b), low(c), low(d), high(d), 0);
      break;
    case SYS_ftruncate:
      result = syscall6(number, low(a), low(b), high(b), 0, 0, 0);
      break;
    case SYS_sync_file_range:
      result = syscall6(number, low(a), low(b), high(b), low(c), high(c), low(d));
      break;
    case SYS_lseek: {
      int64_t position = 0;
      result = syscall6(number, low(a), high(b), low(b), reinterpret_cast<long>(&position), low(c), 0);
      return result < 0 ? result : position;
    }
    default:
      result = syscall6(number, low(a), low(b), low(c), low(d), low(e), low(f));
  }
  // An address is no negative number.
  return result < 0 && result >= -4095 ? result : static_cast<int64_t>(static_cast<unsigned long>(result));
}

}  // namespace cairn::sys
