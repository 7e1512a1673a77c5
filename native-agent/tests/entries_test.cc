// The beginning of a function, entered once and put back (events/entries.h).
#include "events/entries.h"

#include <gtest/gtest.h>

#include <errno.h>
#include <string.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/stop.h"
#include "events/host.h"
#if defined(__x86_64__)
#include "events/x86_64/moved_code.h"
#endif

namespace cairn::checkpoint {
uint32_t Stop::stopped_threads() const { return 0; }
}  // namespace cairn::checkpoint

namespace cairn::events {
HostFacts host_facts;
HostFacts& facts() { return host_facts; }
}  // namespace cairn::events

namespace cairn::events {
namespace {

int32_t at_once(int32_t (*job)(void* context, const checkpoint::Stop& stop), void* context, sys::Error*) {
  sys::Arena arena;
  checkpoint::Stop nobody(&arena, nullptr);
  return job(context, nobody);
}

[[gnu::noipa, gnu::noinline, gnu::aligned(64)]] double mixed(long a, long b, double c, long d, long e, float f, long g, long h, long on_stack) {
  return static_cast<double>(a + b * 2 + d * 3 + e * 4 + g * 5 + h * 6 + on_stack * 7) + c + static_cast<double>(f);
}

uint32_t calls = 0;
uint32_t answer = CAIRN_ENTRY_GO_ON;
uint64_t seen[6];

/// Leaves no register as it was that a function may change.
uint32_t entered(cairn_entry*, const uint64_t* arguments) {
  ++calls;
  memcpy(seen, arguments, sizeof seen);
  errno = EPIPE;
#if defined(__x86_64__)
  asm volatile(
      "pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; xor %%eax, %%eax; xor %%ecx, %%ecx; xor %%edx, %%edx; xor %%esi, %%esi; xor %%edi, %%edi;"
      "xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%r10d, %%r10d; xor %%r11d, %%r11d"
      : : : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "cc");
#endif
  return answer;
}

double call_mixed() { return mixed(1, 2, 0.5, 3, 4, 0.25f, 5, 6, 7); }
constexpr double expected = 1 + 4 + 9 + 16 + 25 + 36 + 49 + 0.75;

cairn_entry entry_of(cairn_function function) { return {sizeof(cairn_entry), 0, function, entered, {0, 0}}; }

class Entries : public testing::Test {
 protected:
  void SetUp() override {
    facts().while_stopped = at_once;
    calls = 0;
    answer = CAIRN_ENTRY_GO_ON;
    if (entry_size() == 0) GTEST_SKIP() << "not for this processor";
  }
  static int32_t arm(cairn_entry* entry, void (*meanwhile)(void*) = nullptr, void* context = nullptr) {
    sys::Error error;
    cairn_entry* const entries[] = {entry};
    return arm_entries(entries, 1, meanwhile, context, &error);
  }
  std::string bytes() const { return {reinterpret_cast<const char*>(mixed), 16}; }
};

TEST_F(Entries, ACallComesToThePluginOnceAndGoesOnWithAllRegisters) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(mixed));
  const std::string before = bytes();
  for (uint32_t round = 1; round <= 3; ++round) {
    ASSERT_EQ(arm(&entry), 0);
    EXPECT_NE(bytes(), before);
    errno = ENOENT;
    EXPECT_EQ(call_mixed(), expected);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(calls, round);
    EXPECT_EQ(seen[0], 1u);
    EXPECT_EQ(seen[5], 6u);
    EXPECT_EQ(bytes(), before);
    EXPECT_EQ(call_mixed(), expected);
    EXPECT_EQ(calls, round);
  }
}

long leave_out(long value);
[[gnu::noipa, gnu::noinline]] long leave_out(long value) { return value + 41; }

TEST_F(Entries, AFunctionIsLeftOutAndGivesZero) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(leave_out));
  answer = CAIRN_ENTRY_RETURN;
  ASSERT_EQ(arm(&entry), 0);
  EXPECT_EQ(leave_out(1), 0);
  EXPECT_EQ(leave_out(1), 42);
}

TEST_F(Entries, WhatIsTakenBackIsAsItWas) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(mixed));
  const std::string before = bytes();
  static std::string then;
  ASSERT_EQ(arm(&entry, [](void*) { then = {reinterpret_cast<const char*>(mixed), 16}; }), 0);
  EXPECT_EQ(then, before) << "the first byte has changed before it was to";
  EXPECT_EQ(arm(&entry), 0) << "an entry that is armed stays so";
  EXPECT_EQ(disarm_entry(&entry), 1);
  EXPECT_EQ(disarm_entry(&entry), 0);
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(call_mixed(), expected);
  EXPECT_EQ(calls, 0u);
}

