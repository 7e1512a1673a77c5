// The built-in plugin `path` against a host that path_plugin_host.h plays: rules, the overlay, folders, links in /proc. The
// plugin's wrappers are linked into this program, so that its own calls of open, stat and the others are the ones under test; what is
// really on disk is looked at by plain system calls. Each case runs in a forked child, because the plugin's state is the
// process's.
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <functional>

#include "path/own.h"
#include "path_plugin_host.h"

extern "C" const struct cairn_plugin cairn_plugin_path;

namespace {

using namespace cairn::path_test;

const cairn_ids ids = {sizeof ids, 0,
                       [](int32_t id) { return id == kVirtualPid ? static_cast<int32_t>(syscall(SYS_getpid)) : id; },
                       [](int32_t id) { return id == static_cast<int32_t>(syscall(SYS_getpid)) ? kVirtualPid : id; },
                       nullptr, nullptr, nullptr,
                       [](const char *real) -> int32_t {
                         if (std::string(real) != "/proc/self/status") return -ENOENT;
                         int copy = memfd_create("copy", MFD_CLOEXEC);
                         return copy >= 0 && write(copy, "copied", 6) == 6 ? copy : -EIO;
                       }};

const cairn_paths &paths() { return *static_cast<const cairn_paths *>(extensions.at("cairn.paths/1")); }

// What is really there.
bool really_exists(const std::string &path) { return syscall(SYS_faccessat, AT_FDCWD, path.c_str(), F_OK) == 0; }

std::string really(const std::string &path) {
  int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY));
  if (fd < 0) return "(none)";
  char buffer[4096];
  ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  return std::string(buffer, static_cast<size_t>(std::max<ssize_t>(size, 0)));
}

// What the application sees and does.
std::string seen(const std::string &path) {
  FILE *file = fopen(path.c_str(), "r");
  if (file == nullptr) return "(none)";
  char buffer[4096];
  size_t size = fread(buffer, 1, sizeof buffer, file);
  fclose(file);
  return std::string(buffer, size);
}

bool put(const std::string &path, const std::string &text, const char *mode = "w") {
  FILE *file = fopen(path.c_str(), mode);
  if (file == nullptr) return false;
  fputs(text.c_str(), file);
  return fclose(file) == 0;
}

