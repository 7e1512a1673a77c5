// The built-in plugin `env` against a host that path_plugin_host.h plays: what a restart does to the environment, and the table.
#include <gtest/gtest.h>
#include <link.h>
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
  // As the kernel leaves it: a string within the initial ones.
  char *path = getenv("PATH") - 5;
  std::string old_path = path;
  ASSERT_GT(old_path.size(), 20u);
  strcpy(path, "CAIRN_SESSION=one");
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  char **before = environ;
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

// The array has room from the start, and behind its end lies what lies behind the kernel's.
TEST(EnvPlugin, ANewVariableNeedsNoNewArray) {
  char **kernels = environ;
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  char **before = environ;
  ASSERT_NE(before, kernels);
  auto page_size = [] {
    char **end = environ;
    while (*end != nullptr) ++end;
    for (auto *one = reinterpret_cast<ElfW(auxv_t) *>(end + 1); one->a_type != AT_NULL; ++one)
      if (one->a_type == AT_PAGESZ) return one->a_un.a_val;
    return ElfW(Addr){0};
  };
  EXPECT_EQ(page_size(), 4096u);
  for (int i = 0; i < 10; ++i) restart_with({{"ADDED_" + std::to_string(i), "1"}});
  EXPECT_EQ(environ, before);
  EXPECT_STREQ(getenv("ADDED_9"), "1");
  EXPECT_EQ(page_size(), 4096u);
}

// What a shell hands on to a program are its own copies.
TEST(EnvPlugin, ProgramsGetTheNewValuesForCopiesOfTheOldOnes) {
  setenv("HANDED", "one", 1);
  setenv("HANDED_GONE", "x", 1);
  extensions.clear();
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  auto *handed = static_cast<const cairn_environment *>(extensions["cairn.environment/1"]);
  ASSERT_NE(handed, nullptr);
  EXPECT_STREQ(handed->entry("HANDED=one"), "HANDED=one");
  restart_with({{"HANDED", "two"}, {"HANDED_NEW", "new"}});
  settings[CAIRN_SETTING_ENVIRONMENT_UNSET] = {{"HANDED_GONE", ""}};
  restart_with({{"HANDED", "three"}});
  EXPECT_STREQ(handed->entry("HANDED=one"), "HANDED=three");
  EXPECT_STREQ(handed->entry("HANDED=two"), "HANDED=three");
  EXPECT_STREQ(handed->entry("HANDED=its own"), "HANDED=its own");
  EXPECT_STREQ(handed->entry("OTHER=one"), "OTHER=one");
  EXPECT_EQ(handed->entry("HANDED_GONE=x"), nullptr);
  std::string added;
  for (uint32_t i = 0; const char *entry = handed->added(i); ++i) added += std::string(entry) + " ";
  EXPECT_NE(added.find("HANDED_NEW=new"), std::string::npos);
}

TEST(EnvPlugin, CopiesOfTheProgramStay) {
  char **before = environ;
  std::vector<char *> copied;
  for (char **entry = environ; *entry != nullptr; ++entry) copied.push_back(strdup(*entry));
  copied.push_back(strdup("CAIRN_SESSION=mine"));
  copied.push_back(nullptr);
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  environ = copied.data();
  std::vector<char *> kept = copied;
  std::string old_path = getenv("PATH");
  restart_with({{"CAIRN_SESSION", "theirs"}, {"PATH", "/other:" + old_path}, {"NOT_THERE", "new"}});
  EXPECT_EQ(environ, copied.data());
  EXPECT_EQ(copied, kept);
  EXPECT_STREQ(getenv("CAIRN_SESSION"), "mine");
  // Only getenv knows of these.
  EXPECT_STREQ(getenv("PATH"), ("/other:" + old_path).c_str());
  EXPECT_STREQ(getenv("NOT_THERE"), "new");
  auto table = rows(cairn_plugin_env, "env");
  EXPECT_TRUE(has_row(table, {"PATH", "/other:" + old_path, old_path, "changed"}));
  EXPECT_TRUE(has_row(table, {"NOT_THERE", "new", "", "added"}));
  EXPECT_EQ(setenv("PATH", old_path.c_str(), 1), 0);
  EXPECT_EQ(unsetenv("NOT_THERE"), 0);
  EXPECT_STREQ(getenv("PATH"), old_path.c_str());
  EXPECT_EQ(getenv("NOT_THERE"), nullptr);
  for (size_t i = 0; i < kept.size() - 1; ++i) copied[i] = kept[i];
  for (char *string : copied) free(string);
  environ = before;
}

TEST(EnvPlugin, AReadOnlyArrayStays) {
  char **before = environ;
  static char first[] = "FIRST=1", second[] = "SECOND=2";
  auto **page = static_cast<char **>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  page[0] = first;
  page[1] = second;
  ASSERT_EQ(mprotect(page, 4096, PROT_READ), 0);
  ASSERT_EQ(cairn_plugin_env.init(&host, "{}"), 0);
  environ = page;
  restart_with({{"SECOND", "3"}});
  EXPECT_STREQ(getenv("FIRST"), "1");
  EXPECT_STREQ(getenv("SECOND"), "3");
  EXPECT_STREQ(second, "SECOND=2");
  EXPECT_EQ(environ, page);
  environ = before;
}

}  // namespace
