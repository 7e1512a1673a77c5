// Rules for files: patterns, and the order in which they count.
#include <gtest/gtest.h>
#include <string.h>

#include "file/rules.cc"

namespace {

using namespace cairn::file;

bool fits(const char* pattern, const char* path) { return matches(pattern, strlen(pattern), path); }

TEST(FileRules, APatternWithoutASlashIsForTheLastPart) {
  EXPECT_TRUE(fits("*.vcd", "/work/run/dump.vcd"));
  EXPECT_TRUE(fits("dump.vcd", "/work/run/dump.vcd"));
  EXPECT_FALSE(fits("dump", "/work/run/dump.vcd"));
  EXPECT_FALSE(fits("*.vcd", "/work/run/dump.vcd.gz"));
  EXPECT_TRUE(fits("du?p.*", "/work/run/dump.vcd"));
  EXPECT_TRUE(fits("*", "/x"));
}

TEST(FileRules, AStarStopsAtASlashAndTwoDoNot) {
  EXPECT_TRUE(fits("/work/*/dump.vcd", "/work/run/dump.vcd"));
  EXPECT_FALSE(fits("/work/*/dump.vcd", "/work/run/one/dump.vcd"));
  EXPECT_TRUE(fits("/work/**/dump.vcd", "/work/run/one/dump.vcd"));
  EXPECT_TRUE(fits("/work/**/dump.vcd", "/work/dump.vcd"));
  EXPECT_TRUE(fits("/work/**", "/work/run/one/dump.vcd"));
  EXPECT_FALSE(fits("/work/**", "/workshop/run"));
  EXPECT_FALSE(fits("/work/ru?", "/work/ru/"));
  EXPECT_TRUE(fits("/a/**/c/*.x", "/a/b/c/d/c/e.x"));
  EXPECT_FALSE(fits("/a/**/c/*.x", "/a/b/c/d/e.x"));
  EXPECT_TRUE(fits("**/lib*/*.so", "/opt/tools/lib64/a.so"));
}

TEST(FileRules, TheFirstThatFitsCounts) {
  const char* rules = "ignore /work/log/**\ncheck *.log\nsave **\nnonsense x\n";
  EXPECT_EQ(rule_in(rules, "/work/log/a.log"), Rule::ignore);
  EXPECT_EQ(rule_in(rules, "/work/a.log"), Rule::check);
  EXPECT_EQ(rule_in(rules, "/work/a.txt"), Rule::save);
  EXPECT_EQ(rule_in("save *.x\n", "/work/a.txt"), Rule::none);
}

}  // namespace
