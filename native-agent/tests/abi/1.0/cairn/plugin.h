/*
 * The public interface of Cairn's plugins. C11; also compiles as C++.
 *
 * A plugin is a shared library that exports
 *
 *     const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor);
 *
 * and is named by `--plugin LIB`, or it is built into libcairn.so; both use this header and nothing else. A plugin owns one
 * kind of resource: it is told of the events of a checkpoint and of a restart, saves what the resource needs, brings it back
 * under the same virtual names, and interposes on the functions that would show the application real names.
 *
 * Growth: every struct begins with its size. Members and events are only added, at the end; numbers are never used again.
 * A host calls nothing that lies beyond the plugin's `size`, and a plugin checks `size` before it uses what a later minor
 * version added. Another major version is refused, with a message.
 *
 * Contexts. Each function says where it runs or may be called:
 *   [init]      once, in the thread that loads the plugin, before main() where the plugin was given at launch
 *   [running]   Cairn's own thread; the application's threads run. libc may be used
 *   [quiesced]  Cairn's own thread; all threads of the application are stopped, anywhere, perhaps holding any lock:
 *               no malloc, no stdio, no lock that the application may hold; system calls through host->syscall
 *   [restoring] as quiesced, in a restarted process: memory is back, no thread of the application runs yet
 *   [any]       everywhere, the application's own threads and signal handlers included
 *
 * Results: 0 or a positive value on success, -errno on failure. A callback that fails should first say why by host->fail;
 * a checkpoint then takes its abort edge and the application runs on; a restart ends with that reason.
 * Strings are zero-terminated UTF-8. Unless said otherwise a pointer that is passed belongs to the side that passed it and is
 * valid during the call.
 */
#ifndef CAIRN_PLUGIN_H
#define CAIRN_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_PLUGIN_ABI_MAJOR 1
#define CAIRN_PLUGIN_ABI_MINOR 0

#define CAIRN_EXPORT __attribute__((visibility("default")))

/* Events, in the order in which an operation sends them. Down: from the highest layer to the lowest; up: the reverse. */
enum cairn_event {
  CAIRN_EVENT_PRESUSPEND = 1,    /* [running]   down; a checkpoint or a hold is about to stop the threads */
  CAIRN_EVENT_PRECHECKPOINT = 2, /* [quiesced]  down; save what the resource needs */
  CAIRN_EVENT_RESUME = 3,        /* [quiesced]  up; the threads go on in this same process */
  CAIRN_EVENT_RESTART = 4,       /* [restoring] up; bring the resource back */
  CAIRN_EVENT_RUNNING = 5,       /* [running]   up; after RESUME or RESTART, the threads run again */
  CAIRN_EVENT_ABORT = 6,         /* [quiesced] or [running] up; undo what PRESUSPEND or PRECHECKPOINT did */
  CAIRN_EVENT_FORK_CHILD = 7,    /* [any] up; in the new process, its only thread */
  CAIRN_EVENT_MAPPING_SAVE = 8,  /* [quiesced]  a shared mapping of a file: claim it by returning 1; data: cairn_mapping */
  CAIRN_EVENT_MAPPING_RESTORE = 9 /* [restoring] a mapping claimed before: set its fd; data: cairn_mapping */
};

/* A shared mapping of a file, for the plugin that owns the file. */
struct cairn_mapping {
  uint32_t size;
  int32_t fd;          /* RESTORE: the plugin sets it; the host maps it at the same address and leaves it open */
  uint64_t start;
  uint64_t length;
  uint64_t offset;     /* in the file */
  uint32_t protection; /* PROT_* */
  uint32_t close_fd;   /* RESTORE: the plugin sets it to 1 for the host to close fd when it has mapped it */
  uint64_t device;     /* st_dev */
  uint64_t inode;      /* st_ino */
  uint64_t token;      /* SAVE: the plugin sets it; RESTORE: the same value */
  const char *path;    /* as the kernel prints it in /proc/PID/maps */
};

/* What a plugin may read of the operation's settings: host->setting. */
enum cairn_setting {
  CAIRN_SETTING_ENVIRONMENT = 1,       /* restart: key = variable, value = its new value */
  CAIRN_SETTING_PATH = 2,              /* restart: key = virtual prefix, value = real prefix */
  CAIRN_SETTING_RUN_FOLDER = 4,        /* restart: value = folder that takes what this run writes; none: in place */
  CAIRN_SETTING_SNAPSHOT_FOLDER = 5,   /* restart: value = folder of the snapshot */
  CAIRN_SETTING_OPTION = 6,            /* key = name, value = value */
  CAIRN_SETTING_ENVIRONMENT_UNSET = 7  /* restart: key = variable */
};

enum cairn_log_level { CAIRN_LOG_DEBUG = 0, CAIRN_LOG_INFO = 1, CAIRN_LOG_WARNING = 2, CAIRN_LOG_ERROR = 3 };

/* How host->keep_file may take the content of a file. */
enum cairn_keep {
  CAIRN_KEEP_NOW = 0,    /* while the application is stopped: for content that may change in any way */
  CAIRN_KEEP_PREFIX = 1  /* its first `length` bytes do not change any more: may be copied after the application goes on */
};

/* What Cairn offers to plugins. Lives as long as the process. */
struct cairn_host {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;

