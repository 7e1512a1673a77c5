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
 *   [init]      once, in the thread that loads the plugin, before main() where the plugin was given at launch; where it was given at a
 *               restart as [restoring], while held as [quiesced]: Cairn binds the library itself, which may need only libraries that the program has
 *   [running]   Cairn's own thread; the application's threads run. libc may be used
 *   [quiesced]  Cairn's own thread; all threads of the application are stopped, anywhere, perhaps holding any lock:
 *               no malloc, no stdio, no lock that the application may hold; system calls through host->syscall
 *   [restoring] as quiesced, in a restarted process: memory is back, no thread of the application runs yet
 *   [any]       everywhere, the application's own threads and signal handlers included
 *
 * Results: 0 or a positive value on success, -errno on failure. A callback that fails should first say why by host->fail;
 * a checkpoint then takes its abort edge and the application runs on; a restart ends with that reason. The same becomes of a callback of
 * Cairn's own thread that crashes (what it had locked stays locked) or does not return before the phase's deadline. -EAGAIN of a
 * checkpoint's barrier, or of what is sent at one (DESCRIPTOR_SAVE), says that the application will soon have left the state that cannot
 * be saved: the checkpoint is tried again for some seconds before it fails with that reason.
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
#define CAIRN_PLUGIN_ABI_MINOR 1

#define CAIRN_EXPORT __attribute__((visibility("default")))

/* Events. Layers: Cairn's own plugins are below, those from outside above, in the order in which they were given. Down: from the highest
 * layer, the one that was given last, to the lowest; up: the reverse. An operation sends them so:
 *
 *   a checkpoint: PRESUSPEND, down. All threads of all processes stop. The barriers of plugins, of the highest layer first; at those of
 *     Cairn's own come DESCRIPTOR_SAVE and EXTERNAL_SAVE. PRECHECKPOINT, down; then MAPPING_SAVE and MAPPING_CONTENT. The memory is copied.
 *     RESUME, up, with EXTERNAL_RESUME at the layer `external`. The threads go on. RUNNING, up.
 *   a restart: plugins are taken out, are given other layers, and new ones begin, as its user says; one that is taken out is told nothing any
 *     more. SETTINGS, where they have changed. RESTART, up. The barriers of plugins, of the lowest layer first; at those of Cairn's
 *     own come DESCRIPTOR_RESTORE, EXTERNAL_RESTORE, DESCRIPTOR_FILL and MAPPING_RESTORE. The threads begin. RUNNING, up.
 *   whatever fails in a checkpoint: ABORT, up, to all layers, in place of what would have come next. In a restart: RESTART_FAILED, likewise;
 *     it does not come where the process crashes or is killed.
 *   a program that begins: STARTED, up. A process that is forked: FORK_CHILD, up.
 *
 * PRESUSPEND, each barrier, all that belongs to the save (PRECHECKPOINT up to the copy), RESTART, RESUME and RUNNING are over in every
 * process of the computation before the next of them begins in any. */
enum cairn_event {
  CAIRN_EVENT_PRESUSPEND = 1,    /* [running]   down; a checkpoint or a hold is about to stop the threads */
  CAIRN_EVENT_PRECHECKPOINT = 2, /* [quiesced]  down; save what the resource needs */
  CAIRN_EVENT_RESUME = 3,        /* [quiesced]  up; the threads go on in this same process */
  CAIRN_EVENT_RESTART = 4,       /* [restoring] up; bring the resource back */
  CAIRN_EVENT_RUNNING = 5,       /* [running]   up; after RESUME or RESTART, the threads run again */
  CAIRN_EVENT_ABORT = 6,         /* [quiesced] or [running] up; undo what PRESUSPEND or PRECHECKPOINT did */
  CAIRN_EVENT_FORK_CHILD = 7,    /* [any] up; in the new process, its only thread */
  CAIRN_EVENT_MAPPING_SAVE = 8,  /* [quiesced]  a shared mapping of a file: claim it by returning 1; data: cairn_mapping */
  CAIRN_EVENT_MAPPING_RESTORE = 9, /* [restoring] a mapping claimed before: set its fd; data: cairn_mapping */
  CAIRN_EVENT_DESCRIPTOR_SAVE = 10,    /* [quiesced] an open file description: claim it by returning 1; data: cairn_descriptor */
  CAIRN_EVENT_DESCRIPTOR_RESTORE = 11, /* [restoring] one claimed before: set its fd; data: cairn_descriptor */
  CAIRN_EVENT_DESCRIPTOR_FILL = 12,    /* [restoring] all descriptors of all processes have their numbers; data: cairn_descriptor */
  CAIRN_EVENT_STARTED = 13,      /* [init]      up; since 1.1; a program begins that was not restarted: the settings for it are there */
  CAIRN_EVENT_MAPPING_CONTENT = 14, /* [quiesced]   a private mapping of a file: 1: its content goes with the snapshot; data: cairn_mapping */
  CAIRN_EVENT_SETTINGS = 15,     /* [restoring] other settings than before for this plugin, JSON text: return 1 where it takes them; data: const char * */
  CAIRN_EVENT_EXTERNAL_SAVE = 16,    /* [quiesced]  a connection that leaves the computation: claim it by returning 1; data: cairn_external */
  CAIRN_EVENT_EXTERNAL_RESUME = 17,  /* [quiesced]  the threads go on after a SAVE of it, in this same run; data: cairn_external */
  CAIRN_EVENT_EXTERNAL_RESTORE = 18, /* [restoring] set a new fd and return 1; data: cairn_external */
  CAIRN_EVENT_SETTINGS_LIVE = 19,    /* [running, quiesced] since 1.1; as SETTINGS, in a run that goes on, between operations: return 1 where it
                                      * takes them; else it keeps those that it has; data: const char * */
  CAIRN_EVENT_RESTART_FAILED = 20    /* [restoring] up; since 1.1; a restart comes to nothing, and the process ends: remove what would outlive it */
};

