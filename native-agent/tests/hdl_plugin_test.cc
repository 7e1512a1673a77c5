// Patterns, indices and values of design signals (plugins/hdl/names.h).
#include <gtest/gtest.h>

#include <string>

#include "hdl/names.h"

namespace cairn::hdl {
namespace {

TEST(HdlNames, APatternWithoutWildcardsIsAPartOfTheName) {
  EXPECT_TRUE(matches("", "top.cpu.pc"));
  EXPECT_TRUE(matches("cpu", "top.cpu.pc"));
  EXPECT_TRUE(matches("top.cpu.pc", "top.cpu.pc"));
  EXPECT_FALSE(matches("cpu.pd", "top.cpu.pc"));
  EXPECT_FALSE(matches("top.cpu.pc.x", "top.cpu.pc"));
}

TEST(HdlNames, WithWildcardsItIsTheWholeName) {
  EXPECT_TRUE(matches("*pc", "top.cpu.pc"));
  EXPECT_TRUE(matches("top.*.p?", "top.cpu.pc"));
  EXPECT_TRUE(matches("*a*b*", "xxaabxx"));
  EXPECT_TRUE(matches("top*", "top"));
  EXPECT_FALSE(matches("cpu*", "top.cpu.pc"));
  EXPECT_FALSE(matches("top.?", "top.pc"));
  EXPECT_FALSE(matches("*pc", "top.cpu.pc1"));
}

TEST(HdlNames, AnIndexIsAtTheEnd) {
  uint32_t length = 0;
  int32_t index = 0;
  ASSERT_TRUE(split_index("top.mem[42]", &length, &index));
  EXPECT_EQ(length, 7u);
  EXPECT_EQ(index, 42);
  ASSERT_TRUE(split_index("m[0][-3]", &length, &index));
  EXPECT_EQ(length, 4u);
  EXPECT_EQ(index, -3);
  for (const char* name : {"top.mem", "[1]", "mem[]", "mem[x]", "mem[1", "mem[1]x", "mem[99999999999]", ""}) {
    EXPECT_FALSE(split_index(name, &length, &index)) << name;
  }
}

std::string fitted(const char* value, uint32_t width) {
  char bits[65] = {};
  return fit_value(value, width, bits) ? bits : "does not fit";
}

TEST(HdlValues, AreFilledInFrontAndCutWhereNothingIsLost) {
  EXPECT_EQ(fitted("0101", 8), "00000101");
  EXPECT_EQ(fitted("110", 4), "1110");  // -2
  EXPECT_EQ(fitted("xx1", 4), "xxx1");
  EXPECT_EQ(fitted("zz", 3), "zzz");
  EXPECT_EQ(fitted("00001", 1), "1");
  EXPECT_EQ(fitted("xxxxx", 2), "xx");
  EXPECT_EQ(fitted("0101", 2), "does not fit");
  EXPECT_EQ(fitted("01111", 3), "does not fit");
}

}  // namespace
}  // namespace cairn::hdl
