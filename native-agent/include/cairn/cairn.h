/*
 * For code of a simulation or test bench (C11, C++): asks Cairn for a checkpoint, and keeps checkpoints out of critical sections.
 *
 * Nothing has to be linked and nothing is needed at run time: where Cairn is not there, each function does nothing and returns 0.
 * (glibc before 2.34: link with -ldl.) For SystemVerilog: cairn_dpi.c (DPI) and cairn_vpi.c (VPI) in share/cairn.
 */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <dlfcn.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What cairn_request_checkpoint gives. A snapshot contains the call itself: a restart comes back from it, too. */
enum cairn_request_result {
  CAIRN_NOT_THERE = 0,    /* the program does not run under Cairn: nothing was done */
  CAIRN_CHECKPOINTED = 1, /* the snapshot is on disk, and the program goes on */
  CAIRN_RESTARTED = 2     /* the program was restarted from a snapshot that was made during the call */
};

/* Asks for a snapshot of the whole computation and waits until it is on disk. `name` as of `cairn checkpoint --name`; NULL or "":
 * none. -errno: no snapshot was made, and the program runs on (cairn_request_error); -EDEADLK: this thread is in a critical section.
 * Not in signal handlers. */
static inline int32_t cairn_request_checkpoint(const char *name);

/* Why the last request of this process failed, in words for the user; "" : none has. Copied to buffer, cut where that is too small. */
static inline void cairn_request_error(char *buffer, uint32_t capacity);

/* A critical section: checkpoints of the computation wait until it is left, and tell the user who keeps them waiting, with these words
 * ("bus lock"; the first 63 bytes count). Sections nest, and one may be left by another thread than entered it. Both may be called
 * anywhere, in signal handlers too. While a checkpoint waits a section may begin some 200 ms late. forbid gives -ENOSPC where there are
 * too many sections (256 in one process): a checkpoint is then not kept out. In a program that was attached they count from its first
 * request on. */
static inline int32_t cairn_forbid_checkpoint(const char *what);
static inline int32_t cairn_allow_checkpoint(void);

/* ---- How it finds Cairn: when the program begins, and at each request (Cairn may have been attached since) ---------------------- */
struct cairn_functions_ {
  int32_t (*request)(const char *);
  void (*error)(char *, uint32_t);
  int32_t (*forbid)(const char *);
  int32_t (*allow)(void);
};
static struct cairn_functions_ cairn_functions_;

__attribute__((constructor)) static void cairn_find_(void) {
  /* The first argument is RTLD_DEFAULT, which not every program sees declared. */
  *(void **)&cairn_functions_.forbid = dlsym((void *)0, "cairn_agent_forbid_checkpoint");
  if (!cairn_functions_.forbid) return;
  *(void **)&cairn_functions_.allow = dlsym((void *)0, "cairn_agent_allow_checkpoint");
  *(void **)&cairn_functions_.request = dlsym((void *)0, "cairn_agent_request_checkpoint");
  *(void **)&cairn_functions_.error = dlsym((void *)0, "cairn_agent_request_error");
}

static inline int32_t cairn_request_checkpoint(const char *name) {
  if (!cairn_functions_.request) cairn_find_();
  return cairn_functions_.request ? cairn_functions_.request(name) : 0;
}
static inline void cairn_request_error(char *buffer, uint32_t capacity) {
  if (capacity > 0) buffer[0] = 0;
  if (cairn_functions_.error) cairn_functions_.error(buffer, capacity);
}
static inline int32_t cairn_forbid_checkpoint(const char *what) {
  return cairn_functions_.forbid ? cairn_functions_.forbid(what) : 0;
}
static inline int32_t cairn_allow_checkpoint(void) {
  return cairn_functions_.allow ? cairn_functions_.allow() : 0;
}

#ifdef __cplusplus
}
#endif

#endif