Strings listing(DIR *folder) {
  Strings names;
  while (struct dirent *entry = readdir(folder)) names.push_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

Strings listing(const std::string &path) {
  DIR *folder = opendir(path.c_str());
  if (folder == nullptr) return {"(none)"};
  Strings names = listing(folder);
  closedir(folder);
  return names;
}

/// A folder with `work`, the working directory with what an earlier run left, and its store with a run folder.
class PathPlugin : public testing::Test {
 protected:
  std::string base, work, run;

  void SetUp() override {
    char name[] = "/tmp/cairn-path-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    base = name;
    work = base + "/work";
    run = work + "/.cairn/runs/first";
    for (const std::string &folder : {work, work + "/.cairn", work + "/.cairn/runs", run, work + "/sub", work + "/sub/deep",
                                      base + "/out"})
      ASSERT_EQ(mkdir(folder.c_str(), 0755), 0) << folder;
    ASSERT_TRUE(put(work + "/old.txt", "old"));
    ASSERT_TRUE(put(work + "/sub/a.txt", "a"));
    ASSERT_TRUE(put(work + "/sub/deep/b.txt", "b"));
    ASSERT_TRUE(put(base + "/out/far.txt", "far"));
  }

  void TearDown() override {
    std::string command = "rm -rf " + base;
    ASSERT_EQ(system(command.c_str()), 0);
  }

  void start() {
    ASSERT_EQ(chdir(work.c_str()), 0);
    ASSERT_EQ(cairn_plugin_path.init(&host, "{}"), 0) << failure;
    extensions["cairn.ids/1"] = &ids;
  }
  int32_t restart_with(const std::string &folder, const std::function<void()> &before_running = [] {}) {
    settings[CAIRN_SETTING_RUN_FOLDER].clear();
    if (!folder.empty()) settings[CAIRN_SETTING_RUN_FOLDER].push_back({"", folder});
    settings[CAIRN_SETTING_OPTION] = {{"hosts", "one"}};
    int32_t error = cairn_plugin_path.event(CAIRN_EVENT_PRECHECKPOINT, nullptr);
    cairn::test::names.clear();
    if (error == 0) error = cairn_plugin_path.event(CAIRN_EVENT_RESTART, nullptr);
    before_running();
    return error != 0 ? error : cairn_plugin_path.event(CAIRN_EVENT_RUNNING, nullptr);
  }
  void restart() {
    start();
    ASSERT_EQ(restart_with(run), 0) << failure;
  }

  /// Runs a case in a child.
  void in_child(const std::function<void()> &body) {
    fflush(nullptr);
    pid_t child = fork();
    ASSERT_NE(child, -1);
    if (child == 0) {
      body();
      fflush(nullptr);
      _exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  }
};

TEST_F(PathPlugin, WithoutRulesNothingChanges) {
  in_child([&] {
    start();
    EXPECT_TRUE(put("old.txt", "new"));
    EXPECT_EQ(really(work + "/old.txt"), "new");
    char buffer[PATH_MAX];
    EXPECT_EQ(paths().to_real("sub/../x", buffer, sizeof buffer), 8);
    EXPECT_STREQ(buffer, "sub/../x");
  });
}

TEST_F(PathPlugin, WritingGoesToTheRunFolder) {
  in_child([&] {
    restart();
    EXPECT_EQ(seen("old.txt"), "old");
    EXPECT_FALSE(really_exists(run + "/old.txt"));  // reading copies nothing
    EXPECT_TRUE(put("old.txt", "+more", "a"));
    EXPECT_EQ(seen("old.txt"), "old+more");
    EXPECT_EQ(really(run + "/old.txt"), "old+more");
    EXPECT_EQ(really(work + "/old.txt"), "old");
    EXPECT_TRUE(put(work + "/sub/./deep//../deep/b.txt", "B"));  // truncated, by an absolute path
    EXPECT_EQ(really(run + "/sub/deep/b.txt"), "B");
    EXPECT_EQ(really(work + "/sub/deep/b.txt"), "b");
    EXPECT_TRUE(put("sub/new.txt", "n"));
    EXPECT_EQ(seen(work + "/sub/new.txt"), "n");
    EXPECT_FALSE(really_exists(work + "/sub/new.txt"));
    EXPECT_FALSE(put("nowhere/new.txt", "n"));
    EXPECT_EQ(errno, ENOENT);
    int fd = open("old.txt", O_WRONLY | O_CREAT | O_EXCL, 0644);
    EXPECT_EQ(fd, -1);
    EXPECT_EQ(errno, EEXIST);
  });
}

TEST_F(PathPlugin, CopyKeepsModeAndTimes) {
  ASSERT_EQ(chmod((work + "/old.txt").c_str(), 0640), 0);
  struct timespec times[2] = {{1000, 5}, {2000, 7}};
  ASSERT_EQ(utimensat(AT_FDCWD, (work + "/old.txt").c_str(), times, 0), 0);
  in_child([&] {
    restart();
    int fd = open("old.txt", O_RDWR);
    ASSERT_GE(fd, 0);
    struct stat status;
    ASSERT_EQ(stat("old.txt", &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
    EXPECT_EQ(status.st_mtim.tv_sec, 2000);
    EXPECT_EQ(status.st_mtim.tv_nsec, 7);
    EXPECT_EQ(chmod("sub/a.txt", 0600), 0);
    struct stat64 plain = {};
    ASSERT_EQ(syscall(SYS_newfstatat, AT_FDCWD, (work + "/sub/a.txt").c_str(), &plain, 0), 0);
    EXPECT_EQ(plain.st_mode & 07777, 0644u & ~static_cast<unsigned>(umask(022)));
  });
}

TEST_F(PathPlugin, WhatLiesOutsideIsLeftAlone) {
  in_child([&] {
    restart();
    EXPECT_TRUE(put(base + "/out/far.txt", "written"));
    EXPECT_EQ(really(base + "/out/far.txt"), "written");
    EXPECT_TRUE(put(".cairn/note", "store"));
    EXPECT_EQ(really(work + "/.cairn/note"), "store");
    EXPECT_TRUE(put("../out/near.txt", "near"));
    EXPECT_EQ(really(base + "/out/near.txt"), "near");
    EXPECT_TRUE(put("/dev/null", "x"));
  });
}

TEST_F(PathPlugin, RemovingHidesAndKeepsTheOriginal) {
  in_child([&] {
    restart();
    EXPECT_EQ(unlink("old.txt"), 0);
    EXPECT_EQ(seen("old.txt"), "(none)");
    EXPECT_EQ(really(work + "/old.txt"), "old");
    EXPECT_EQ(access("old.txt", F_OK), -1);
    EXPECT_EQ(unlink("old.txt"), -1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_TRUE(put("old.txt", "again", "a"));
    EXPECT_EQ(seen("old.txt"), "again");
    EXPECT_EQ(remove("old.txt"), 0);
    EXPECT_EQ(seen("old.txt"), "(none)");
    EXPECT_EQ(rmdir("sub"), -1);
    EXPECT_EQ(errno, ENOTEMPTY);
    EXPECT_EQ(unlink("sub/deep/b.txt"), 0);
    EXPECT_EQ(rmdir("sub/deep"), 0);
    EXPECT_EQ(mkdir("sub/deep", 0755), 0);
    EXPECT_EQ(listing("sub/deep"), (Strings{".", ".."}));  // the old content does not come back
    EXPECT_EQ(really(work + "/sub/deep/b.txt"), "b");
  });
}

TEST_F(PathPlugin, Renaming) {
  in_child([&] {
    restart();
    EXPECT_EQ(rename("old.txt", "sub/renamed.txt"), 0);
    EXPECT_EQ(seen("sub/renamed.txt"), "old");
    EXPECT_EQ(seen("old.txt"), "(none)");
    EXPECT_TRUE(put("log.new", "l"));
    EXPECT_EQ(rename("log.new", "sub/a.txt"), 0);
    EXPECT_EQ(seen("sub/a.txt"), "l");
    EXPECT_EQ(rename("sub", "moved"), 0) << strerror(errno);
    EXPECT_EQ(seen("moved/deep/b.txt"), "b");
    EXPECT_EQ(seen("moved/a.txt"), "l");
    EXPECT_EQ(access("sub", F_OK), -1);
    EXPECT_EQ(really(work + "/old.txt"), "old");
    EXPECT_EQ(really(work + "/sub/a.txt"), "a");
    EXPECT_FALSE(really_exists(work + "/moved"));
    EXPECT_EQ(renameat2(AT_FDCWD, "moved/a.txt", AT_FDCWD, "moved/deep/b.txt", RENAME_NOREPLACE), -1);
    EXPECT_EQ(errno, EEXIST);
  });
}

TEST_F(PathPlugin, ListingsAreMerged) {
  in_child([&] {
    restart();
    EXPECT_TRUE(put("sub/new.txt", "n"));
    EXPECT_TRUE(put("sub/a.txt", "A"));
    EXPECT_EQ(unlink("old.txt"), 0);
    EXPECT_EQ(listing("sub"), (Strings{".", "..", "a.txt", "deep", "new.txt"}));
    EXPECT_EQ(listing("."), (Strings{".", "..", ".cairn", "sub"}));
    DIR *folder = opendir("sub");
    ASSERT_NE(folder, nullptr);
    EXPECT_EQ(listing(folder).size(), 5u);
    EXPECT_EQ(readdir(folder), nullptr);
    rewinddir(folder);
    EXPECT_EQ(listing(folder).size(), 5u);
    EXPECT_EQ(closedir(folder), 0);
    DIR *by_fd = fdopendir(open(work.append("/sub").c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_NE(by_fd, nullptr);
    EXPECT_EQ(listing(by_fd), (Strings{".", "..", "a.txt", "deep", "new.txt"}));
    closedir(by_fd);
    struct dirent **list = nullptr;
    EXPECT_EQ(scandir("sub", &list, nullptr, alphasort), 5);
    EXPECT_STREQ(list[4]->d_name, "new.txt");
    glob_t found = {};
    EXPECT_EQ(glob("sub/*.txt", 0, nullptr, &found), 0);
    EXPECT_EQ(found.gl_pathc, 2u);
    globfree(&found);
  });
}

TEST_F(PathPlugin, FoldersDescriptors) {
  in_child([&] {
    restart();
    int before = open("sub", O_RDONLY | O_DIRECTORY);  // of the original place
    ASSERT_GE(before, 0);
    EXPECT_TRUE(put("sub/new.txt", "n"));
    int fd = openat(before, "new.txt", O_RDONLY);
    EXPECT_GE(fd, 0);
    fd = openat(before, "a.txt", O_WRONLY | O_TRUNC);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(really(work + "/sub/a.txt"), "a");
    EXPECT_EQ(mkdirat(before, "made", 0755), 0);
    EXPECT_TRUE(really_exists(run + "/sub/made"));
    EXPECT_EQ(unlinkat(before, "deep", AT_REMOVEDIR), -1);
    EXPECT_EQ(errno, ENOTEMPTY);
    EXPECT_EQ(chdir("sub/made"), 0);
    char cwd[PATH_MAX];
    ASSERT_NE(getcwd(cwd, sizeof cwd), nullptr);
    EXPECT_EQ(cwd, work + "/sub/made");
    EXPECT_EQ(seen("../new.txt"), "n");
    EXPECT_EQ(seen("../deep/b.txt"), "b");
    EXPECT_EQ(getcwd(cwd, 3), nullptr);
    EXPECT_EQ(errno, ERANGE);
  });
}

TEST_F(PathPlugin, SymbolicLinks) {
  ASSERT_EQ(symlink("old.txt", (work + "/latest").c_str()), 0);
  ASSERT_EQ(symlink("../out", (work + "/far").c_str()), 0);
  ASSERT_EQ(symlink((work + "/sub").c_str(), (base + "/out/back").c_str()), 0);
  ASSERT_EQ(symlink("/dev/null", (work + "/nul").c_str()), 0);
  ASSERT_EQ(symlink("loop", (work + "/loop").c_str()), 0);
  in_child([&] {
    restart();
    EXPECT_TRUE(put("latest", "L"));
    EXPECT_EQ(seen("old.txt"), "L");
    EXPECT_EQ(really(work + "/old.txt"), "old");
    EXPECT_TRUE(put("far/far.txt", "F"));  // named below the working directory
    EXPECT_EQ(seen("far/far.txt"), "F");
    EXPECT_EQ(really(base + "/out/far.txt"), "far");
    EXPECT_TRUE(put(base + "/out/back/a.txt", "A"));  // leads into it
    EXPECT_EQ(really(work + "/sub/a.txt"), "a");
    EXPECT_EQ(seen("sub/a.txt"), "A");
    EXPECT_TRUE(put("nul", "x"));
    EXPECT_EQ(seen("loop"), "(none)");
    EXPECT_EQ(errno, ELOOP);
    char text[64] = {};
    EXPECT_EQ(readlink("latest", text, sizeof text), 7);
    EXPECT_EQ(unlink("latest"), 0);
    EXPECT_EQ(readlink("latest", text, sizeof text), -1);
    EXPECT_EQ(symlink("sub/a.txt", "latest"), 0);
    EXPECT_EQ(seen("latest"), "A");
    char *resolved = realpath("latest", nullptr);
    ASSERT_NE(resolved, nullptr);
    EXPECT_EQ(resolved, work + "/sub/a.txt");
    EXPECT_EQ(link("sub/deep/b.txt", "hard"), 0);
    EXPECT_TRUE(put("hard", "H"));
    EXPECT_EQ(seen("sub/deep/b.txt"), "H");
    EXPECT_EQ(really(work + "/sub/deep/b.txt"), "b");
  });
}

TEST_F(PathPlugin, PrefixMaps) {
  settings[CAIRN_SETTING_PATH] = {{"/no/such/place", base + "/out"}, {"/no/such/place/inner/", work + "/sub"}};
  in_child([&] {
    start();
    ASSERT_EQ(restart_with(""), 0) << failure;
    EXPECT_EQ(seen("/no/such/place/far.txt"), "far");
    EXPECT_EQ(seen("/no/such//place/inner/./deep/../a.txt"), "a");
    EXPECT_EQ(seen("/no/such/placebo/far.txt"), "(none)");
    EXPECT_TRUE(put("/no/such/place/w.txt", "w"));
    EXPECT_EQ(really(base + "/out/w.txt"), "w");
    EXPECT_EQ(chdir("/no/such/place"), 0);
    char *cwd = get_current_dir_name();
    EXPECT_STREQ(cwd, "/no/such/place");
    EXPECT_EQ(seen("inner/a.txt"), "a");
    EXPECT_EQ(seen("../place/far.txt"), "far");
    char buffer[PATH_MAX];
    std::string real = base + "/out/far.txt";
    EXPECT_GT(paths().to_real("/no/such/place/far.txt", buffer, sizeof buffer), 0);
    EXPECT_EQ(buffer, real);
    EXPECT_GT(paths().to_virtual(real.c_str(), buffer, sizeof buffer), 0);
    EXPECT_STREQ(buffer, "/no/such/place/far.txt");
    EXPECT_EQ(paths().to_real("/no/such/place/far.txt", buffer, 4), -ENAMETOOLONG);
    EXPECT_TRUE(has_row(rows(cairn_plugin_path, "path"), {"/no/such/place", base + "/out", "/no/such/place", "prefix"}));
    settings[CAIRN_SETTING_PATH] = {{"relative", "/x"}};
    EXPECT_EQ(restart_with(""), -EINVAL);
  });
  settings.clear();
}

TEST_F(PathPlugin, MappedFiles) {
  in_child([&] {
    restart();
    std::string far = base + "/out/far.txt", copy = base + "/copy.txt";
    ASSERT_TRUE(put(copy, "copy"));
    ASSERT_EQ(paths().map_file(far.c_str(), copy.c_str()), 0);
    EXPECT_EQ(seen(far), "copy");
    EXPECT_TRUE(put(far, "changed"));
    EXPECT_EQ(really(far), "far");
    char name[PATH_MAX] = {};
    int fd = open(far.c_str(), O_RDONLY);
    ASSERT_GT(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), name, sizeof name), 0);
    EXPECT_EQ(name, far);
    EXPECT_TRUE(has_row(rows(cairn_plugin_path, "path"), {far, copy, far, "file"}));
    EXPECT_EQ(rename(far.c_str(), (far + ".1").c_str()), 0);  // a log that is rotated
    EXPECT_EQ(seen(far + ".1"), "changed");
    EXPECT_EQ(seen(far), "(none)");
    EXPECT_TRUE(put(far, "next"));
    EXPECT_EQ(seen(far), "next");
    EXPECT_EQ(unlink(far.c_str()), 0);
    EXPECT_EQ(seen(far), "(none)");
    EXPECT_EQ(really(far), "far");
    EXPECT_FALSE(really_exists(far + ".1"));
  });
}

TEST_F(PathPlugin, SecondRestartLeavesTheFirstRunAlone) {
  in_child([&] {
    restart();
    EXPECT_TRUE(put("old.txt", "first"));
    EXPECT_TRUE(put("only.txt", "first"));
    EXPECT_EQ(unlink("sub/a.txt"), 0);
    EXPECT_EQ(symlink("../out/far.txt", "up"), 0);  // in the run folder, where its target means something else
    EXPECT_EQ(chdir("sub"), 0);
    std::string second = work + "/.cairn/runs/second";
    ASSERT_EQ(mkdir(second.c_str(), 0755), 0);
    ASSERT_EQ(restart_with(second), 0) << failure;
    EXPECT_EQ(seen("../up"), "far");
    EXPECT_EQ(seen("../old.txt"), "first");
    EXPECT_TRUE(put("../old.txt", "+second", "a"));
    EXPECT_EQ(seen("../old.txt"), "first+second");
    EXPECT_EQ(really(run + "/old.txt"), "first");
    EXPECT_EQ(really(second + "/.cairn/outside" + work + "/old.txt"), "first+second");  // not below this working directory
    EXPECT_EQ(listing(work), (Strings{".", "..", ".cairn", "old.txt", "only.txt", "sub", "up"}));
    EXPECT_EQ(seen("a.txt"), "(none)");  // removed by the first run
    EXPECT_EQ(unlink("../only.txt"), 0);
    EXPECT_EQ(seen("../only.txt"), "(none)");
    EXPECT_EQ(really(run + "/only.txt"), "first");
    EXPECT_TRUE(put("a.txt", "second"));
    EXPECT_EQ(really(second + "/a.txt"), "second");
    EXPECT_EQ(listing("."), (Strings{".", "..", "a.txt", "deep"}));
    EXPECT_EQ(rmdir((work + "/sub").c_str()), -1);
    EXPECT_EQ(errno, EBUSY);
    auto table = rows(cairn_plugin_path, "path");
    EXPECT_TRUE(has_row(table, {work + "/sub", second, work + "/sub", "run folder"}));
    EXPECT_TRUE(has_row(table, {work, second + "/.cairn/outside" + work, run, "run folder"}));
    EXPECT_TRUE(has_row(table, {work, run, work, "earlier run folder"}));
  });
}

TEST_F(PathPlugin, WhatCannotBeToldWhileTheRunFolderIsLearntIsLookedFor) {
  in_child([&] {
    start();
    auto tell_without_room = [&] {
      cairn::path::PathText path;
      ASSERT_TRUE(path.assign((work + "/old.txt").c_str()));
      cairn::test::names_are_full = true;
      cairn::path::tell_own(path);
      cairn::test::names_are_full = false;
    };
    ASSERT_EQ(restart_with(run, tell_without_room), 0) << failure;
    // Another process has told it, and puts it there now.
    int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, (run + "/old.txt").c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(write(fd, "new", 3), 3);
    close(fd);
    EXPECT_EQ(seen("old.txt"), "new");
  });
}

TEST_F(PathPlugin, OwnLinksInProc) {
  in_child([&] {
    char executable[PATH_MAX] = {}, text[PATH_MAX] = {};
    ASSERT_GT(readlink("/proc/self/exe", executable, sizeof executable), 0);
    restart();
    ASSERT_GT(readlink(("/proc/" + std::to_string(kVirtualPid) + "/exe").c_str(), text, sizeof text), 0);
    EXPECT_STREQ(text, executable);
    char *resolved = realpath("/proc/self/exe", nullptr);
    EXPECT_STREQ(resolved, executable);
    struct stat by_link, by_name;
    ASSERT_EQ(stat("/proc/self/exe", &by_link), 0);
    ASSERT_EQ(stat(executable, &by_name), 0);
    EXPECT_EQ(by_link.st_ino, by_name.st_ino);
    memset(text, 0, sizeof text);
    ASSERT_GT(readlink("/proc/self", text, sizeof text), 0);
    EXPECT_EQ(text, std::to_string(kVirtualPid));
    EXPECT_NE(seen("/proc/" + std::to_string(kVirtualPid) + "/stat"), "(none)");
    EXPECT_EQ(seen("/proc/self/status"), "copied");
    FILE *stream = fopen("/proc/self/status", "r");
    memset(text, 0, sizeof text);
    EXPECT_TRUE(stream != nullptr && fread(text, 1, sizeof text, stream) == 6 && fclose(stream) == 0);
    EXPECT_STREQ(text, "copied");
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(faccessat(proc, (std::to_string(kVirtualPid) + "/status").c_str(), F_OK, 0), 0);
    EXPECT_EQ(listing("/proc/self/task"), (Strings{".", "..", std::to_string(kVirtualPid)}));
    EXPECT_EQ(seen("/proc/self/cwd/old.txt"), "old");
    EXPECT_TRUE(put("/proc/self/cwd/old.txt", "x"));
    EXPECT_EQ(really(work + "/old.txt"), "old");
  });
}

TEST_F(PathPlugin, TemporaryFiles) {
  in_child([&] {
    restart();
    char name[] = "sub/tmp-XXXXXX.log";
    int fd = mkstemps(name, 4);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(std::string(name).find("XXXXXX"), std::string::npos);
    EXPECT_TRUE(really_exists(run + "/" + name));
    EXPECT_EQ(access(name, R_OK), 0);
    char folder[] = "dir-XXXXXX";
    ASSERT_EQ(mkdtemp(folder), folder);
    EXPECT_TRUE(really_exists(run + "/" + folder));
    EXPECT_FALSE(really_exists(work + "/" + folder));
  });
}

TEST_F(PathPlugin, MissingRunFolderIsRefused) {
  in_child([&] {
    start();
    EXPECT_EQ(restart_with(base + "/nothing"), -ENOENT);
    EXPECT_NE(failure.find("nothing"), std::string::npos);
  });
}

TEST_F(PathPlugin, FilesThatWereOpenedBeforeAreLookedForAnewWhereThatIsNeeded) {
  auto first_line = [](const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return std::string("(none)");
    char text[64];
    ssize_t size = read(fd, text, sizeof text);
    close(fd);
    return std::string(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  };
  auto twice = [&](const char *path) {
    std::string one = first_line(path), other = first_line(path);
    return one == other ? one : one + " and " + other;
  };
  ASSERT_EQ(symlink("target", (work + "/link").c_str()), 0);
  ASSERT_EQ(mkdir((work + "/both").c_str(), 0755), 0);
  ASSERT_TRUE(put(work + "/both/first", "1"));
  for (const char *name : {"target", "gone"}) ASSERT_TRUE(put(work + "/" + name, std::string(name, 1)));
  in_child([&] {
    restart();
    EXPECT_TRUE(put("both/second", "2"));
    EXPECT_EQ(listing("both"), (Strings{".", "..", "first", "second"}));
    for (const char *name : {"one", "two"}) ASSERT_TRUE(put(base + "/out/" + name, name));
    ASSERT_EQ(twice("old.txt"), "old");
    EXPECT_TRUE(put("old.txt", "new"));
    EXPECT_EQ(twice("old.txt"), "new");
    EXPECT_EQ(unlink("old.txt"), 0);
    EXPECT_EQ(twice("old.txt"), "(none)");
    EXPECT_TRUE(put("fresh", "again"));
    ASSERT_EQ(twice("gone"), "g");
    EXPECT_EQ(unlink("gone"), 0);
    EXPECT_EQ(twice("gone"), "(none)");
    ASSERT_EQ(twice("sub/a.txt"), "a");
    EXPECT_EQ(rename("sub", "moved"), 0);
    EXPECT_EQ(twice("sub/a.txt"), "(none)");
    EXPECT_EQ(twice("moved/a.txt"), "a");
    EXPECT_TRUE(put("moved/deep/new.txt", "n"));
    EXPECT_EQ(listing("moved/deep"), (Strings{".", "..", "b.txt", "new.txt"}));
    ASSERT_EQ(twice("link"), "t");
    EXPECT_EQ(rename("fresh", "link"), 0);
    EXPECT_EQ(twice("link"), "again");
    // What an outside hand puts in the file's place, also a link to what has a version of its own.
    ASSERT_EQ(twice("../out/one"), "one");
    EXPECT_TRUE(put("target", "own"));
    ASSERT_EQ(syscall(SYS_unlinkat, AT_FDCWD, (base + "/out/one").c_str(), 0), 0);
    ASSERT_EQ(syscall(SYS_symlinkat, "../work/target", AT_FDCWD, (base + "/out/one").c_str()), 0);
    EXPECT_EQ(twice("../out/one"), "own");
    ASSERT_EQ(twice("../out/two"), "two");
    ASSERT_EQ(syscall(SYS_renameat, AT_FDCWD, (base + "/out/far.txt").c_str(), AT_FDCWD, (base + "/out/two").c_str()), 0);
    EXPECT_EQ(twice("../out/two"), "far");
  });
}

TEST_F(PathPlugin, WhatIsKnownOfAFileIsForgottenWithTheWorkingFolder) {
  ASSERT_EQ(mkdir((work + "/other").c_str(), 0755), 0);
  ASSERT_EQ(mkfifo((work + "/other/a.txt").c_str(), 0600), 0);
  in_child([&] {
    restart();
    ASSERT_EQ(chdir("sub"), 0);
    for (int time = 0; time < 2; ++time) close(open("a.txt", O_RDONLY));
    int folder = open("../other", O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(fchdir(folder), 0);
    // A named pipe is the run's own, and opening the other one would wait for ever.
    pid_t writer = fork();
    if (writer == 0) {
      alarm(10);
      while (!really_exists(run + "/other/a.txt")) usleep(1000);
      syscall(SYS_openat, AT_FDCWD, (run + "/other/a.txt").c_str(), O_WRONLY);
      _exit(0);
    }
    alarm(10);
    EXPECT_GE(open("a.txt", O_RDONLY), 0);
    alarm(0);
    kill(writer, SIGKILL);
  });
}

TEST_F(PathPlugin, WhatNobodyHasToldIsFoundInTheRunFolder) {
  in_child([&] {
    restart();
    EXPECT_EQ(mkdir("fresh", 0755), 0);
    int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, (run + "/fresh/untold").c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_GE(fd, 0);
    EXPECT_EQ(write(fd, "u", 1), 1);
    close(fd);
    EXPECT_EQ(seen("fresh/untold"), "u");
    EXPECT_EQ(listing("fresh"), (Strings{".", "..", "untold"}));
    EXPECT_EQ(chdir("fresh"), 0);
    EXPECT_EQ(seen("untold"), "u");
  });
}

}  // namespace
