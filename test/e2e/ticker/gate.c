/* A plugin with one barrier, "open", at which a checkpoint waits for as long as the file gate.closed is in the working folder. */
#include <cairn/plugin.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

static const struct cairn_host *host;

static int32_t init(const struct cairn_host *given, const char *settings) {
  (void)settings;
  host = given;
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  (void)number;
  (void)data;
  return 0;
}

static int32_t barrier(const char *name, uint32_t restart) {
  (void)name;
  (void)restart;
  const struct timespec pause = {0, 5000000};
  while (host->syscall(SYS_faccessat, AT_FDCWD, (long)"gate.closed", 0, 0, 0, 0) == 0)
    host->syscall(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
  return 0;
}

static const char *const barriers[] = {"open", NULL};

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "gate",
    .version = "1",
    .author = "test",
    .init = init,
    .event = event,
    .checkpoint_barriers = barriers,
    .barrier = barrier,
};

const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &plugin;
}
