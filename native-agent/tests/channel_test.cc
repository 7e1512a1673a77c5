// Messages that are put go out together: with the next that is sent, before something is waited for, or when they have become many; and
// not from a copy of the process, which forgets them.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "agent.pb.h"
#include "sys/futex.h"
#include "wire/channel.h"

namespace cairn::wire {
namespace {

class ChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/cairn-channel-%d", getpid());
    unlink(address.sun_path);
    listening_ = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(bind(listening_, reinterpret_cast<struct sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listening_, 1), 0);
    channel_.use_buffers(incoming_.data(), outgoing_.data());
    ASSERT_EQ(channel_.connect(address.sun_path), 0);
    peer_ = accept(listening_, nullptr, nullptr);
    ASSERT_GE(peer_, 0);
    unlink(address.sun_path);
  }
  void TearDown() override {
    channel_.close();
    close(peer_);
    close(listening_);
  }

  sys::Status put(uint64_t id, const std::string& reason) { return channel_.put(id, cairn_agent_Message_refusal_tag, cairn_agent_Refusal_fields, &refusal(reason)); }
  sys::Status send(uint64_t id, const std::string& reason) { return channel_.send(id, cairn_agent_Message_refusal_tag, cairn_agent_Refusal_fields, &refusal(reason)); }

  bool take(int patience_ms) {
    struct pollfd ready = {peer_, POLLIN, 0};
    if (poll(&ready, 1, patience_ms) != 1) return false;
    char part[4096];
    ssize_t count = read(peer_, part, sizeof part);
    if (count > 0) bytes_.append(part, static_cast<size_t>(count));
    return count > 0;
  }

  /// The ids of what has come, and the reasons.
  std::vector<std::pair<uint64_t, std::string>> arrived() {
    while (take(0)) {
    }
    std::string bytes;
    bytes.swap(bytes_);
    std::vector<std::pair<uint64_t, std::string>> found;
    for (size_t at = 0; at < bytes.size();) {
      uint32_t length = 0;
      memcpy(&length, bytes.data() + at, 4);
      Envelope envelope;
      EXPECT_TRUE(decode_envelope(sys::Text(bytes.data() + at + 4, length), &envelope));
      sys::Text reason;
      cairn_agent_Refusal message = cairn_agent_Refusal_init_zero;
      message.reason = decode_text(&reason);
      EXPECT_TRUE(decode(envelope.body, cairn_agent_Refusal_fields, &message));
      found.emplace_back(envelope.id, std::string(reason.data, reason.size));
      at += 4 + length;
    }
    return found;
  }

  using Messages = std::vector<std::pair<uint64_t, std::string>>;
  Channel channel_;
  int peer_ = -1;
  std::string bytes_;

 private:
  cairn_agent_Refusal& refusal(const std::string& reason) {
    text_ = sys::Text(reason.data(), reason.size());
    message_ = cairn_agent_Refusal_init_zero;
    message_.reason = encode_text(&text_);
    return message_;
  }

  std::vector<char> incoming_ = std::vector<char>(max_frame + 4), outgoing_ = std::vector<char>(max_frame + 4);
  sys::Text text_;
  cairn_agent_Refusal message_ = cairn_agent_Refusal_init_zero;
  int listening_ = -1;
};

TEST_F(ChannelTest, WhatIsPutGoesOutWithWhatIsSent) {
  ASSERT_EQ(put(1, "one"), 0);
  ASSERT_EQ(put(2, "two"), 0);
  EXPECT_EQ(arrived(), Messages());
  ASSERT_EQ(send(3, "three"), 0);
  EXPECT_EQ(arrived(), (Messages{{1, "one"}, {2, "two"}, {3, "three"}}));
  ASSERT_EQ(put(4, "four"), 0);
  ASSERT_EQ(channel_.flush(), 0);
  ASSERT_EQ(channel_.flush(), 0);
  EXPECT_EQ(arrived(), (Messages{{4, "four"}}));
}

TEST_F(ChannelTest, NothingIsKeptBackWhileSomethingIsWaitedFor) {
  ASSERT_EQ(put(1, "one"), 0);
  Envelope envelope;
  EXPECT_EQ(channel_.receive(&envelope, sys::now_ns() + 1'000'000), -ETIMEDOUT);
  EXPECT_EQ(arrived(), (Messages{{1, "one"}}));
}

TEST_F(ChannelTest, MuchIsNotKeptBackAndNothingOfItIsLost) {
  Messages sent;
  for (uint64_t id = 1; id <= 40; ++id) {
    sent.emplace_back(id, std::string(1000, static_cast<char>('a' + id % 26)));
    ASSERT_EQ(put(id, sent.back().second), 0);
  }
  Messages first = arrived();
  EXPECT_GT(first.size(), 0u);
  ASSERT_EQ(channel_.flush(), 0);
  for (const auto& one : arrived()) first.push_back(one);
  EXPECT_EQ(first, sent);
}

TEST_F(ChannelTest, AMessageAsLongAsAFrameMayBeComesBehindOthers) {
  ASSERT_EQ(put(1, "one"), 0);
  std::string longest(max_frame - 12, 'x');
  // More than the socket holds.
  sys::Status status = 1;
  std::thread putting([&] { status = put(2, longest); });
  while (bytes_.size() < longest.size()) take(1000);
  putting.join();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(arrived(), (Messages{{1, "one"}, {2, longest}}));
}

TEST_F(ChannelTest, ACopyOfTheProcessDoesNotSendItAgain) {
  ASSERT_EQ(put(1, "one"), 0);
  channel_.forget_unsent();
  ASSERT_EQ(send(2, "two"), 0);
  EXPECT_EQ(arrived(), (Messages{{2, "two"}}));
}

}  // namespace
}  // namespace cairn::wire
