// The queue of traced calls: what a writer leaves unfinished does not keep back what others note.
#include "events/traced_calls.cc"

#include <gtest/gtest.h>

namespace {

using namespace cairn::events;

class CallQueue : public testing::Test {
 protected:
  void SetUp() override { prepare(); }
  /// As a writer that has its cell and is then left by longjmp.
  static uintptr_t take_and_leave() { return __atomic_fetch_add(&next_written, 1, __ATOMIC_RELAXED); }
  static void add(uint32_t number) { note({number, 1, 2, 3}); }
  static uint32_t taken() {
    const uint64_t until = cairn::sys::now_ns() + 10'000'000'000;
    for (TracedCall call; cairn::sys::now_ns() < until;) {
      if (take_call(&call)) return call.number;
    }
    return 0;
  }
};

TEST_F(CallQueue, GivesWhatWasNotedInOrder) {
  TracedCall call;
  EXPECT_FALSE(take_call(&call));
  for (uint32_t i = 1; i <= 3; ++i) add(i);
  for (uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(taken(), i);
  EXPECT_FALSE(take_call(&call));
}

TEST_F(CallQueue, AWriterThatNeverComesBackIsGivenUp) {
  (void)take_and_leave();
  add(7);
  EXPECT_EQ(taken(), 7u);
  EXPECT_EQ(take_dropped_calls(), 1u);
  // Its cell is left out from then on, all others are used again and again.
  for (uint32_t i = 1; i <= 3 * capacity; ++i) {
    add(i);
    ASSERT_EQ(taken(), i);
  }
  EXPECT_EQ(take_dropped_calls(), 0u);
}

TEST_F(CallQueue, WhatHasNoPlaceIsCounted) {
  for (uint32_t i = 1; i <= capacity + 5; ++i) add(i);
  EXPECT_EQ(take_dropped_calls(), 5u);
  for (uint32_t i = 1; i <= capacity; ++i) ASSERT_EQ(taken(), i);
}

}  // namespace
