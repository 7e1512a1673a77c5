// The built-in plugin `env` against a host that path_plugin_host.h plays: what a restart does to the environment, and the table.
#include <gtest/gtest.h>
#include <string.h>
#include <sys/mman.h>

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

void restart_with(std::vector<std::pair<std::string, std::string>> values) {
  settings[CAIRN_SETTING_ENVIRONMENT] = std::move(values);
  ASSERT_EQ(cairn_plugin_env.event(CAIRN_EVENT_RESTART, nullptr), 0) << failure;
  settings.clear();
}

// What Cairn changes at every restart lies in places of its own from the start: neither the array nor any entry changes.
TEST(EnvPlugin, OwnVariablesNeedNoNewArray) {
  ASSERT_NE(getenv("PATH"), nullptr);
  char **before = environ;
  // As the kernel leaves it: a string within the initial ones.
  char *path = getenv("PATH") - 5;
  std::string old_path = path;
  ASSERT_GT(old_path.size(), 20u);
  strcpy(path, "CAIRN_SESSION=one");
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  EXPECT_STREQ(getenv("CAIRN_SESSION"), "one");
  EXPECT_STREQ(path, "CAIRN_SESSION=one");
  const char *place = getenv("CAIRN_SESSION");
  restart_with({{"CAIRN_SESSION", std::string(3000, 's')}, {"CAIRN_STORE", "nobody asked for it"}});
  EXPECT_EQ(environ, before);
  EXPECT_EQ(getenv("CAIRN_SESSION"), place);
  EXPECT_EQ(strlen(place), 3000u);
  EXPECT_EQ(getenv("CAIRN_STORE"), nullptr);
  for (char **entry = environ; *entry != nullptr; ++entry)
    if (*entry == place - 14) *entry = strcpy(path, old_path.c_str());
}

TEST(EnvPlugin, CopiesOfTheProgramStay) {
  char **before = environ;
  std::vector<char *> copied;
  for (char **entry = environ; *entry != nullptr; ++entry) copied.push_back(strdup(*entry));
  copied.push_back(strdup("CAIRN_SESSION=mine"));
  copied.push_back(nullptr);
  environ = copied.data();
  std::vector<char *> kept = copied;
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  restart_with({{"CAIRN_SESSION", "theirs"}, {"PATH", getenv("PATH")}});
  EXPECT_EQ(environ, copied.data());
  EXPECT_EQ(copied, kept);
  EXPECT_STREQ(getenv("CAIRN_SESSION"), "mine");
  for (char *string : copied) free(string);
  environ = before;
}

TEST(EnvPlugin, AReadOnlyArrayIsReplaced) {
  char **before = environ;
  static char first[] = "FIRST=1", second[] = "SECOND=2";
  auto **page = static_cast<char **>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  page[0] = first;
  page[1] = second;
  ASSERT_EQ(mprotect(page, 4096, PROT_READ), 0);
  environ = page;
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  restart_with({{"SECOND", "3"}});
  EXPECT_STREQ(getenv("FIRST"), "1");
  EXPECT_STREQ(getenv("SECOND"), "3");
  EXPECT_STREQ(second, "SECOND=2");
  environ = before;
}

}  // namespace
