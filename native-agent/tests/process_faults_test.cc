// The settings of fault-process, and the lengths of instructions: as a disassembler has them, in all of libc.
extern "C" {
#include "process/faults.h"
#include "process/length.h"
}

#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

std::string error_of(const std::string& text) {
  static faults read;
  const char* why = faults_read(text.c_str(), &read);
  return why == nullptr ? "" : why;
}

fault only(const std::string& text) {
  static faults read;
  const char* why = faults_read(("{\"faults\": [" + text + "]}").c_str(), &read);
  EXPECT_EQ(why, nullptr) << why;
  return read.list[0];
}

TEST(ProcessFaults, Places) {
  const fault symbol = only(R"({"memory": {"symbol": "t", "object": "a.so", "index": 3, "size": 8, "offset": 2}, "bits": [0, 9]})");
  EXPECT_EQ(symbol.target, static_cast<uint32_t>(IN_SYMBOL));
  EXPECT_EQ(symbol.offset, 26u);
  EXPECT_EQ(symbol.bit_count, 2u);
  EXPECT_EQ(only(R"({"memory": {"address": "0x7fff0010"}})").address, 0x7fff0010u);
  const fault vector = only(R"({"register": "ymm13", "thread": "worker", "bits": [255]})");
  EXPECT_EQ(vector.reg, REGISTER_VECTOR + 13u);
  EXPECT_EQ(vector.width, 256u);
  EXPECT_STREQ(vector.thread, "worker");
  EXPECT_EQ(only(R"({"register": "rflags", "thread": 2})").reg, static_cast<uint32_t>(REGISTER_FLAGS));
}

TEST(ProcessFaults, Moments) {
  EXPECT_EQ(only(R"({"instruction": "skip"})").when, static_cast<uint32_t>(AT_ONCE));
  const fault late = only(R"({"instruction": "skip", "when": {"fromUs": 5, "toUs": 9, "processor": true}})");
  EXPECT_EQ(late.when, static_cast<uint32_t>(AFTER_PROCESSOR_TIME));
  EXPECT_EQ(late.last_ns, 9000u);
  const fault in_call = only(R"({"instruction": "skip", "when": {"function": "read", "calls": {"nth": 7}}})");
  EXPECT_EQ(in_call.when, static_cast<uint32_t>(IN_CALL));
  EXPECT_EQ(in_call.calls.last, 7u);
}

TEST(ProcessFaults, WhatIsWrongIsNamed) {
  EXPECT_NE(error_of("{}").find("no JSON object"), std::string::npos);
  const auto wrong = [](const std::string& text) { return error_of("{\"faults\": [" + text + "]}"); };
  EXPECT_NE(wrong(R"({"register": "xmm16"})").find("\"register\" is"), std::string::npos);
  EXPECT_NE(wrong(R"({"register": "rax", "bits": [64]})").find("fewer bits"), std::string::npos);
  EXPECT_NE(wrong(R"({"memory": {"symbol": "a", "address": "0x1"}})").find("\"memory\" is"), std::string::npos);
  EXPECT_NE(wrong(R"({"instruction": "skip", "when": {"fromUs": 2, "toUs": 1}})").find("\"toUs\""), std::string::npos);
  EXPECT_NE(wrong(R"({"bits": [1]})").find("one of"), std::string::npos);
}

/// "  1234:	48 89 e5 	mov ..."
bool bytes_of(const char* line, std::vector<uint8_t>* bytes) {
  const char* at = strchr(line, '\t');
  bytes->clear();
  if (at == nullptr || strchr(line, ':') == nullptr || strchr(line, ':') > at) return false;
  for (++at; isxdigit(static_cast<unsigned char>(at[0])) && isxdigit(static_cast<unsigned char>(at[1])) && at[2] == ' '; at += 3) {
    bytes->push_back(static_cast<uint8_t>(strtoul(std::string(at, 2).c_str(), nullptr, 16)));
  }
  // With fwait, an instruction of its own, objdump shows the next one.
  return !bytes->empty() && bytes->front() != 0x9b && strstr(line, "(bad)") == nullptr;
}

TEST(Instructions, AreAsLongAsADisassemblerSays) {
  FILE* listing = popen("objdump -d -w /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libm.so.6 2>/dev/null", "r");
  ASSERT_NE(listing, nullptr);
  char line[512];
  std::vector<uint8_t> bytes;
  uint64_t count = 0, wrong = 0;
  while (fgets(line, sizeof line, listing) != nullptr) {
    if (!bytes_of(line, &bytes)) continue;
    // Whatever stands behind it.
    const size_t size = bytes.size();
    bytes.resize(size + 16, 0xcc);
    ++count;
    const uint32_t length = instruction_length(bytes.data(), static_cast<uint32_t>(bytes.size()));
    if (length == size) {
      EXPECT_EQ(instruction_length(bytes.data(), static_cast<uint32_t>(size - 1)), 0u) << line;
      continue;
    }
    if (++wrong < 10) ADD_FAILURE() << length << " of " << line;
  }
  pclose(listing);
  if (count == 0) GTEST_SKIP() << "no objdump (binutils), or no such libc";
  EXPECT_GT(count, 100000u);
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
