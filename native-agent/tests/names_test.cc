// Shared names: what one process sets, another sees; of several that claim one name exactly one gets it.
#include "events/names.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

using namespace cairn::events;

class Names : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/cairn-names-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    int fd = open((folder_ + "/names").c_str(), O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(ftruncate(fd, 1 << 20), 0);
    close(fd);
    ASSERT_EQ(map_names((folder_ + "/agent.sock").c_str()), 0);
  }
  void TearDown() override {
    forget_names();
    unlink((folder_ + "/names").c_str());
    rmdir(folder_.c_str());
  }
  std::string folder_;
};

TEST_F(Names, AreSetReplacedFoundAndRemoved) {
  int64_t value = 0;
  EXPECT_EQ(get_name(3, 17, &value), -ENOENT);
  EXPECT_EQ(set_name(3, 17, -5), 0);
  EXPECT_EQ(get_name(3, 17, &value), 0);
  EXPECT_EQ(value, -5);
  EXPECT_EQ(get_name(4, 17, &value), -ENOENT) << "spaces are apart";
  EXPECT_EQ(set_name(3, 17, 6), 0);
  EXPECT_EQ(get_name(3, 17, &value), 0);
  EXPECT_EQ(value, 6);
  EXPECT_EQ(claim_name(3, 17, 7, &value), -EEXIST);
  EXPECT_EQ(value, 6);
  EXPECT_EQ(remove_name(3, 17), 0);
  EXPECT_EQ(remove_name(3, 17), -ENOENT);
  EXPECT_EQ(claim_name(3, 17, 7, &value), 0);
}

TEST_F(Names, AreListedBySpace) {
  for (int64_t key = 0; key < 300; ++key) ASSERT_EQ(set_name(1 + key % 2, key, key * key), 0);
  uint32_t index = 0, count = 0;
  int64_t key, value;
  while (next_name(2, &index, &key, &value) == 0) {
    EXPECT_EQ(value, key * key);
    EXPECT_EQ(key % 2, 1);
    ++count;
  }
  EXPECT_EQ(count, 150u);
}

TEST_F(Names, AFullTableSaysSo) {
  int32_t result = 0;
  int64_t key = 0;
  while (result == 0 && key < 1 << 20) result = set_name(9, key++, 1);
  EXPECT_EQ(result, -ENOSPC);
  EXPECT_EQ(remove_name(9, 5), 0);
  EXPECT_EQ(set_name(9, -1, 1), 0);
}

TEST_F(Names, ProcessesThatWereKilledMakeRoom) {
  constexpr uint32_t processes = 1;  // CAIRN_NAMES_PROCESS
  constexpr int64_t nobody = 0x3ffffffe;
  for (int64_t key = 1; key <= 4096; ++key) ASSERT_EQ(set_name(processes, key, nobody), 0) << key;
  EXPECT_EQ(set_name(processes, 5000, getpid()), 0);
  uint32_t index = 0;
  int64_t key, value;
  ASSERT_EQ(next_name(processes, &index, &key, &value), 0);
  EXPECT_EQ(key, 5000);
  EXPECT_EQ(next_name(processes, &index, &key, &value), -ENOENT);
}

TEST_F(Names, OfSeveralProcessesThatClaimOneGetsIt) {
  constexpr int processes = 4, rounds = 2000;
  std::vector<pid_t> children;
  for (int self = 0; self < processes; ++self) {
    pid_t child = fork();
    if (child == 0) {
      int64_t holder = 0;
      for (int64_t key = 0; key < rounds; ++key) {
        if (claim_name(5, key, self, &holder) == 0) set_name(6 + static_cast<uint32_t>(self), key, 1);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int64_t key = 0; key < rounds; ++key) {
    int64_t holder = -1, value;
    ASSERT_EQ(get_name(5, key, &holder), 0);
    int winners = 0;
    for (int self = 0; self < processes; ++self) winners += get_name(6 + static_cast<uint32_t>(self), key, &value) == 0 ? 1 : 0;
    ASSERT_EQ(winners, 1) << key;
    ASSERT_EQ(get_name(6 + static_cast<uint32_t>(holder), key, &value), 0) << key;
  }
}

}  // namespace
