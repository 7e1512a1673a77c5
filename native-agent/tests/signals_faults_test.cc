// The settings of fault-signals, what chance gives, and which values are meant.
extern "C" {
#include "signals/faults.h"
}

#include <gtest/gtest.h>

#include <string>

namespace {

faults all;

std::string error_of(const std::string& text) {
  const char* why = faults_read(text.c_str(), &all);
  return why == nullptr ? "" : why;
}

fault only(const std::string& text) {
  EXPECT_EQ(error_of("{\"faults\": [" + text + "]}"), "");
  EXPECT_EQ(all.count, 1u);
  return all.list_of[0];
}

TEST(FaultSettings, AnUpsetAtATime) {
  const fault one = only(R"({"model": "upset", "signal": "tb.ram[3]", "bits": [4, 5], "when": {"after": 1000}})");
  EXPECT_EQ(one.model, UPSET);
  EXPECT_STREQ(one.signal, "tb.ram[3]");
  EXPECT_EQ(one.bit_count, 2u);
  EXPECT_EQ(one.bits[1], 5u);
  EXPECT_EQ(one.when, AFTER);
  EXPECT_EQ(one.time, 1000u);
  EXPECT_EQ(only(R"({"model": "upset", "signal": "a"})").when, AT_ONCE);
}

TEST(FaultSettings, WhatIsHeldAndWhen) {
  const fault stuck = only(R"({"model": "stuckAt", "signal": "a", "value": 1, "when": {"cycle": 3, "clock": "clk", "falling": true}})");
  EXPECT_EQ(stuck.value, 1u);
  EXPECT_EQ(stuck.when, AT_CYCLE);
  EXPECT_EQ(stuck.nth, 3u);
  EXPECT_EQ(stuck.falling, 1u);
  const fault comes = only(R"({"model": "intermittent", "signal": "a", "period": 10, "on": 3, "when": {"signal": "b", "value": "101", "nth": 2}})");
  EXPECT_EQ(comes.value, 2u);
  EXPECT_EQ(comes.when, AT_VALUE);
  EXPECT_STREQ(comes.pattern, "101");
}

TEST(FaultSettings, ADelayAndALimit) {
  const fault late = only(R"({"model": "delay", "signal": "a", "by": 2, "clock": "clk"})");
  EXPECT_EQ(late.by, 2u);
  EXPECT_STREQ(late.from, "clk");
  EXPECT_STREQ(only(R"({"model": "delay", "signal": "a", "by": 20})").from, "");
  EXPECT_EQ(error_of(R"({"limit": 5000})"), "");
  EXPECT_EQ(all.limit, 5000u);
}

TEST(FaultSettings, AHoldBeforeEachFaultIsAskedFor) {
  EXPECT_EQ(error_of(R"({"faults": [{"model": "upset", "signal": "a"}]})"), "");
  EXPECT_EQ(all.hold, 0u);
  EXPECT_EQ(error_of(R"({"hold": true, "faults": [{"model": "upset", "signal": "a"}]})"), "");
  EXPECT_EQ(all.hold, 1u);
}

TEST(FaultSettings, WhatIsNoneIsSaid) {
  EXPECT_EQ(error_of("[]"), "they are no JSON object, or have a value of another kind");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "upsets", "signal": "a"}]})"), "fault 1: \"model\" is upset, stuckAt, transient, intermittent, bridge or delay");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "stuckAt", "signal": "a"}]})"), "fault 1: stuckAt needs a \"value\": 0 or 1");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "transient", "signal": "a"}]})"), "fault 1: a transient needs a \"duration\", in ticks");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "upset", "signal": "a", "when": {"time": 1, "after": 2}}]})"),
            "fault 1: \"when\" has one of time, after, cycle, value and from");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "bridge", "signal": "a"}]})"), "fault 1: a bridge needs \"from\", the other signal, and its \"kind\" is dominant, and or or");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "delay", "signal": "a"}]})"), "fault 1: a delay needs \"by\", how many ticks, or cycles of its \"clock\"");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "delay", "signal": "a", "by": 1, "value": 1}]})"), "fault 1: an upset and a delay have no \"value\"");
  EXPECT_EQ(error_of(R"({"faults": [{"model": "upset", "signal": "a", "by": 1}]})"), "fault 1: \"by\" and \"clock\" are of a delay");
  EXPECT_EQ(error_of(R"({"list": {"file": "x", "patterns": []}})"), "\"list\" and \"state\" need a file, by its absolute path");
}

TEST(FaultSettings, ChanceIsTheSameForASeedAndWithinItsRange) {
  fault one = only(R"({"model": "upset", "signal": "a", "when": {"from": 100, "to": 109, "seed": 5}})");
  EXPECT_EQ(fault_chance(&one, 3), fault_chance(&one, 3));
  uint32_t seen = 0;
  for (uint32_t index = 0; index < 200; ++index) {
    const uint64_t at = fault_chance(&one, index);
    ASSERT_GE(at, 100u);
    ASSERT_LE(at, 109u);
    seen |= 1u << (at - 100);
  }
  EXPECT_EQ(seen, 0x3ffu);
}

TEST(FaultSettings, ValuesMatchWithZerosInFront) {
  EXPECT_TRUE(fault_matches("00101", "101"));
  EXPECT_TRUE(fault_matches("101", "00101"));
  EXPECT_FALSE(fault_matches("10101", "101"));
  EXPECT_TRUE(fault_matches("0x1", "x1"));
}

// What reads it elsewhere goes by these places (debug-adapter/src/runners/run-plugins.ts).
TEST(FaultReport, ItsPlacesAreFixed) {
  EXPECT_EQ(offsetof(fault_report, run), 768u);
  EXPECT_EQ(offsetof(fault_report, results), 832u);
  EXPECT_EQ(sizeof(fault_report::results[0]), 16u);
  EXPECT_EQ(offsetof(fault_report, limit), 1344u);
  EXPECT_LE(sizeof(fault_report), size_t{FAULT_REPORT});
}

}  // namespace