/* An open file description (what dup and fork share), for the plugin that owns its kind. SAVE is sent in every process that has
 * it; RESTORE only in one of them, from which the others get it; FILL again in all. */
struct cairn_descriptor {
  uint32_t size;
  int32_t fd;            /* SAVE and FILL: a descriptor of it; RESTORE: the plugin sets a new one, which the host takes over */
  uint32_t status_flags; /* as F_GETFL gives them */
  uint32_t mode;         /* st_mode */
  uint64_t device;       /* st_dev */
  uint64_t inode;        /* st_ino */
  uint64_t rdev;         /* st_rdev */
  uint64_t token;        /* SAVE: the plugin sets it; RESTORE and FILL: the same value */
  uint32_t elsewhere;    /* 1: another process brings it back */
  uint32_t deleted;      /* 1: its name is no more */
  const char *path;      /* SAVE: as the kernel names it: a real path, or "pipe:[4711]" and the like */
};

/* A connection whose other end is no process of the computation, and that its plugin takes off and brings back. It is offered to the
 * plugins where one of them has marked it (extension "cairn.external/1"), or where it is a socket that leads outside and a rule of the
 * user's says that it is external, or none says what it is. Of the processes that share it one is asked, the same in each of these events:
 *
 *   SAVE     from the highest layer down, until one plugin returns 1. Here it drains the connection, tells the other end, disconnects.
 *            Earlier barriers of its own are for what all processes have to do before. Nobody claims it: if it was marked, or a rule says
 *            that it is external, a restart needs a plugin that knows it; else the checkpoint is refused.
 *   RESUME   once after each SAVE that was claimed, to the plugin that did it, also where no snapshot came of it. It may set another fd.
 *   RESTORE  from the highest layer down, the plugins given at this restart among them, until one returns 1. Nobody does: the restart
 *            is refused.
 *
 * The new descriptor gets every number of the old one in every process that shared it, its status flags, a socket's options, and in the
 * entries of epoll its place; the application goes on seeing the old names. What was in its queues is the plugin's. The host closes
 * `fd` of RESUME and RESTORE when it has it in its places. Descriptors that a plugin wants to keep beside are hidden by host->hide_fd. */
struct cairn_external {
  uint32_t size;
  int32_t fd;             /* SAVE and RESUME: a descriptor of it; RESUME: another one replaces it; RESTORE: set by the plugin */
  const char *name;       /* by which a plugin has marked it; "": it was found by its peer */
  const char *local;      /* of a socket, as the application knows them: "10.0.0.1:80", "[::1]:80", "/run/name", "@abstract", "unnamed" */
  const char *peer;
  int32_t family;         /* of a socket: AF_…, SOCK_… and protocol; else 0 */
  int32_t type;
  int32_t protocol;
  uint32_t status_flags;  /* as F_GETFL gives them */
  uint32_t mode;          /* st_mode */
  uint32_t rule;          /* 1: it was marked, or a rule says that it is external; 0: it is refused if nobody claims it */
  uint32_t aborted;       /* RESUME: 1: no snapshot came of that SAVE */
  uint32_t processes;     /* SAVE: how many processes share it */
  const void *state;      /* SAVE: the plugin sets it to bytes of its own, which the host copies; RESUME and RESTORE: those bytes */
  uint64_t state_size;
  int32_t error;          /* SAVE: -errno: it is taken off, but what has to be saved is not, and the checkpoint fails (host->fail says why);
                           * RESUME follows all the same, so that a connection that broke meanwhile is replaced in all processes */
  uint32_t reserved;
};

/* Names that the processes of the computation on one host share: (space, key) -> value. Gone with the session, in no image. */
enum cairn_name_space {
  CAIRN_NAMES_PROCESS = 1,    /* virtual pid -> real pid of every process of the computation; the host keeps it. One that was killed may
                               * stand there until its place is needed */
  CAIRN_NAMES_ID = 2,         /* virtual -> real id of processes and threads where they may differ */
  CAIRN_NAMES_REAL_ID = 3,    /* and back */
  CAIRN_NAMES_GROUP = 4,      /* virtual -> real process group */
  CAIRN_NAMES_REAL_GROUP = 5,
  CAIRN_NAMES_SESSION = 6,    /* virtual -> real session of processes */
  CAIRN_NAMES_REAL_SESSION = 7,
  CAIRN_NAMES_OUTSIDE = 8,    /* what the first process was started with, see plugin `descriptor` */
  CAIRN_NAMES_TRACED = 9,     /* real id of a traced thread -> address of a request to its tracer; the host keeps it, and the next two */
  CAIRN_NAMES_TRACER = 10,    /* real id of a traced thread -> real id of the thread that traces it */
  CAIRN_NAMES_TRACED_AGAIN = 11, /* virtual id of a thread that is to be traced again after a restart -> where it waits */
  CAIRN_NAMES_CALL = 12,      /* virtual pid -> which callback of a plugin from outside runs there in an operation; the host keeps it */
  CAIRN_NAMES_OWN = 13,       /* real id of a process that Cairn has for itself for a moment, as the one that writes an image -> 1; the host
                               * keeps it. Where its parent is killed, whoever adopts orphans has it for a child */
  CAIRN_NAMES_HOST = 16,      /* for reading: what host this is, see cairn_host_key */
  CAIRN_NAMES_OTHERS = 1000   /* a plugin's own spaces: from here on, by a hash of its name */
};

