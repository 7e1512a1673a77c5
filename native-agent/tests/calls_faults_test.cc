// The settings of fault-calls, and which calls they choose.
extern "C" {
#include "calls/faults.h"
}

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>

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
  EXPECT_EQ(read.count, 1u);
  return read.list[0];
}

TEST(FaultSettings, AResultInPlaceOfTheCall) {
  const fault one = only(R"({"function": "write", "library": "libc.so.6", "program": "vvp", "return": -1, "errno": "EIO", "calls": {"nth": 3}})");
  EXPECT_STREQ(one.function, "write");
  EXPECT_STREQ(one.library, "libc.so.6");
  EXPECT_STREQ(one.program, "vvp");
  EXPECT_EQ(one.calls_through, 0u);
  EXPECT_EQ(one.result, UINT64_MAX);
  EXPECT_EQ(one.number, EIO);
  EXPECT_EQ(one.calls.first, 3u);
  EXPECT_EQ(one.calls.last, 3u);
}

TEST(FaultSettings, ADoubleABitAndBytes) {
  double value;
  const fault real = only(R"({"function": "sin", "returnDouble": -2.5e-1, "call": true})");
  memcpy(&value, &real.result, sizeof value);
  EXPECT_DOUBLE_EQ(value, -0.25);
  EXPECT_EQ(real.calls_through, 1u);
  EXPECT_EQ(only(R"({"function": "f", "flip": "0x8000000000000001"})").flip, 0x8000000000000001u);
  const fault bytes = only(R"({"function": "read", "output": {"argument": 2, "offset": 4, "bytes": "00fF", "withinResult": true}})");
  EXPECT_EQ(bytes.output.size, 2u);
  EXPECT_EQ(bytes.output.bytes[1], 0xff);
  EXPECT_EQ(bytes.output.keep[1], 0);
  EXPECT_EQ(bytes.output.within_result, 1u);
  const fault flips = only(R"({"function": "read", "output": {"argument": 2, "flip": "80"}})");
  EXPECT_EQ(flips.output.keep[0], 0xff);
  EXPECT_EQ(only("{\"function\": \"a\\u0041\\\"\", \"delayUs\": 1}").function, std::string("aA\""));
}

TEST(FaultSettings, WhatIsWrongIsNamed) {
  EXPECT_NE(error_of("").find("no JSON object"), std::string::npos);
  EXPECT_NE(error_of("{}").find("no JSON object"), std::string::npos);
  EXPECT_NE(error_of("{\"faults\": []} x").find("no JSON object"), std::string::npos);
  EXPECT_NE(error_of("{\"fault\": []}").find("faults, cumulative and report"), std::string::npos);
  const auto in = [](const std::string& text) { return error_of("{\"faults\": [" + text + "]}"); };
  EXPECT_NE(in("{}").find("fault 1: it needs a \"function\""), std::string::npos);
  EXPECT_NE(in(R"({"function": "f"})").find("it does nothing"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "wrong": 1})").find("wrong: there is"), std::string::npos);
  EXPECT_NE(in(R"({"function": 1})").find("function has a value of another kind"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "return": 1.5})").find("return has a value of another kind"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "errno": "EWRONG"})").find("\"errno\""), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "return": 1, "flip": 1, "call": true})").find("not both"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "return": 1, "returnDouble": 1})").find("not both"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "call": false, "errno": 5})").find("not called"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "return": 0, "calls": {"first": 4, "last": 3}})").find("not before"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "return": 0, "calls": {"probability": 1.5}})").find("from 0 to 1"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "output": {"argument": 7, "bytes": "00"}})").find("from 1 to 6"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "output": {"argument": 1, "bytes": "0"}})").find("hexadecimal"), std::string::npos);
  EXPECT_NE(in(R"({"function": "f", "output": {"argument": 1, "bytes": "00", "flip": "01"}})").find("or \"flip\""), std::string::npos);
  EXPECT_NE(in("{\"function\": \"" + std::string(300, 'f') + "\", \"return\": 0}").find("too long"), std::string::npos);
  std::string many = R"({"function": "f", "return": 0})", list = many;
  for (int i = 0; i < 32; ++i) list += "," + many;
  EXPECT_NE(in(list).find("more than 32"), std::string::npos);
}

TEST(FaultSettings, TextOfAnyKindIsReadToItsEndAtMost) {
  const std::string whole = R"({"cumulative": true, "faults": [{"function": "f", "calls": {"every": 2, "probability": 0.5, "seed": 7}, "output":)"
                            R"( {"argument": 1, "flip": "01"}, "errno": "EIO"}]})";
  EXPECT_EQ(error_of(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    // In memory of its own, so that a sanitizer sees what is read behind it.
    char* part = strndup(whole.c_str(), size);
    EXPECT_NE(error_of(part), "") << part;
    free(part);
  }
}

TEST(FaultCalls, AreChosenByNumberAndByChance) {
  chosen calls = {.first = 3, .last = 9, .every = 3, .seed = 0, .chance = uint64_t{1} << 32};
  std::string found;
  for (uint64_t n = 1; n <= 12; ++n) found += chosen_has(&calls, n) ? 'x' : '.';
  EXPECT_EQ(found, "..x..x..x...");
  calls = {.first = 1, .last = UINT64_MAX, .every = 1, .seed = 42, .chance = uint64_t{1} << 30};
  int count = 0, same = 0;
  chosen other = calls;
  other.seed = 43;
  for (uint64_t n = 1; n <= 100000; ++n) {
    count += chosen_has(&calls, n);
    same += chosen_has(&calls, n) && chosen_has(&other, n);
  }
  EXPECT_NEAR(count, 25000, 700);
  EXPECT_NEAR(same, 6250, 400);
  calls.chance = 0;
  EXPECT_FALSE(chosen_has(&calls, 1));
}

}  // namespace
