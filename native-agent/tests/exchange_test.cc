// What processes on several hosts tell each other from one phase to the next: the agent's side.
#include "events/exchange.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace cairn::events {
namespace {

class Exchange : public testing::Test {
 protected:
  void SetUp() override {
    memory_.resize(1 << 20);
    arena_.use(memory_.data(), memory_.size(), 0);
    forget_exchange();
    begin_exchange_phase(++operation_, 2, "/store/tmp/1", &arena_);
  }
  static uint64_t operation_;
  std::vector<char> memory_;
  sys::Arena arena_;
};
uint64_t Exchange::operation_ = 0;

std::string text(sys::Text given) { return {given.data, given.size}; }

TEST_F(Exchange, WhatIsSaidIsSentInItsOrder) {
  EXPECT_EQ(tell_hosts(5, "key", 3, "value", 5), 0);
  EXPECT_EQ(ask_hosts(6, "other", 5), 0);
  uint32_t place = 0, space = 0;
  sys::Text key, value;
  bool wanted = false;
  ASSERT_TRUE(next_said(&place, &space, &key, &value, &wanted));
  EXPECT_EQ(std::tuple(space, text(key), text(value), wanted), std::tuple(5u, std::string("key"), std::string("value"), false));
  ASSERT_TRUE(next_said(&place, &space, &key, &value, &wanted));
  EXPECT_EQ(std::tuple(space, text(key), text(value), wanted), std::tuple(6u, std::string("other"), std::string(""), true));
  EXPECT_FALSE(next_said(&place, &space, &key, &value, &wanted));
  clear_said();
  place = 0;
  EXPECT_FALSE(next_said(&place, &space, &key, &value, &wanted));
}

TEST_F(Exchange, AnswersLastAsLongAsTheOperation) {
  add_answer(5, "key", "value", 3, sys::Text("0123456789abcdef", 16));
  begin_exchange_phase(operation_, 2, "/store/tmp/1", &arena_);
  cairn_answer answer = {};
  ASSERT_EQ(answer_of_hosts(5, "key", 3, &answer), 0);
  EXPECT_EQ(std::string(static_cast<const char*>(answer.value), answer.value_size), "value");
  EXPECT_EQ(answer.host, 3u);
  EXPECT_EQ(answer.has_address, 1u);
  EXPECT_EQ(answer_of_hosts(5, "kez", 3, &answer), -ENOENT);
  EXPECT_EQ(answer_of_hosts(6, "key", 3, &answer), -ENOENT);
  EXPECT_STREQ(exchange_folder(), "/store/tmp/1");
  begin_exchange_phase(++operation_, 2, "/store/tmp/2", &arena_);
  EXPECT_EQ(answer_of_hosts(5, "key", 3, &answer), -ENOENT);
}

TEST_F(Exchange, OfOneHostNothingIsSaid) {
  begin_exchange_phase(++operation_, 0, "", &arena_);
  cairn_answer answer = {};
  EXPECT_EQ(tell_hosts(5, "key", 3, "value", 5), -ENOTCONN);
  EXPECT_EQ(ask_hosts(5, "key", 3), -ENOTCONN);
  EXPECT_EQ(answer_of_hosts(5, "key", 3, &answer), -ENOTCONN);
  EXPECT_EQ(exchange_folder(), nullptr);
}

TEST_F(Exchange, WhatDoesNotFitIsRefused) {
  std::string much(200 * 1024, 'x');
  EXPECT_EQ(tell_hosts(5, "key", 3, much.data(), static_cast<uint32_t>(much.size())), 0);
  EXPECT_EQ(tell_hosts(5, "key", 3, much.data(), static_cast<uint32_t>(much.size())), -ENOSPC);
}

}  // namespace
}  // namespace cairn::events