/* Keys of CAIRN_NAMES_HOST. A restart may bring several hosts of a computation back on one machine: they stay hosts of their own, each
 * with its shared names. */
enum cairn_host_key {
  CAIRN_HOST_NUMBER = 0,      /* of this host in the computation; 0: the first */
  CAIRN_HOST_MACHINE = 1      /* equal for hosts that are on one machine now */
};

/* A shared mapping of a file, for the plugin that owns the file. */
struct cairn_mapping {
  uint32_t size;
  int32_t fd;          /* RESTORE: the plugin sets it; the host maps it at the same address and leaves it open. Since 1.1: it stays
                        * -1 where the plugin has mapped the memory itself, over what reserved the place */
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
  CAIRN_SETTING_ENVIRONMENT_UNSET = 7, /* restart: key = variable */
  CAIRN_SETTING_SNAPSHOT = 8           /* value = id of the snapshot that is being made, from a checkpoint's first barrier on; restart: of
                                        * the one that is restarted */
};

enum cairn_log_level { CAIRN_LOG_DEBUG = 0, CAIRN_LOG_INFO = 1, CAIRN_LOG_WARNING = 2, CAIRN_LOG_ERROR = 3 };

/* How host->keep_file may take the content of a file. */
enum cairn_keep {
  CAIRN_KEEP_NOW = 0,    /* while the application is stopped: for content that may change in any way */
  CAIRN_KEEP_PREFIX = 1  /* its first `length` bytes do not change any more: may be copied after the application goes on */
};

/* What a barrier's callback may give besides 0 and -errno. Since 1.1: what it needs from outside (an emulator's word that it is ready, a
 * licence) is not there yet: it has said what by host->waits_for, and is called again a moment later, for as long as it takes. The user
 * sees it, and may give up. A host whose struct ends before waits_for would take it for done.
 * CAIRN_BARRIER_LAST, of a checkpoint's barrier: done, and this process has nothing to do at the plugin's later barriers of this checkpoint.
 * Where all processes say so these may be left out; else they come in all processes as ever. Since 1.1; an older host takes it for done. */
enum cairn_barrier_result { CAIRN_BARRIER_DONE = 0, CAIRN_BARRIER_WAITS = 0x57414954, CAIRN_BARRIER_LAST = 0x4c415354 };

/* host->around_fork: before the call, and behind it in each process; after a failure in the one that there is. */
enum cairn_fork_stage { CAIRN_FORK_BEFORE = 0, CAIRN_FORK_IN_PARENT = 1, CAIRN_FORK_IN_CHILD = 2 };

/* host->list_file: what a restart does with a file. */
enum cairn_file_handling {
  CAIRN_FILE_CHECKED = 0, /* needs it as it is now */
  CAIRN_FILE_SAVED = 1,   /* brings it back */
  CAIRN_FILE_IGNORED = 2  /* uses it as it is then */
};

/* What a process on another host told: host->answer_of_hosts. Lives until the operation is over. */
struct cairn_answer {
  uint32_t size;
  uint32_t host;        /* its number */
  const void *value;
  uint32_t value_size;
  uint32_t has_address; /* 1: */
  uint8_t address[16];  /* where that host is reached from here: of IPv6, or of IPv4 in the form of IPv6 (::ffff:192.0.2.1) */
};

/* Any function, which its user casts to the function's own type. */
typedef void (*cairn_function)(void);

