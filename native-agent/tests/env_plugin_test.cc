// The built-in plugin `env` against a host that path_plugin_host.h plays: what a restart does to the environment, and the table.
#include <gtest/gtest.h>
#include <string.h>

#include "path_plugin_host.h"

extern "C" const struct cairn_plugin cairn_plugin_env;

namespace {

using namespace cairn::path_test;

TEST(EnvPlugin, RestartGivesNewValues) {
  setenv("CAIRN_TEST_KEEP", "keep", 1);
  setenv("CAIRN_TEST_OLD", "old", 1);
  setenv("TEST_GONE", "gone", 1);
  setenv("TEST_OLD", "before", 1);
  settings[CAIRN_SETTING_ENVIRONMENT] = {{"TEST_OLD", "now"}, {"TEST_NEW", "new"}, {"TEST_EMPTY", ""}, {"TEST_NEW", "newer"}};
  settings[CAIRN_SETTING_ENVIRONMENT_UNSET] = {{"TEST_GONE", ""}, {"TEST_NEVER_SET", ""}};
  size_t index = 0, new_index = 0;
  while (strncmp(environ[index], "TEST_OLD=", 9) != 0) ++index;
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  ASSERT_EQ(cairn_plugin_env.event(CAIRN_EVENT_RESTART, nullptr), 0) << failure;
  EXPECT_STREQ(getenv("TEST_OLD"), "now");
  EXPECT_STREQ(getenv("TEST_NEW"), "newer");
  EXPECT_STREQ(getenv("TEST_EMPTY"), "");
  EXPECT_EQ(getenv("TEST_GONE"), nullptr);
  EXPECT_STREQ(getenv("CAIRN_TEST_KEEP"), "keep");
  while (strncmp(environ[new_index], "TEST_OLD=", 9) != 0) ++new_index;
  EXPECT_EQ(new_index, index - 1);  // in its place; TEST_GONE stood before it
  auto table = rows(cairn_plugin_env, "env");
  EXPECT_TRUE(has_row(table, {"TEST_OLD", "now", "before", "changed"}));
  EXPECT_TRUE(has_row(table, {"TEST_NEW", "newer", "", "added"}));
  EXPECT_TRUE(has_row(table, {"TEST_GONE", "", "gone", "removed"}));
  EXPECT_TRUE(has_row(table, {"CAIRN_TEST_KEEP", "keep", "keep", "cairn"}));
  EXPECT_EQ(setenv("TEST_LATER", "1", 1), 0);  // libc goes on from the new array
  EXPECT_STREQ(getenv("TEST_LATER"), "1");
  EXPECT_STREQ(getenv("TEST_OLD"), "now");
  settings[CAIRN_SETTING_ENVIRONMENT] = {{"BAD=NAME", "x"}};
  EXPECT_EQ(cairn_plugin_env.event(CAIRN_EVENT_RESTART, nullptr), -EINVAL);
  settings.clear();
}

}  // namespace
