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

TEST_F(Entries, AFunctionIsEnteredAgainAsLongAsThePluginSaysSo) {
  static cairn_entry entry = entry_of(reinterpret_cast<cairn_function>(leave_out));
  const auto* code = reinterpret_cast<const char*>(leave_out);
  const std::string before(code, 16);
  answer = CAIRN_ENTRY_AGAIN;
  ASSERT_EQ(arm(&entry), 0);
  for (uint32_t round = 1; round <= 1000; ++round) {
    EXPECT_EQ(leave_out(1), 0);
    ASSERT_EQ(calls, round);
  }
  answer = CAIRN_ENTRY_RETURN;
  EXPECT_EQ(leave_out(1), 0);
  EXPECT_EQ(leave_out(1), 42);
  EXPECT_EQ(calls, 1001u);
  EXPECT_EQ(std::string(code, 16), before);
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
