// A stopped thread's state: calls that begin anew, and the part of an XSAVE area that holds state.
#include "sys/context.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <vector>

namespace {

using namespace cairn::sys::processor;

// The registers of a processor by what they are for.
#if defined(__x86_64__)
using Word = uint64_t;
#define CAIRN_REGISTER(name) r##name
#define CAIRN_CALL orig_rax
constexpr unsigned char call_code[] = {0x0f, 0x05, 0x90};
#else
using Word = long;
#define CAIRN_REGISTER(name) e##name
#define CAIRN_CALL orig_eax
constexpr unsigned char call_code[] = {0xcd, 0x80, 0x90};
#endif
auto& instruction(Registers& registers) { return registers.CAIRN_REGISTER(ip); }
auto& result_of(Registers& registers) { return registers.CAIRN_REGISTER(ax); }
auto& stack(Registers& registers) { return registers.CAIRN_REGISTER(sp); }

Registers in_call(long number, long result) {
  Registers registers = {};
  instruction(registers) = 0x1002;
  registers.CAIRN_CALL = static_cast<Word>(number);
  result_of(registers) = static_cast<Word>(result);
  return registers;
}

TEST(Restartable, InterruptedCallBeginsAnew) {
  for (long result : {-512L, -513L, -514L, -516L}) {
    Registers registers = in_call(SYS_read, result);
    make_restartable(&registers, -1);
    EXPECT_EQ(instruction_of(registers), 0x1000u);
    EXPECT_EQ(call_result(registers), SYS_read);
  }
}

TEST(Restartable, FinishedCallKeepsItsResult) {
  for (long result : {0L, 17L, -static_cast<long>(ENOENT)}) {
    Registers registers = in_call(SYS_read, result);
    make_restartable(&registers, -1);
    EXPECT_EQ(instruction_of(registers), 0x1002u);
    EXPECT_EQ(call_result(registers), result);
  }
}

TEST(Restartable, ContinuedCallIsTheOneThatBegan) {
  Registers registers = in_call(SYS_restart_syscall, -516);
  make_restartable(&registers, SYS_poll);
  EXPECT_EQ(call_result(registers), SYS_poll);
  registers = in_call(SYS_restart_syscall, -516);
  make_restartable(&registers, -1);
  EXPECT_EQ(call_result(registers), -EINTR);
  EXPECT_EQ(instruction_of(registers), 0x1002u);
}

TEST(Restartable, EintrOfTheStopIsHiddenOnlyWhereTheCallHadNoEffect) {
  EXPECT_TRUE(ended_by_stop(in_call(SYS_epoll_wait, -EINTR)));
  EXPECT_FALSE(ended_by_stop(in_call(SYS_close, -EINTR)));
  EXPECT_FALSE(ended_by_stop(in_call(SYS_connect, -EINTR)));
  EXPECT_FALSE(ended_by_stop(in_call(-1, -EINTR)));  // user code that happens to have the value in rax
}

TEST(Restartable, UserCodeStaysAsItIs) {
  Registers registers = in_call(-1, -512);
  make_restartable(&registers, -1);
  EXPECT_EQ(instruction_of(registers), 0x1002u);
  EXPECT_EQ(call_result(registers), -512);
}

TEST(Xstate, UnusedComponentsAreLeftOut) {
  std::vector<char> area(8192);
  uint64_t features = 0;
  EXPECT_EQ(used_xstate(area.data(), area.size(), &features), 576u);
  EXPECT_EQ(features, 3u);
  uint64_t avx = 4;
  memcpy(area.data() + 512, &avx, sizeof avx);
  EXPECT_EQ(used_xstate(area.data(), area.size(), &features), 832u);
  EXPECT_EQ(features, 7u);
}

TEST(Frame, SaysWhichCallItBegins) {
  Registers registers = {};
  instruction(registers) = static_cast<Word>(reinterpret_cast<uintptr_t>(call_code));
  result_of(registers) = SYS_futex;
#if defined(__x86_64__)
  registers.rdi = 1;
  registers.r10 = 4;
#else
  registers.ebx = 1;
  registers.esi = 4;
#endif
  stack(registers) = 0x7000;
  std::vector<char> memory(frame_size(0) + 64);
  void* place = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) & ~uint64_t{63});
  int64_t number = 0;
  uint64_t arguments[6] = {}, top = 0;
  ASSERT_TRUE(call_of_frame(build_frame(place, registers, {}, 0, 0, 0, 0), &number, arguments, &top));
  EXPECT_EQ(number, SYS_futex);
  EXPECT_EQ(arguments[0], 1u);
  EXPECT_EQ(arguments[3], 4u);
  EXPECT_EQ(top, 0x7000u);
  instruction(registers) += 2;
  EXPECT_FALSE(call_of_frame(build_frame(place, registers, {}, 0, 0, 0, 0), &number, arguments, &top));
  instruction(registers) = 0;  // of a thread that has ended
  EXPECT_FALSE(call_of_frame(build_frame(place, registers, {}, 0, 0, 0, 0), &number, arguments, &top));
}

}  // namespace