/* Interposition: a function that a plugin stands in front of, given by host->wrap or named in cairn_plugin.wraps. Since 1.1.
 *
 * Layers. A call of the application comes to the wrapper of the highest plugin first (the one that was given last); what it passes on by
 * *next comes to the next lower plugin's, and last to the library's function. What is below a layer sees what that passes on and gives back
 * to it; what is above does not. Of one plugin's two wrappers for a function the one that was given later is above. Functions that Cairn
 * wraps itself (open, getpid, connect, ...): its wrapper is below all plugins from outside. So these see virtual names, as the application
 * does, and what they pass on is translated once. Calls that a plugin's own library makes, by whatever way, go to the layers below that
 * plugin; those that Cairn makes go to no plugin.
 *
 * Which calls. All of the program and of its libraries that go by the function's name: bound at the start or when first called, also where
 * that is read-only (-z now, relro); bound long before the plugin came (at a restart, by cairn attach); those of libraries that are loaded
 * later, their constructors included; and what dlsym and dlvsym give. Tables of functions that the loader filled in, too. What cannot be
 * seen: pointers that the program has put into variables of its own before the plugin came; calls that the compiler or the linker has bound
 * within one library or program (static functions, hidden names, -Bsymbolic, most of the C library's own); libraries that are loaded by
 * dlmopen into another list; and versions of a function other than the default one. A function that a library loaded later chooses by
 * processor (IFUNC) is not wrapped.
 *
 * When. A wrapper runs in the application's threads, as any library's function: from the moment at which the plugin comes until it is taken
 * out. A checkpoint may stop a thread in it; there it goes on, also after a restart, with all that the wrapper has in memory. Where it must
 * not be stopped between two steps it uses host->forbid_checkpoint. A thread may still be in a wrapper that was taken out, whose *next
 * stays as it was. A library that is unloaded takes its functions along: *next is NULL until somebody defines the function again.
 * While somebody looks at single calls (`cairn plugin trace --calls`) wrappers are called by way of Cairn, with what the caller passes in
 * registers and up to 512 bytes on the stack.
 * A wrapper keeps errno as the function would, and is safe in signal handlers where the function is. */
struct cairn_wrap {
  uint32_t size;
  uint32_t reserved;
  const char *function;   /* its name in tables of symbols; of C++ as the compiler makes it */
  const char *library;    /* "libz.so.1", as the library names itself; NULL: the first that has it, in the order in which they were loaded,
                           * the program before them */
  cairn_function wrapper; /* called in its place: of the function's own type */
  cairn_function *next;   /* where the host puts the next lower layer, a static variable; NULL there: nobody defines the function. The
                           * wrapper reads it at each call */
  const uint64_t *calls;  /* NULL, or a counter of the plugin's that `cairn plugins` shows beside the layer */
};

/* A request that somebody makes of a plugin while the program runs, for cairn_plugin.request. One at a time in a process. Since 1.1.
 *
 *   BEGIN    `text` is what is asked, in a form of the plugin's own. Returns 0: host->answer comes, now or later, from any thread; -errno:
 *            nothing is done, and host->fail has said why.
 *   GIVE_UP  the answer is too late for `reason`. Where nothing has been done yet the plugin takes everything back and answers that;
 *            else it answers when it is through, and a checkpoint waits for that where the plugin has forbidden it. */
enum cairn_request_stage { CAIRN_REQUEST_BEGIN = 1, CAIRN_REQUEST_GIVE_UP = 2 };
enum cairn_request_reason {
  CAIRN_REQUEST_LATE = 1,      /* whoever asked waits no longer */
  CAIRN_REQUEST_OPERATION = 2, /* a checkpoint or hold begins */
  CAIRN_REQUEST_LOST = 3       /* whoever asked is there no more, and no answer is sent */
};
struct cairn_request {
  uint32_t size;
  uint32_t stage;     /* enum cairn_request_stage */
  const void *text;   /* BEGIN: bytes of any kind, valid during the call */
  uint64_t text_size;
  uint32_t reason;    /* GIVE_UP: enum cairn_request_reason */
  uint32_t held;      /* BEGIN: 1: all threads of the application are stopped, and host->in_copy can be called */
};

/* A function of the program or of a library that the plugin is called at the beginning of: once, at the next call, or at each, whoever makes
 * it, calls within the program included, which host->wrap does not see. Its first bytes are other ones until then; while they are as ever
 * nothing of this costs anything. For 64-bit programs. The struct lives for as long as the process. Since 1.1. */
enum cairn_entry_result {
  CAIRN_ENTRY_GO_ON = 0,  /* the call goes on as if nothing had been there */
  CAIRN_ENTRY_RETURN = 1  /* the function is left out: the call returns 0 */
};
struct cairn_entry {
  uint32_t size;
  uint32_t armed;          /* the host's: 1: the next call comes to `entered` */
  cairn_function function;
  /* [any] In the thread that makes the call, whose registers are all kept. The function is as ever by then, and may be called. arguments:
   * the first six, of those that are integers or pointers. Gives enum cairn_entry_result. */
  uint32_t (*entered)(struct cairn_entry *entry, const uint64_t *arguments);
  uint64_t kept[2];        /* the host's */
  /* 1: each call comes, in as many threads at once as make it, until host->leave: the first instructions of such a function are moved, which
   * is refused where Cairn does not know them (-EOPNOTSUPP). It costs each call some tenths of a microsecond. Cairn cannot see whether the
   * function itself jumps back to behind its first byte, as a loop at its very beginning does: such a one must not be entered so. */
  uint32_t each;
  uint32_t moved;          /* the host's */
  cairn_function original; /* the host sets it: the function without the plugin, which may be called */
  /* each: so many of the next calls go on at once, at a cost of some nanoseconds, and are counted down here; those of several threads at once
   * may be counted as one. For what need not be looked at each time. */
  uint32_t skip;
  uint32_t reserved;
};

/* What a thread that stands goes on with, on x86-64: host->registers. One that was stopped within a system call stands at the instruction of
 * it, and makes the call, or what is left of it, when it goes on. Since 1.1. */
