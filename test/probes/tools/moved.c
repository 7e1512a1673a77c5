// For paths.test.ts: a program that knows a folder which has moved at the restart. Every call that takes or gives a path finds it under
// the old name. Arguments: the folder, and a file; once that is there, it looks. Prints a line for each thing that is wrong.
// flags: -ldl
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char **environ;
static const char *folder;
static int wrong, walked;
static char buffers[8][PATH_MAX];

static const char *in(const char *name) {
  static int next;
  char *text = buffers[next++ % 8];
  snprintf(text, PATH_MAX, "%s/%s", folder, name);
  return text;
}
#define IS(what, condition)                                                          \
  do {                                                                               \
    errno = 0;                                                                       \
    if (!(condition)) wrong++, printf("wrong: %s (%s)\n", what, strerror(errno));     \
  } while (0)

static int on_entry(const char *path, const struct stat *status, int type, struct FTW *info) {
  (void)status, (void)type, (void)info;
  if (strncmp(path, folder, strlen(folder)) == 0) walked++;
  return 0;
}
static int begins(const char *text) { return text != NULL && strncmp(text, folder, strlen(folder)) == 0; }
static int maps_have(const char *file, const char *what) {
  char line[PATH_MAX + 200];
  FILE *maps = fopen(file, "r");
  int found = 0;
  while (maps && fgets(line, sizeof line, maps)) found += strstr(line, what) != NULL;
  if (maps) fclose(maps);
  return found;
}
static int child(const char *path, posix_spawn_file_actions_t *actions) {
  pid_t pid;
  char *arguments[] = {(char *)path, "content", NULL};
  int status = -1;
  if (posix_spawnp(&pid, "cat", actions, NULL, (char *[]){"cat", NULL}, environ) != 0) return -1;
  (void)arguments;
  waitpid(pid, &status, 0);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  folder = argv[1];
  char real[PATH_MAX], text[PATH_MAX];
  int held = open(in("sub"), O_RDONLY | O_DIRECTORY);
  int mapped_file = open(in("mapped"), O_RDONLY);
  void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, mapped_file, 0);
  close(mapped_file);
  if (chdir(folder) != 0 || held < 0 || mapped == MAP_FAILED) return 3;
  printf("ready\n");
  fflush(stdout);
  while (access(argv[2], F_OK) != 0) usleep(10000);

  struct stat status;
  struct statx extended;
  struct statfs file_system;
  struct statvfs view;
  int fd;
  IS("open", (fd = open(in("file"), O_RDONLY)) >= 0);
  snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(text, real, sizeof real - 1);
  IS("readlink /proc/self/fd", size > 0 && (real[size] = 0, strcmp(real, in("file")) == 0));
  IS("stat", stat(in("file"), &status) == 0);
  IS("lstat", lstat(in("link"), &status) == 0 && S_ISLNK(status.st_mode));
  IS("statx", statx(AT_FDCWD, in("file"), 0, STATX_SIZE, &extended) == 0);
  IS("statfs", statfs(in("file"), &file_system) == 0);
  IS("statvfs", statvfs(in("file"), &view) == 0);
  IS("access", access(in("file"), R_OK) == 0 && faccessat(AT_FDCWD, in("file"), R_OK, 0) == 0 && eaccess(in("file"), R_OK) == 0);
  IS("a link into the old folder", stat(in("link"), &status) == 0 && S_ISREG(status.st_mode));
  IS("a link that leaves it, and ..", stat(in("sub/../up/file"), &status) == 0);
  IS("relative", stat("sub/inner", &status) == 0 && stat("./file", &status) == 0);
  IS("relative to a descriptor", fstatat(held, "inner", &status, 0) == 0 && fstatat(held, "../file", &status, 0) == 0);
  IS("openat", (fd = openat(held, "inner", O_RDONLY)) >= 0 && close(fd) == 0);
  IS("readlink", (size = readlink(in("link"), real, sizeof real - 1)) > 0 && (real[size] = 0, strcmp(real, in("file")) == 0));
  IS("getcwd", getcwd(real, sizeof real) && strcmp(real, folder) == 0);
  IS("get_current_dir_name", strcmp(get_current_dir_name(), folder) == 0);
  IS("realpath", realpath(in("link"), real) && strcmp(real, in("file")) == 0);
  IS("canonicalize_file_name", begins(canonicalize_file_name(in("link"))));
  IS("/proc/self/cwd", (size = readlink("/proc/self/cwd", real, sizeof real - 1)) > 0 && (real[size] = 0, strcmp(real, folder) == 0));
  IS("/proc/self/exe", (size = readlink("/proc/self/exe", real, sizeof real - 1)) > 0 && (real[size] = 0, realpath(argv[0], text), strcmp(real, text) == 0));
  snprintf(text, sizeof text, "%s/mapped", folder);
  IS("/proc/self/maps", maps_have("/proc/self/maps", text) == 1);
  IS("/proc/self/smaps", maps_have("/proc/self/smaps", text) == 1);
  IS("maps show no image", maps_have("/proc/self/maps", ".pages") == 0);
  snprintf(real, sizeof real, "/proc/%d/task/%d/maps", getpid(), getpid());
  IS("/proc/PID/task/TID/maps", maps_have(real, text) == 1);
  IS("mkdir", mkdir(in("made"), 0777) == 0 && rmdir(in("made")) == 0);
  IS("mknod, mkfifo", mkfifo(in("fifo"), 0600) == 0 && unlink(in("fifo")) == 0 && mknod(in("node"), S_IFREG | 0600, 0) == 0);
  IS("rename", rename(in("node"), in("node2")) == 0 && renameat2(AT_FDCWD, in("node2"), AT_FDCWD, in("node"), RENAME_NOREPLACE) == 0);
  IS("link, symlink", link(in("node"), in("hard")) == 0 && symlink(in("node"), in("soft")) == 0 && unlink(in("hard")) == 0 && remove(in("soft")) == 0);
  struct timeval times[2] = {{1, 0}, {2, 0}};
  struct timespec precise[2] = {{1, 0}, {2, 0}};
  IS("times", utimes(in("node"), times) == 0 && utimensat(AT_FDCWD, in("node"), precise, 0) == 0);
  IS("truncate", truncate(in("node"), 5) == 0 && chmod(in("node"), 0644) == 0 && chown(in("node"), -1, -1) == 0);
  IS("xattr", (setxattr(in("node"), "user.x", "1", 1, 0) == 0 && getxattr(in("node"), "user.x", text, 4) == 1) || errno == ENOTSUP);
  IS("pathconf", pathconf(in("node"), _PC_NAME_MAX) > 0);
  IS("unlink", unlink(in("node")) == 0);
  snprintf(text, sizeof text, "%s/tempXXXXXX", folder);
  IS("mkstemp", (fd = mkstemp(text)) >= 0 && begins(text) && close(fd) == 0 && unlink(text) == 0);
  snprintf(text, sizeof text, "%s/tempXXXXXX", folder);
  IS("mkdtemp", begins(mkdtemp(text)) && rmdir(text) == 0);
  IS("O_TMPFILE", (fd = open(folder, O_TMPFILE | O_RDWR, 0600)) >= 0 ? close(fd) == 0 : errno == EOPNOTSUPP || errno == EISDIR);
  DIR *open_folder = opendir(folder);
  int entries = 0;
  for (struct dirent *entry; open_folder && (entry = readdir(open_folder));) entries += strcmp(entry->d_name, "file") == 0;
  IS("opendir", entries == 1);
  struct dirent **list;
  IS("scandir", scandir(folder, &list, NULL, alphasort) >= 5);
  glob_t found;
  IS("glob", glob(in("fi*"), 0, NULL, &found) == 0 && found.gl_pathc == 1 && begins(found.gl_pathv[0]));
  IS("nftw", nftw(folder, on_entry, 8, FTW_PHYS) == 0 && walked >= 6);
  walked = 0;
  IS("nftw, depth and chdir", nftw(folder, on_entry, 8, FTW_DEPTH | FTW_CHDIR | FTW_PHYS) == 0 && walked >= 6);
  FILE *stream;
  IS("fopen", (stream = fopen(in("file"), "r")) && fgets(text, sizeof text, stream) && (stream = freopen(in("sub/inner"), "r", stream)));
  IS("inotify", inotify_add_watch(inotify_init1(0), in("sub"), IN_CREATE) > 0);
  void *library = dlopen(in("library.so"), RTLD_NOW);
  Dl_info info;
  IS("dlopen", library && dlsym(library, "in_library"));
  IS("dladdr", library && dladdr(dlsym(library, "in_library"), &info) && begins(info.dli_fname));
  struct sockaddr_un address = {.sun_family = AF_UNIX}, own;
  socklen_t length = sizeof own;
  snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
  int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  IS("bind, connect", bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 1) == 0 &&
                          connect(client, (struct sockaddr *)&address, sizeof address) == 0);
  IS("getsockname", getsockname(server, (struct sockaddr *)&own, &length) == 0 && strcmp(own.sun_path, address.sun_path) == 0);
  IS("getpeername", (length = sizeof own, getpeername(client, (struct sockaddr *)&own, &length)) == 0 && strcmp(own.sun_path, address.sun_path) == 0);
  unlink(address.sun_path);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  IS("posix_spawn file actions", posix_spawn_file_actions_addopen(&actions, 0, in("file"), O_RDONLY, 0) == 0 &&
                                     posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0 && child("cat", &actions) == 0);
  posix_spawn_file_actions_init(&actions);
  IS("posix_spawn in a folder", posix_spawn_file_actions_addchdir_np(&actions, in("sub")) == 0 &&
                                    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 && child("cat", &actions) == 0);
  snprintf(text, sizeof text, "cat %s > /dev/null", in("sub/inner"));
  IS("system", system(text) == 0);
  IS("execute", (text[0] = 0, snprintf(text, sizeof text, "%s", in("program")), 1));
  pid_t pid = fork();
  if (pid == 0) execl(text, text, (char *)NULL), _exit(99);
  int result = -1;
  IS("exec", waitpid(pid, &result, 0) == pid && WIFEXITED(result) && WEXITSTATUS(result) == 7);
  IS("syscall open", (fd = (int)syscall(SYS_open, in("file"), O_RDONLY)) >= 0 && close(fd) == 0);
  IS("syscall openat, stat", (fd = (int)syscall(SYS_openat, AT_FDCWD, in("file"), O_RDONLY)) >= 0 && syscall(SYS_stat, in("file"), &status) == 0);
  uint64_t how[3] = {O_RDONLY, 0, 0};
  IS("syscall openat2", (fd = (int)syscall(SYS_openat2, AT_FDCWD, in("file"), how, sizeof how)) >= 0 || errno == ENOSYS);
  IS("syscall getcwd, readlink", syscall(SYS_getcwd, real, sizeof real) > 0 && strcmp(real, folder) == 0 && syscall(SYS_readlink, in("link"), real, sizeof real) > 0);
  struct { struct file_handle head; char room[128]; } handle = {.head = {.handle_bytes = 128}};
  int mount;
  IS("name_to_handle_at", name_to_handle_at(AT_FDCWD, in("file"), &handle.head, &mount, 0) == 0 || errno == EOPNOTSUPP || errno == ENOSYS);
  IS("the longest prefix", access(in("other/where"), F_OK) == 0 && access(in("other/inner"), F_OK) != 0);
  printf(wrong ? "%d wrong\n" : "ok\n", wrong);
  return wrong != 0;
}