#if defined(__x86_64__)
TEST_F(Entries, EachCallComesUntilThePluginLeaves) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(mixed));
  const std::string before = bytes();
  entry.each = 1;
  ASSERT_EQ(arm(&entry), 0);
  for (uint32_t round = 1; round <= 3; ++round) {
    EXPECT_EQ(call_mixed(), expected);
    EXPECT_EQ(calls, round);
    EXPECT_NE(bytes(), before);
  }
  EXPECT_EQ(reinterpret_cast<decltype(&mixed)>(entry.original)(1, 2, 0.5, 3, 4, 0.25f, 5, 6, 7), expected);
  EXPECT_EQ(calls, 3u);
  static cairn_entry once = entry_of(reinterpret_cast<cairn_function>(mixed));
  ASSERT_EQ(arm(&once), 0);
  EXPECT_EQ(disarm_entry(&entry), 0) << "the other one stands in front of it";
  EXPECT_EQ(call_mixed(), expected);
  EXPECT_EQ(calls, 5u) << "both";
  EXPECT_EQ(disarm_entry(&entry), 1);
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(call_mixed(), expected);
  EXPECT_EQ(calls, 5u);
}

TEST_F(Entries, CallsThatAreSkippedGoOnWithAllRegistersAndFlags) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(mixed));
  entry.each = 1;
  entry.skip = 3;
  ASSERT_EQ(arm(&entry), 0);
  for (uint32_t skipped = 3; skipped > 0; --skipped) {
    EXPECT_EQ(entry.skip, skipped);
    EXPECT_EQ(call_mixed(), expected);
    EXPECT_EQ(calls, 0u);
  }
  EXPECT_EQ(call_mixed(), expected);
  EXPECT_EQ(call_mixed(), expected);
  EXPECT_EQ(calls, 2u);
  EXPECT_EQ(entry.skip, 0u);
  EXPECT_EQ(disarm_entry(&entry), 1);
}

extern "C" [[gnu::visibility("hidden")]] uint64_t entries_test_flags();
asm(R"(
.pushsection .text
.balign 64
entries_test_flags:
  mov $0, %eax
  pushf
  pop %rax
  ret
.popsection
)");

TEST_F(Entries, NoFlagIsChangedWhereACallIsSkipped) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(entries_test_flags));
  entry.each = 1;
  entry.skip = 2;
  ASSERT_EQ(arm(&entry), 0);
  constexpr uint64_t arithmetic = 0x8d5;  // CF, PF, AF, ZF, SF, OF
  for (uint64_t flags : {uint64_t{0}, arithmetic}) {
    uint64_t before = 0, after = 0;
    asm volatile(
        "pushf; pop %0; and %3, %0; or %2, %0; push %0; popf; call entries_test_flags"
        : "=&r"(before), "=&a"(after) : "r"(flags), "r"(~arithmetic) : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
    EXPECT_EQ(after & arithmetic, flags);
  }
  EXPECT_EQ(calls, 0u);
  EXPECT_EQ(disarm_entry(&entry), 1);
}

TEST_F(Entries, WhyNoneIsEnteredIsSaid) {
  cairn_entry other = entry_of(reinterpret_cast<cairn_function>(mixed));
  other.size = sizeof other - 1;
  cairn_entry* const entries[] = {&other};
  sys::Error error;
  EXPECT_EQ(arm_entries(entries, 1, nullptr, nullptr, &error), -EINVAL);
  EXPECT_NE(std::string(error.message().data).find("another cairn_entry"), std::string::npos) << error.message().data;
  facts().while_stopped = [](int32_t (*)(void*, const checkpoint::Stop&), void*, sys::Error*) { return -EPERM; };
  cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(mixed));
  cairn_entry* const own[] = {&entry};
  error.clear();
  EXPECT_EQ(arm_entries(own, 1, nullptr, nullptr, &error), -EPERM);
  EXPECT_NE(std::string(error.message().data).find("could not be stopped"), std::string::npos) << error.message().data;
}