struct cairn_registers {
  uint32_t size;
  uint32_t extended_size;
  uint64_t general[16]; /* by the processor's numbers: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15 */
  uint64_t instruction;
  uint64_t flags;
  uint8_t *extended;    /* an XSAVE area of the standard format, as far as it is used: the host's, to be changed in place */
};

/* Once, all threads of the process are to stand for a moment: host->stop. The struct lives for as long as the process. Since 1.1. */
enum cairn_stop_clock {
  CAIRN_STOP_TIME = 0,     /* as it passes, also while the computation is held */
  CAIRN_STOP_PROCESSOR = 1 /* that this process takes */
};
struct cairn_stop {
  uint32_t size;
  uint32_t waits;    /* the host's: 1 until it is called back */
  uint64_t after_ns; /* since host->stop */
  uint32_t clock;    /* enum cairn_stop_clock */
  uint32_t reserved;
  /* [quiesced] All threads stand, and go on when it has returned. -errno: they could not be stopped, and run. */
  void (*stopped)(struct cairn_stop *stop, int32_t error);
  uint64_t due_ns;         /* the host's */
  struct cairn_stop *next; /* the host's */
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

  /* Since 1.1 */

  /* [any] Shared names, see cairn_name_space. set replaces; claim sets what nobody has set, else gives -EEXIST and the value that
   * is there, so that one of several processes is elected; get and remove give -ENOENT; next gives the first entry of a space at
   * or behind *index and moves *index behind it. -ENOSPC: the table is full. */
  int32_t (*set_name)(uint32_t space, int64_t key, int64_t value);
  int32_t (*claim_name)(uint32_t space, int64_t key, int64_t value, int64_t *holder);
  int32_t (*get_name)(uint32_t space, int64_t key, int64_t *value);
  int32_t (*remove_name)(uint32_t space, int64_t key);
  int32_t (*next_name)(uint32_t space, uint32_t *index, int64_t *key, int64_t *value);

  /* [quiesced] Offers an event to the plugins, from the highest layer down, until one claims it by returning 1: its number, which
   * stays when layers change; -1: nobody did; else what the first that failed returned. */
  int32_t (*offer)(uint32_t event, void *data);
  /* [quiesced, restoring] Sends an event to the plugin of one number: what it returned; -ENOTSUP: the restart has taken it out. */
  int32_t (*deliver)(int32_t number, uint32_t event, void *data);

  /* [restoring] The system call that the index-th thread begins again when it goes on: 1, with its number, its six
   * arguments and the thread's stack pointer; 0: it goes on elsewhere. */
  int32_t (*thread_call)(uint32_t index, int64_t *number, uint64_t *arguments, uint64_t *stack);

  /* [quiesced] Says that a restart needs a file as it is now, so that this is checked before anything is started. real: where it
   * is, when not at its virtual path; may be NULL. The texts stay as they are until the application goes on. */
  void (*need_file)(const char *virtual_path, const char *real, uint64_t size, uint64_t mtime_ns);

  /* [restoring] Replaces one argument of the system call that the index-th thread begins again: 0, or -ENOENT: it begins none. */
  int32_t (*set_thread_argument)(uint32_t index, uint32_t argument, uint64_t value);

  /* [quiesced] As need_file, with what a restart does with the file (enum cairn_file_handling): for the check before a restart, and
   * for whoever looks at the snapshot. */
  void (*list_file)(const char *virtual_path, const char *real, uint64_t size, uint64_t mtime_ns, uint32_t how);

  /* [quiesced, restoring] Names over all hosts of the computation, for the operation that is going on: what one process tells in an
   * event or barrier, another that asks for it in any one can have from the barrier on that follows both. Bytes of any kind; `space` as
   * for shared names; who tells a key again replaces it. -ENOTCONN: the computation is on one host; answer also -ENOENT: nobody told it. */
  int32_t (*tell_hosts)(uint32_t space, const void *key, uint32_t key_size, const void *value, uint32_t value_size);
  int32_t (*ask_hosts)(uint32_t space, const void *key, uint32_t key_size);
  int32_t (*answer_of_hosts)(uint32_t space, const void *key, uint32_t key_size, struct cairn_answer *answer);
  /* [quiesced, restoring] A folder that all hosts see, for files that processes leave for each other until the operation is over.
   * NULL: the computation is on one host. */
  const char *(*exchange_folder)(void);

  /* [any] As the functions of <cairn/cairn.h>, where they are described, for wrappers in threads of the application. request: not in
   * signal handlers; -EDEADLK in Cairn's own thread and in a critical section. */
  int32_t (*request_checkpoint)(const char *name);
  int32_t (*forbid_checkpoint)(const char *what);
  int32_t (*allow_checkpoint)(void);

  /* [quiesced, restoring] What a barrier's callback waits for, in words that follow "process 4711 (vvp): ". Gives CAIRN_BARRIER_WAITS, for
   * `return host->waits_for(...)`. */
  int32_t (*waits_for)(const char *text);

  /* [any] Calls job(context) and returns when it has returned. While the application's threads run, what Cairn's thread opens takes, for
   * that moment, numbers that the application would have got: job opens nothing that the application sees, sees none of the application's
   * descriptors, and what it leaves open is closed. It may run in another process on the same memory, where /proc/self is not this
   * one; it must not wait for anybody, and begins anew if it was cut off. */
  void (*aside)(void (*job)(void *context), void *context);