  /* [any] A system call, below every layer of interposition. Returns the kernel's result, -errno on failure. */
  long (*syscall)(long number, long a, long b, long c, long d, long e, long f);

  /* [any] To the session's log, which the user sees. */
  void (*log)(uint32_t level, const char *text);

  /* [running, quiesced, restoring] Says in words for the user what failed (the first failure of an operation counts), with
   * the file, call or thing at fault. Returns `error`, for `return host->fail(...)`. */
  int32_t (*fail)(int32_t error, const char *culprit, const char *text);

  /* [init, running, quiesced, restoring] Zeroed memory that is saved with every snapshot and never freed; NULL when there is
   * none. Multiple of 16 bytes, aligned to 16. */
  void *(*allocate)(uint64_t bytes);

  /* [any after init] The index-th setting of a kind, or NULL. *value is set where value is not NULL. Owned by the host, valid
   * until the next restart. */
  const char *(*setting)(uint32_t kind, uint32_t index, const char **value);

  /* [any] Ids of this process; virtual ones stay the same for the computation's life. */
  int32_t (*virtual_pid)(void);
  int32_t (*real_pid)(void);

  /* [quiesced, restoring] The index-th thread of the application: 1 and its ids, or 0. */
  int32_t (*thread)(uint32_t index, int32_t *virtual_tid, int32_t *real_tid);

  /* [any] The definition of a function that comes after Cairn's in the order of libraries; NULL: there is none. Not
   * [quiesced] or [restoring] for a name that was never asked for before. */
  void *(*next)(const char *function);

  /* [quiesced] Copies `length` bytes of an open regular file into the snapshot. how: enum cairn_keep. Returns the number by
   * which host->open_kept finds it again, or -errno. */
  int32_t (*keep_file)(int32_t fd, uint64_t length, uint32_t how);

  /* [restoring] Opens a kept file for reading; the caller closes it with host->syscall. -errno. */
  int32_t (*open_kept)(int32_t number);

  /* [running, quiesced, restoring] 1 if the descriptor is one of Cairn's own, which no plugin may touch. */
  int32_t (*own_fd)(int32_t fd);

  /* [restoring] Moves a descriptor out of the application's way (close-on-exec, among Cairn's own): the new number. */
  int32_t (*hide_fd)(int32_t fd);
  /* [restoring] Closes a hidden descriptor. */
  void (*close_fd)(int32_t fd);

  /* [init] Offers functions to other plugins under a name such as "cairn.paths/1". The struct lives for ever. */
  int32_t (*publish)(const char *extension, const void *functions);

  /* [any after init] What another plugin published, or NULL. */
  const void *(*extension)(const char *extension);
};

/* One row of a table of virtual names. All strings may be empty. */
struct cairn_row {
  uint32_t size;
  uint32_t reserved;
  const char *virtual_name;
  const char *real_name;
  const char *before;  /* the real name before the last restart */
  const char *detail;
  uint64_t since_ns;   /* CLOCK_REALTIME; 0: unknown */
};
typedef void (*cairn_emit_row)(void *context, const struct cairn_row *row);

struct cairn_plugin {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  const char *name;     /* short, of letters, digits and '-'; unique in a process */
  const char *version;
  const char *author;

  /* [init] settings: JSON text, "{}" where none were given. A failure refuses the plugin. */
  int32_t (*init)(const struct cairn_host *host, const char *settings);

  /* The context of each event stands at its name. Unknown events: return 0. `data` as said at the event, else NULL. */
  int32_t (*event)(uint32_t event, void *data);

  /* [running, quiesced] Gives the rows of one table ("pid", "path", "env", "fd", …) that this plugin owns. May be NULL. */
  void (*rows)(const char *table, cairn_emit_row emit, void *context);

  /* NULL-terminated names of own barriers, in order, and what runs at each; NULL: none. The checkpoint's come between
   * SUSPEND and PRECHECKPOINT [quiesced], the restart's after RESTART [restoring]. No process goes on to the next barrier
   * before all have passed this one. */
  const char *const *checkpoint_barriers;
  const char *const *restart_barriers;
  int32_t (*barrier)(const char *name, uint32_t restart);
};

typedef const struct cairn_plugin *(*cairn_plugin_entry_function)(uint32_t host_major, uint32_t host_minor);
CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor);

/* Extension "cairn.paths/1", published by the built-in plugin `path`. */
struct cairn_paths {
  uint32_t size;
  uint32_t reserved;
  /* [any] The real path for a virtual one (and back), written to buffer; the length, or -errno. A path that no rule touches
   * comes out as it went in. */
  int32_t (*to_real)(const char *path, char *buffer, uint32_t capacity);
  int32_t (*to_virtual)(const char *path, char *buffer, uint32_t capacity);
  /* [restoring] From now on this one path is that one. */
  int32_t (*map_file)(const char *virtual_path, const char *real_path);
};

/* Extension "cairn.ids/1", published by the built-in plugin `pid`. Processes and threads share one space of numbers. */
struct cairn_ids {
  uint32_t size;
  uint32_t reserved;
  /* [any] The kernel's id for a virtual one of a process or thread, and back. A number that is no virtual (real) id of this
   * computation comes out as it went in; but a foreign real id that equals a virtual one in use gets a virtual name of its own. */
  int32_t (*to_real)(int32_t virtual_id);
  int32_t (*to_virtual)(int32_t real_id);
};

#ifdef __cplusplus
}
#endif

#endif
