// The plugin `process`: attributes are changed, as in a new process, and come back.
#include <gtest/gtest.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "plugin_fake_host.h"

extern "C" const struct cairn_plugin cairn_plugin_process;

namespace {

using cairn::test::fake;
using cairn::test::fake_host;
using cairn::test::own_real_id;

std::string read(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string folder() {
  char path[PATH_MAX];
  return getcwd(path, sizeof path) != nullptr ? path : "";
}

class Process : public testing::Test {
 protected:
  void SetUp() override {
    fake = {};
    fake.virtual_pid = 3100001;
    fake.real_pid = own_real_id(SYS_getpid);
    fake.threads = {{fake.virtual_pid, fake.real_pid}};
    ASSERT_EQ(cairn_plugin_process.init(fake_host(), "{}"), 0);
    char name[] = "/tmp/cairn-process-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    before_ = folder();
  }
  void TearDown() override {
    ASSERT_EQ(chdir(before_.c_str()), 0);
    rmdir((root_ + "/work").c_str());
    rmdir((root_ + "/moved").c_str());
    rmdir(root_.c_str());
  }
  static int save() { return cairn_plugin_process.event(CAIRN_EVENT_PRECHECKPOINT, nullptr); }
  static int restore() { return cairn_plugin_process.barrier(cairn_plugin_process.restart_barriers[0], 1); }
  std::string root_;
  std::string before_;
};

TEST_F(Process, AttributesComeBack) {
  std::string work = root_ + "/work";
  ASSERT_EQ(mkdir(work.c_str(), 0700), 0);
  ASSERT_EQ(chdir(work.c_str()), 0);
  umask(027);
  struct rlimit limit;
  getrlimit(RLIMIT_CORE, &limit);
  struct rlimit small = {limit.rlim_max < 4096 ? 0u : 4096u, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_CORE, &small), 0);
  prctl(PR_SET_NAME, "before");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  cpu_set_t all;
  cpu_set_t one;
  sched_getaffinity(0, sizeof all, &all);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &all)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  struct sched_param none = {};
  ASSERT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
  ASSERT_EQ(save(), 0) << fake.failure;

  ASSERT_EQ(chdir("/"), 0);
  umask(0);
  struct rlimit zero = {0, limit.rlim_max};
  setrlimit(RLIMIT_CORE, &zero);
  prctl(PR_SET_NAME, "after");
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  sched_setaffinity(0, sizeof all, &all);
  sched_setscheduler(0, SCHED_OTHER, &none);
  ASSERT_EQ(restore(), 0) << fake.failure;

  EXPECT_EQ(folder(), work);
  EXPECT_EQ(umask(022), 027u);
  struct rlimit now;
  getrlimit(RLIMIT_CORE, &now);
  EXPECT_EQ(now.rlim_cur, small.rlim_cur);
  EXPECT_EQ(read("/proc/self/comm"), "before");
  int reaper = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &reaper);
  EXPECT_EQ(reaper, 1);
  EXPECT_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
  cpu_set_t bound;
  sched_getaffinity(0, sizeof bound, &bound);
  // With one processor to have, it was not bound.
  EXPECT_TRUE(CPU_EQUAL(&bound, &one));
  EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
  for (const std::string& text : fake.logged) ADD_FAILURE() << text;

  setrlimit(RLIMIT_CORE, &limit);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  sched_setaffinity(0, sizeof all, &all);
  sched_setscheduler(0, SCHED_OTHER, &none);
}

TEST_F(Process, AFolderThatIsGoneEndsTheRestartAndIsNamed) {
  std::string work = root_ + "/work";
  ASSERT_EQ(mkdir(work.c_str(), 0700), 0);
  ASSERT_EQ(chdir(work.c_str()), 0);
  ASSERT_EQ(save(), 0) << fake.failure;
  ASSERT_EQ(chdir("/"), 0);
  ASSERT_EQ(rmdir(work.c_str()), 0);
  EXPECT_EQ(restore(), -ENOENT);
  EXPECT_NE(fake.failure.find(work), std::string::npos) << fake.failure;
  EXPECT_NE(fake.failure.find("--path"), std::string::npos) << fake.failure;
}

TEST_F(Process, ADeletedFolderIsOneWithoutAName) {
  std::string work = root_ + "/work";
  ASSERT_EQ(mkdir(work.c_str(), 0700), 0);
  ASSERT_EQ(chdir(work.c_str()), 0);
  ASSERT_EQ(rmdir(work.c_str()), 0);
  ASSERT_EQ(save(), 0) << fake.failure;
  ASSERT_EQ(chdir("/"), 0);
  ASSERT_EQ(restore(), 0) << fake.failure;
  char path[PATH_MAX];
  EXPECT_EQ(getcwd(path, sizeof path), nullptr);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_NE(access(work.c_str(), F_OK), 0);
}

std::string moved_from;
std::string moved_to;
int32_t copy(const std::string& path, char* buffer, uint32_t capacity) {
  if (path.size() + 1 > capacity) return -ENAMETOOLONG;
  path.copy(buffer, path.size());
  buffer[path.size()] = 0;
  return static_cast<int32_t>(path.size());
}

TEST_F(Process, TheFolderFollowsThePathRules) {
  static const cairn_paths paths = {
      sizeof(cairn_paths), 0,
      [](const char* path, char* buffer, uint32_t capacity) { return copy(path == moved_from ? moved_to : path, buffer, capacity); },
      [](const char* path, char* buffer, uint32_t capacity) { return copy(path, buffer, capacity); },
      [](const char*, const char*) -> int32_t { return 0; }};
  fake.extensions["cairn.paths/1"] = &paths;
  moved_from = root_ + "/work";
  moved_to = root_ + "/moved";
  ASSERT_EQ(mkdir(moved_from.c_str(), 0700), 0);
  ASSERT_EQ(mkdir(moved_to.c_str(), 0700), 0);
  ASSERT_EQ(chdir(moved_from.c_str()), 0);
  ASSERT_EQ(save(), 0) << fake.failure;
  ASSERT_EQ(chdir("/"), 0);
  ASSERT_EQ(restore(), 0) << fake.failure;
  EXPECT_EQ(folder(), moved_to);
}

TEST_F(Process, ALowerHardLimitIsSaid) {
  ASSERT_EQ(save(), 0) << fake.failure;
  // The new host: 100 descriptors at most, and no privilege.
  fake.intercept = [](long number, const long* arguments, long* result) {
    if (number != SYS_prlimit64 || arguments[1] != RLIMIT_NOFILE) return false;
    if (arguments[3] != 0) {
      uint64_t* limit = reinterpret_cast<uint64_t*>(arguments[3]);
      limit[0] = limit[1] = 100;
    }
    *result = arguments[2] != 0 && reinterpret_cast<const uint64_t*>(arguments[2])[1] > 100 ? -EPERM : 0;
    return true;
  };
  EXPECT_EQ(restore(), 0);
  fake.intercept = nullptr;
  bool said = false;
  for (const std::string& text : fake.logged) said = said || (text.find("RLIMIT_NOFILE") == 0 && text.find("100") != std::string::npos);
  EXPECT_TRUE(said);
}

}  // namespace