  /* [any, in threads of the application] Around a call other than libc's fork that makes a process with a copy of this one's memory, in
   * the thread that makes it: so Cairn is in the child, too. stage: enum cairn_fork_stage. */
  void (*around_fork)(uint32_t stage);

  /* [init, quiesced, restoring] Stands in front of a function, see cairn_wrap; the struct may go afterwards. 1: from now on; 0: as soon as
   * a library that defines it is loaded. -EPERM: not within a callback. */
  int32_t (*wrap)(const struct cairn_wrap *wrap);
  /* [init, quiesced, restoring] Takes it out again, with the same function, wrapper and next. -ENOENT: it is not there. */
  int32_t (*unwrap)(const struct cairn_wrap *wrap);

  /* [any] The answer to the request that the plugin has: error: 0, or -errno, where the text is words for the user. The text, at most 512
   * KiB, stays as it is until the next request. -EALREADY: there is no request that waits for an answer. */
  int32_t (*answer)(int32_t error, const void *text, uint64_t size);

  /* [running, within cairn_plugin.request; restoring, within RESTART] The next call of each of these functions comes to the plugin first. All
   * threads of the process are stopped for a moment, in which meanwhile(context) is called, before the first byte is changed; it may be NULL.
   * An entry that is armed already stays so. All of them or none. -ENOTSUP, -EACCES, ...: host->fail has said why not. */
  int32_t (*enter)(struct cairn_entry *const *entries, uint32_t count, void (*meanwhile)(void *context), void *context);
  /* [any] Takes that back where no call has come yet, or where each comes (a few may still): 1; 0: one has come, it was not armed, or another
   * entry stands in front of this one. */
  int32_t (*leave)(struct cairn_entry *entry);

  /* [running, within cairn_plugin.request where it says `held`] Calls job(context, result, capacity) in a copy of the process that is thrown
   * away afterwards, on its first thread's behalf: for code of the program's that may not be called where its threads stand. The copy has
   * the application's descriptors, and must leave them alone. What job leaves in `result` is copied back. Gives what job gave; -ETIMEDOUT: it
   * did not return in two seconds; -EFAULT: it ended the copy; -EBUSY: the threads run. */
  int64_t (*in_copy)(int64_t (*job)(void *context, void *result, uint64_t capacity), void *context, void *result, uint64_t capacity);
  /* [any, in threads of the application] Asks for the computation to be held, and returns when it goes on again: 1; 2: it was restarted
   * meanwhile; -errno: it was not held. `what` (a signal, a variable; may be "") and `why` are shown to whoever sees it held. -EDEADLK in
   * Cairn's own thread and in a critical section; not in signal handlers. */
  int32_t (*request_hold)(const char *what, const char *why);

  /* [restoring, in RESTART and barriers; quiesced, in cairn_stop.stopped] Registers of the index-th thread, and others for it, which it has when it
   * goes on: its XSAVE area is taken as it is then. -ENOENT: there is no such thread, or it has ended; -ENOTSUP: not of programs of 32 bits,
   * or of a thread that the program itself traces; -EBUSY: the threads do not stand for that. */
  int32_t (*registers)(uint32_t index, struct cairn_registers *registers);
  int32_t (*set_registers)(uint32_t index, const struct cairn_registers *registers);
  /* [any after init] Asks for a moment in which all threads of this process stand. 0; -EALREADY: it waits for one already. One that is due while an
   * operation goes on comes after it; a restart and a fork forget it. */
  int32_t (*stop)(struct cairn_stop *stop);
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

  /* [as it stands at each event] Unknown events: return 0. `data` as said at the event, else NULL. */
  int32_t (*event)(uint32_t event, void *data);

  /* [running, quiesced] Gives the rows of one table ("pid", "path", "env", "fd", "connection"; "plugin": all else) that this plugin owns. May be NULL. */
  void (*rows)(const char *table, cairn_emit_row emit, void *context);

  /* [quiesced, restoring] NULL-terminated names of own barriers, in order, and what runs at each; NULL: none. The checkpoint's come when
   * all threads stand, before PRECHECKPOINT [quiesced], the restart's after RESTART [restoring]. No process goes on to the next barrier
   * before all have passed this one. CAIRN_BARRIER_WAITS, CAIRN_BARRIER_LAST: see there. */
  const char *const *checkpoint_barriers;
  const char *const *restart_barriers;
  int32_t (*barrier)(const char *name, uint32_t restart);

  /* [init] NULL-terminated: what host->wrap is called with before init; NULL: none. `cairn plugin check` can name these. Since 1.1. */
  const struct cairn_wrap *const *wraps;

  /* [running] What is asked of the plugin by its name, see cairn_request; NULL: nothing can be asked. Since 1.1. */
  int32_t (*request)(const struct cairn_request *request);
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
  /* Since 1.1. [any] As to_real, for something new that is about to get this name; the folders above it are made. */
  int32_t (*new_real)(const char *path, char *buffer, uint32_t capacity);
  /* Since 1.1. [any] The real file is shown by these numbers of device and inode from now on; and what a real file is shown by. */
  int32_t (*same_file)(uint64_t virtual_device, uint64_t virtual_inode, uint64_t real_device, uint64_t real_inode);
  void (*shown_numbers)(uint64_t *device, uint64_t *inode);
};

