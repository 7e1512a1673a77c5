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

std::string formatted(const char* bits) {
  char text[64];
  format_value(bits, text, sizeof text);
  return text;
}

TEST(HdlValues, AreShownAsVerilogWritesThem) {
  EXPECT_EQ(formatted("1"), "1'b1");
  EXPECT_EQ(formatted("00101010"), "8'h2a");
  EXPECT_EQ(formatted("101010"), "6'h2a");
  EXPECT_EQ(formatted("xxxx0001"), "8'hx1");
  EXPECT_EQ(formatted("x1x0"), "4'bx1x0");
  EXPECT_EQ(formatted("1xxx"), "4'b1xxx");
  EXPECT_EQ(formatted("zz1111"), "6'hzf");
}

bool is(const char* value, const char* operation, const char* than) {
  Operation read = Operation::any;
  EXPECT_TRUE(read_operation(operation, &read)) << operation;
  return holds(read, value, than);
}

TEST(HdlValues, AreCompared) {
  EXPECT_TRUE(is("0101", "==", "0101"));
  EXPECT_FALSE(is("0101", "==", "0100"));
  EXPECT_TRUE(is("01x1", "==", "01x1"));
  EXPECT_TRUE(is("01x1", "!=", "0101"));
  EXPECT_TRUE(is("0101", "<", "0110"));
  EXPECT_FALSE(is("0110", "<", "0110"));
  EXPECT_TRUE(is("0110", "<=", "0110"));
  EXPECT_TRUE(is("1000", ">", "0111"));
  EXPECT_TRUE(is("1000", ">=", "0111"));
  EXPECT_FALSE(is("x000", ">", "0111"));
  EXPECT_FALSE(is("x000", "<=", "0111"));
  EXPECT_TRUE(is("x000", "any", ""));
  Operation ignored = Operation::any;
  EXPECT_FALSE(read_operation("=", &ignored));
  EXPECT_TRUE(holds(Operation::more, 1.5, 1.0));
}

}  // namespace
}  // namespace cairn::hdl
