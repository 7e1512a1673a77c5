// Critical sections (src/agent/sections.h).
#include "agent/sections.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

using cairn::agent::Sections;

std::string described(const Sections& sections) {
  cairn::sys::TextBuffer<256> text;
  sections.describe(&text);
  return text.c_str();
}

TEST(Sections, NestInAThread) {
  Sections sections;
  EXPECT_FALSE(sections.any());
  EXPECT_EQ(sections.enter(1, "outer"), 0);
  EXPECT_EQ(sections.enter(1, "inner"), 0);
  EXPECT_EQ(sections.leave(1), 0);
  EXPECT_TRUE(sections.any());
  EXPECT_TRUE(sections.open_in(1));
  EXPECT_EQ(sections.leave(1), 0);
  EXPECT_FALSE(sections.any());
  EXPECT_EQ(sections.leave(1), -EINVAL);
  EXPECT_FALSE(sections.any());
}

TEST(Sections, AreLeftByOtherThreads) {
  Sections sections;
  EXPECT_EQ(sections.enter(1, "a transaction"), 0);
  EXPECT_EQ(sections.leave(2), 0);
  EXPECT_FALSE(sections.any());
}

TEST(Sections, NameTheOldest) {
  Sections sections;
  EXPECT_EQ(sections.enter(1, "bus lock"), 0);
  EXPECT_EQ(sections.enter(2, "another"), 0);
  EXPECT_EQ(described(sections).rfind("it is in a critical section (bus lock), for ", 0), 0u) << described(sections);
  EXPECT_EQ(sections.leave(1), 0);
  EXPECT_NE(described(sections).find("another"), std::string::npos);
}

TEST(Sections, AreNotWithoutNumber) {
  Sections sections;
  uint64_t owner = 1;
  while (sections.enter(owner, nullptr) == 0) ++owner;
  EXPECT_EQ(owner, 257u);
  EXPECT_EQ(sections.enter(owner, nullptr), -ENOSPC);
  for (uint64_t one = 1; one < owner; ++one) EXPECT_EQ(sections.leave(one), 0);
  EXPECT_FALSE(sections.any());
}

TEST(Sections, BeginLaterWhileACheckpointWaits) {
  Sections sections;
  sections.keep_out();
  std::atomic<bool> inside{false};
  std::thread thread([&] {
    EXPECT_EQ(sections.enter(1, "kept"), 0);
    inside = true;
  });
  EXPECT_FALSE(sections.any());
  sections.end();
  thread.join();
  EXPECT_TRUE(inside);
  // And they do begin, since the checkpoint may wait for what comes after one of them.
  sections.keep_out();
  EXPECT_EQ(sections.enter(2, "not for ever"), 0);
}

TEST(Sections, CountRightWithManyThreads) {
  Sections sections;
  std::vector<std::thread> threads;
  for (uint64_t owner = 1; owner <= 8; ++owner) {
    threads.emplace_back([&sections, owner] {
      for (int i = 0; i < 20000; ++i) {
        EXPECT_EQ(sections.enter(owner, "work"), 0);
        EXPECT_TRUE(sections.any());
        EXPECT_EQ(sections.leave(i % 3 == 0 ? owner : owner + 1), 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(sections.any());
}

}  // namespace
