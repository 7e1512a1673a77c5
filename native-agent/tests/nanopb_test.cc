// Our stand-in for nanopb (src/wire/nanopb.cc) writes and reads what the system's library does, where there is one: the bytes here are
// those that protoc's own encoding of the same messages has.
#include <gtest/gtest.h>

#include <string>

#include "agent.pb.h"
#include "image.pb.h"
#include "wire/codec.h"

namespace {

using cairn::sys::Text;
using cairn::wire::decode;
using cairn::wire::decode_text;
using cairn::wire::encode;
using cairn::wire::encode_text;

std::string hex(const char* bytes, long size) {
  std::string text;
  for (long i = 0; i < size; ++i) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(bytes[i]));
    text += digits;
  }
  return text;
}

template <typename Message>
std::string encoded(const pb_msgdesc_t* type, const Message& message) {
  static char buffer[4096];
  long size = encode(buffer, sizeof buffer, type, &message);
  EXPECT_GE(size, 0);
  return hex(buffer, size);
}

TEST(Wire, NumbersOfEveryKind) {
  cairn_image_Run run = {0x1122334455667788, 300, 0};
  EXPECT_EQ(encoded(cairn_image_Run_fields, run), "09887766554433221110ac02");
  cairn_agent_Child child = {-1, 5, true, 0};
  EXPECT_EQ(encoded(cairn_agent_Child_fields, child), "08ffffffffffffffffff0110051801");
  cairn_agent_PhaseReply reply = cairn_agent_PhaseReply_init_zero;
  reply.error_number = -2;
  reply.threads = 0xffffffff;
  EXPECT_EQ(encoded(cairn_agent_PhaseReply_fields, reply), "280338ffffffff0f");
}

TEST(Wire, TextsAndTagsAboveFifteen) {
  Text architecture("i386");
  cairn_agent_Hello hello = cairn_agent_Hello_init_zero;
  hello.architecture = encode_text(&architecture);
  EXPECT_EQ(encoded(cairn_agent_Hello_fields, hello), "8a010469333836");
}

TEST(Wire, ReadsWhatItWrote) {
  Text name("comm"), found;
  cairn_image_Thread thread = cairn_image_Thread_init_zero;
  thread.virtual_tid = -7;
  thread.name = encode_text(&name);
  thread.signal_mask = ~uint64_t{0};
  thread.exited = true;
  thread.rseq_signature = 0x53053053;
  char buffer[256];
  long size = encode(buffer, sizeof buffer, cairn_image_Thread_fields, &thread);
  ASSERT_GT(size, 0);
  cairn_image_Thread copy = cairn_image_Thread_init_zero;
  copy.name = decode_text(&found);
  ASSERT_TRUE(decode(Text(buffer, static_cast<size_t>(size)), cairn_image_Thread_fields, &copy));
  EXPECT_EQ(copy.virtual_tid, -7);
  EXPECT_EQ(std::string(found.data, found.size), "comm");
  EXPECT_EQ(copy.signal_mask, ~uint64_t{0});
  EXPECT_TRUE(copy.exited);
  EXPECT_EQ(copy.rseq_signature, 0x53053053u);
  for (long cut = 1; cut < size; ++cut) {
    // Whatever is cut off is either seen or was whole before.
    cairn_image_Thread part = cairn_image_Thread_init_zero;
    part.name = decode_text(&found);
    (void)decode(Text(buffer, static_cast<size_t>(cut)), cairn_image_Thread_fields, &part);
  }
  EXPECT_EQ(encode(buffer, 5, cairn_image_Thread_fields, &thread), -EMSGSIZE);
}

TEST(Wire, WhatANewerVersionAddedIsPassedOver) {
  // Run with fields 20 (varint), 21 (64 bits), 22 (text) and 23 (32 bits) besides.
  const char bytes[] = "\xa0\x01\x05\xa9\x01xxxxxxxx\xb2\x01\x02hi\xbd\x01yyyy\x10\x09";
  cairn_image_Run run = cairn_image_Run_init_zero;
  ASSERT_TRUE(decode(Text(bytes, sizeof bytes - 1), cairn_image_Run_fields, &run));
  EXPECT_EQ(run.bytes, 9u);
}

}  // namespace