/* Extension "cairn.environment/1", published by the built-in plugin `env`. Since 1.1. */
struct cairn_environment {
  uint32_t size;
  uint32_t reserved;
  /* [any] What a program that is executed gets for "NAME=VALUE" of a copy of the environment: the entry itself, or, where it is as
   * before a restart, what that gave; NULL: nothing. Lives as long as the process. */
  const char *(*entry)(const char *entry);
  /* [any] The index-th entry that restarts have added; NULL: there are no more. */
  const char *(*added)(uint32_t index);
};

/* Extension "cairn.ids/1", published by the built-in plugin `pid`. Processes and threads share one space of numbers. */
struct cairn_ids {
  uint32_t size;
  uint32_t reserved;
  /* [any] The kernel's id for a virtual one of a process or thread, and back. A number that is no virtual (real) id of this
   * computation comes out as it went in; but a foreign real id that equals a virtual one in use gets a virtual name of its own. */
  int32_t (*to_real)(int32_t virtual_id);
  int32_t (*to_virtual)(int32_t real_id);
  /* Since 1.1. [running, quiesced] Virtual ids of this process's parent, group and session. */
  int32_t (*parent)(void);
  int32_t (*group)(void);
  int32_t (*session)(void);
  /* [any] For a file of /proc, by its real path, in whose text there are ids: a new descriptor, at its beginning, of a copy in
   * which they are virtual ones. -ENOENT: that file has none, or this process was never restarted. -errno. */
  int32_t (*proc_copy)(const char *real_path);
  /* [any] The virtual id of a child that a call gave, where the call began at `moment`: a restart may have come in between, and
   * the number is then one of before. */
  uint32_t (*moment)(void);
  int32_t (*child)(int32_t real_id, uint32_t moment);
};

/* Extension "cairn.signals/1", published by the built-in plugin `signal`. */
struct cairn_signals {
  uint32_t size;
  uint32_t reserved;
  /* [any] rt_sigaction(2) as the application means it: `set` and `get` are the kernel's struct, or NULL. */
  int64_t (*action)(int32_t signal, const void *set, void *get, uint64_t mask_size);
};

/* Extension "cairn.watches/1", published by the built-in plugin `event`. Since 1.1. */
struct cairn_watches {
  uint32_t size;
  uint32_t reserved;
  /* [any] inotify_add_watch(2) gave a number for this real path: the kernel tells of a watch's inode later, but not of its path. */
  void (*added)(const char *real_path, uint32_t mask);
  /* [quiesced] Gives a descriptor another one's number, with what epoll instances of this process wait for under it. 0 or -errno. */
  int32_t (*replace)(int32_t number, int32_t fd);
};

/* Extension "cairn.terminals/1", published by the built-in plugin `pty`. Since 1.1. */
struct cairn_terminals {
  uint32_t size;
  uint32_t reserved;
  /* [any] The number N of the terminal /dev/pts/N, as the application sees it, for the kernel's, and back. */
  int32_t (*to_virtual)(int32_t real_number);
  int32_t (*to_real)(int32_t virtual_number);
};

/* Extension "cairn.rings/1", published by the built-in plugin `uring`. Since 1.1. */
struct cairn_rings {
  uint32_t size;
  uint32_t reserved;
  /* [any] io_uring_setup(2) and io_uring_register(2), noted for a checkpoint: the kernel's result. */
  int64_t (*set_up)(uint32_t entries, void *parameters);
  int64_t (*change)(int32_t fd, uint32_t operation, void *argument, uint32_t count);
};

/* Extension "cairn.design/1", published by the built-in plugin `hdl`. Since 1.1. Signals of the hardware simulation that this process is, for a
 * plugin that watches or changes them; the simulation was neither built nor started for it. */
