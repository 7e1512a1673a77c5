/* A plugin with a barrier at which its process hangs as long as there is a file: settings {"gate": FILE}. It says that it hangs by a file
 * FILE.PID. If the file has a process's virtual id only that one hangs, and the others wait for it as plugins should. */
#include <cairn/plugin.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

static const struct cairn_host* host;
static char gate[4096];

static int32_t init(const struct cairn_host* given, const char* settings) {
  host = given;
  const char* start = strstr(settings, "\"gate\":\"");
  if (start == 0) return -EINVAL;
  start += 8;
  size_t length = strcspn(start, "\"");
  if (length >= sizeof gate) return -EINVAL;
  memcpy(gate, start, length);
  gate[length] = 0;
  return 0;
}

static int is_there(void) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, (long)gate, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd >= 0) host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return fd >= 0;
}

static int32_t hanging(void) {
  char digits[16] = {0};
  long fd = host->syscall(SYS_openat, AT_FDCWD, (long)gate, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return 0;
  host->syscall(SYS_read, fd, (long)digits, sizeof digits - 1, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  int32_t pid = 0;
  for (const char* at = digits; *at >= '0' && *at <= '9'; ++at) pid = 10 * pid + (*at - '0');
  return pid;
}

static int32_t barrier(const char* name, uint32_t restart) {
  (void)name;
  if (restart || !is_there()) return 0;
  int32_t one = hanging();
  if (one != 0 && one != host->virtual_pid()) return host->waits_for("one that hangs");
  char said[4200];
  size_t length = strlen(gate);
  memcpy(said, gate, length);
  said[length++] = '.';
  char digits[16];
  int count = 0;
  for (int32_t pid = host->virtual_pid(); pid > 0; pid /= 10) digits[count++] = (char)('0' + pid % 10);
  while (count > 0) said[length++] = digits[--count];
  said[length] = 0;
  long fd = host->syscall(SYS_openat, AT_FDCWD, (long)said, O_WRONLY | O_CREAT | O_CLOEXEC, 0600, 0, 0);
  if (fd >= 0) host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  while (is_there()) {
    struct timespec pause = {0, 5000000};
    host->syscall(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
  }
  return 0;
}

static const char* const barriers[] = {"wait", 0};
static const struct cairn_plugin plugin = {sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "waiting", "1", "test",
                                           init, 0, 0, barriers, 0, barrier, 0, 0};

const struct cairn_plugin* cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}