TEST(MovedCode, InstructionsAreAsLongAsTheyAre) {
  const struct {
    std::string code;
    uint32_t size, relative;
  } known[] = {
      {{'\x55'}, 1, 0},
      {"\x41\x57", 2, 0},
      {"\xf3\x0f\x1e\xfa", 4, 0},
      {"\x48\x89\xe5", 3, 0},
      {std::string("\x48\x83\xec\x28", 4), 4, 0},
      {std::string("\x48\x81\xec\x00\x01\x00\x00", 7), 7, 0},
      {"\x48\x89\x7d\xd8", 4, 0},
      {std::string("\x48\x8b\x05\x10\x00\x00\x00", 7), 7, 3},
      {std::string("\x80\x3d\x10\x00\x00\x00\x01", 7), 7, 2},
      {std::string("\x64\x48\x8b\x04\x25\x28\x00\x00\x00", 9), 9, 0},
      {std::string("\x8b\x84\x24\x80\x00\x00\x00", 7), 7, 0},
      {std::string("\x48\xb8\1\2\3\4\5\6\7\x08", 10), 10, 0},
      {std::string("\x0f\x29\x44\x24\x10", 5), 5, 0},
      {std::string("\xe8\0\0\0\0", 5), 0, 0},
      {std::string("\x74\x10", 2), 0, 0},
      {std::string("\xff\xd0", 2), 0, 0},
      {"\xc3", 0, 0},
  };
  for (const auto& one : known) {
    uint32_t relative = 0;
    const std::string code = one.code + std::string(16, '\0');
    const uint32_t size = instruction_size(reinterpret_cast<const unsigned char*>(code.data()), &relative);
    EXPECT_EQ(size, one.size) << static_cast<uint32_t>(static_cast<unsigned char>(one.code[0]));
    EXPECT_EQ(relative, size == 0 ? relative : one.relative);
  }
}

TEST(MovedCode, WhatItSaysOfItsPlaceIsSetRight) {
  static unsigned char from[32] = {0x48, 0x8b, 0x05, 0x10, 0, 0, 0, 0xc3}, to[32];
  EXPECT_EQ(move_code(from, to, 5, sizeof to), 7u);
  int32_t distance = 0;
  memcpy(&distance, to + 3, sizeof distance);
  EXPECT_EQ(reinterpret_cast<intptr_t>(to) + 7 + distance, reinterpret_cast<intptr_t>(from) + 7 + 0x10);
  EXPECT_EQ(move_code(from, to, 8, sizeof to), 0u) << "there is the end of the function";
}
#endif

// Threads come while the first one puts the bytes back: at each place that a function may have in a line of the processor's cache.
extern "C" [[gnu::visibility("hidden")]] const char entries_test_functions[];
#if defined(__x86_64__)
asm(R"(
.pushsection .text
.balign 64
entries_test_functions:
.set number, 0
.rept 64
  .balign 64
  .skip number, 0x90
  .byte 0x48, 0x8d, 0x47, 0x01   # lea 1(%rdi), %rax
  .byte 0x48, 0x83, 0xc0, 0x02   # add $2, %rax
  ret
  .balign 64
  .skip 64, 0x90
  .set number, number + 1
.endr
.popsection
)");
constexpr uint32_t places = 64;

const char* function_at(uint32_t place) {
  const char* at = entries_test_functions;
  for (uint32_t i = 0; i < place; ++i) at += (i + 9 + 63) / 64 * 64 + 64;
  return at + place;
}

TEST_F(Entries, ThreadsThatComeMeanwhileGoOnWithTheFunction) {
  constexpr uint32_t others = 3, rounds = 200;
  static cairn_entry entries[places];
  for (uint32_t place = 0; place < places; ++place) {
    // Its first two bytes are in two lines, and are put back one by one: nobody else may call it.
    if ((reinterpret_cast<uintptr_t>(function_at(place)) & 63) == 63) continue;
    auto* function = reinterpret_cast<long (*)(long)>(reinterpret_cast<uintptr_t>(function_at(place)));
    entries[place] = entry_of(reinterpret_cast<cairn_function>(function));
    std::atomic<uint32_t> round = 0, done = 0, wrong = 0;
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < others; ++i) {
      threads.emplace_back([&] {
        for (uint32_t mine = 1; mine <= rounds; ++mine) {
          while (round.load() < mine) std::this_thread::yield();
          for (long value = 0; value < 20; ++value) wrong += function(value) != value + 3;
          ++done;
        }
      });
    }
    calls = 0;
    for (uint32_t mine = 1; mine <= rounds; ++mine) {
      ASSERT_EQ(arm(&entries[place]), 0);
      round = mine;
      while (done.load() < mine * others) std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong.load(), 0u) << "at " << place;
    EXPECT_EQ(calls, rounds) << "at " << place;
  }
}
#endif

}  // namespace
}  // namespace cairn::events