enum cairn_simulator { CAIRN_SIMULATOR_NONE = 0, CAIRN_SIMULATOR_ICARUS = 1, CAIRN_SIMULATOR_VERILATOR = 2 };
enum cairn_signal_kind { CAIRN_SIGNAL_NONE = 0, CAIRN_SIGNAL_VECTOR = 1, CAIRN_SIGNAL_MEMORY = 2 };
/* A signal, or one word of a memory. Lives as long as whoever uses it. */
struct cairn_signal {
  uint32_t size;
  uint32_t kind;   /* enum cairn_signal_kind */
  uint32_t width;  /* bits; of a memory those of one word */
  uint32_t driven; /* 1: a net, which its drivers assign */
  int32_t left;    /* its range, of a memory that of its words; left 0 and right -1: it has none */
  int32_t right;
  uint64_t object; /* the host's */
};
/* What the simulation has come to. All assignments of the time step are made, and values may be put, but at SETTLED, LIMIT and END. */
enum cairn_moment {
  CAIRN_MOMENT_BEGIN = 1,   /* the first time that it comes */
  CAIRN_MOMENT_TIME = 2,    /* a time that was asked for, or the first one behind it at which it stops */
  CAIRN_MOMENT_CHANGE = 3,  /* a signal that is watched has another value than at the last time step */
  CAIRN_MOMENT_SETTLED = 4, /* the end of the time step: values may be read */
  CAIRN_MOMENT_END = 5,     /* the simulation ends (of a model of Verilator's: final() or its destructor is called): values may be read */
  CAIRN_MOMENT_LIMIT = 6    /* a time that was asked for is over: a few hundred evaluations of a model may have passed since */
};
/* Lives as long as the process; one a plugin. */
struct cairn_watcher {
  uint32_t size;
  uint32_t reserved;
  /* [any] In the simulation's thread. signal: the one that has changed, else NULL. */
  void (*reached)(struct cairn_watcher *watcher, uint32_t moment, struct cairn_signal *signal);
};
struct cairn_design {
  uint32_t size;
  uint32_t reserved;
  /* [restoring, within RESTART] What this process is: enum cairn_simulator; -ENOENT: no simulation; else why it cannot be entered is said by
   * host->fail, whose result it gives. */
  int32_t (*simulator)(void);
  /* [restoring, within RESTART] From now on watcher->reached is called, first with BEGIN. 0 or -errno, and host->fail has said why. */
  int32_t (*watch)(struct cairn_watcher *watcher);
  /* [within reached] All that follows. Simulated time in ticks of 10^*exponent seconds. */
  uint64_t (*time)(int32_t *exponent);
  /* By its full name, as the simulator has it, or NAME[INDEX] of a memory's word. 0; -ENOENT. */
  int32_t (*find)(const char *name, struct cairn_signal *signal);
  /* One word of a memory. 0; -ENOENT. */
  int32_t (*word)(const struct cairn_signal *memory, int32_t index, struct cairn_signal *signal);
  /* Its bits as 0, 1, x and z, the most significant one first, and a zero at the end: `capacity` is width + 1 at least. 0; -ENODATA: it has none
   * that can be read. */
  int32_t (*read)(const struct cairn_signal *signal, char *bits, uint64_t capacity);
  /* Puts bits there, until the design assigns others. 0: the simulator has taken them; -EROFS: it has not. */
  int32_t (*put)(const struct cairn_signal *signal, const char *bits);
  /* Reached at this time, in place of what was asked for before; UINT64_MAX: at none. */
  void (*at)(struct cairn_watcher *watcher, uint64_t time);
  /* Reached whenever it has changed; off: no more. 0; -ENOSPC: too many are watched; -ENODATA: as read. */
  int32_t (*on_change)(struct cairn_watcher *watcher, struct cairn_signal *signal, uint32_t on);
  /* Reached at the end of this time step. */
  void (*settled)(struct cairn_watcher *watcher);
  /* All signals whose names fit a pattern (with * and ? the whole name, else a part; "": all): each is given until `each` returns 0. */
  void (*list)(const char *pattern, int32_t (*each)(void *context, const char *name, const struct cairn_signal *signal), void *context);
  /* What `find` and `word` gave is not used any more, and not watched: the simulator may keep something for it until then. Not for those of
   * `list`. Only where `size` reaches it. */
  void (*let_go)(struct cairn_signal *signal);
  /* Reached with LIMIT once this time has come, in place of what was asked for before; UINT64_MAX: at none. Waiting for it costs next to nothing,
   * other than for what `at` is asked for. Only where `size` reaches it. */
  void (*limit)(struct cairn_watcher *watcher, uint64_t time);
};

/* Extension "cairn.sysv/1", published by the built-in plugin `sysv`. Since 1.1. */
struct cairn_system_v {
  uint32_t size;
  uint32_t reserved;
  /* [any] syscall(2) as the application means it: 1 and what it gives (-1: errno is set) where it is about System V objects, else 0. */
  int32_t (*call)(int64_t number, const int64_t *arguments, int64_t *result);
};

/* Extension "cairn.external/1", published by the built-in plugin `external`. Since 1.1. See cairn_external. */
struct cairn_externals {
  uint32_t size;
  uint32_t reserved;
  /* [any after init] What this descriptor leads to (a socket, pipe, FIFO or character device) is external from now on, in all processes
   * of the computation on this host, also after restarts; `name`: at most 31 bytes, for the plugin to know it by. */
  int32_t (*mark)(int32_t fd, const char *name);
  /* [any after init] Takes that back. */
  int32_t (*unmark)(int32_t fd);
  /* [any after init] The length of the name by which it was marked, or -ENOENT. */
  int32_t (*marked)(int32_t fd, char *name, uint32_t capacity);
  /* For the plugin that owns a kind of descriptor, in the one process that brings it back. [quiesced] Offers one with `name`, `local`,
   * `peer` and so on: 1: it is external, *token stands for it; 0: nobody wants it. [restoring] The new descriptor, -ENOENT: no plugin
   * gives one; and once it has its number. */
  int32_t (*save)(struct cairn_external *connection, uint64_t *token);
  int32_t (*restore)(uint64_t token);
  int32_t (*restored)(uint64_t token, int32_t fd);
};

/* Extension "cairn.sockets/1", published by the built-in plugin `socket`. Since 1.1. */
struct cairn_sockets {
  uint32_t size;
  uint32_t reserved;
  /* [quiesced] The new socket comes in the place of the old one: it gets its options, and is shown by its names. */
  int32_t (*replace)(int32_t old_fd, int32_t new_fd);
};

#ifdef __cplusplus
}
#endif

#endif
