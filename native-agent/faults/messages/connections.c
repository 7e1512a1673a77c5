#define _GNU_SOURCE
#include "messages/connections.h"

#include "cairn/messages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct stream streams[STREAMS];
static uint32_t lock; /* of all */

static int ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), part = strlen(end);
  return part <= length && strcmp(text + length - part, end) == 0;
}

/* "10.0.0.1:80", "[::1]:80", "/run/name", "@abstract", "". 1: it is a path. */
static int name_of(const struct sockaddr_storage *address, socklen_t size, char *text, size_t capacity) {
  char host[INET6_ADDRSTRLEN] = "";
  text[0] = 0;
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)address;
    (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    (void)snprintf(text, capacity, "%s:%u", host, ntohs(in->sin_port));
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const void *)address;
    (void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
    (void)snprintf(text, capacity, "[%s]:%u", host, ntohs(in->sin6_port));
  } else if (address->ss_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path)) {
    const struct sockaddr_un *un = (const void *)address;
    const int length = (int)(size - offsetof(struct sockaddr_un, sun_path));
    if (un->sun_path[0] == 0) (void)snprintf(text, capacity, "@%.*s", length - 1, un->sun_path + 1);
    else return snprintf(text, capacity, "%.*s", length, un->sun_path) > 0;
  }
  return 0;
}

struct names {
  uint32_t kind;
  char peer[256];
  char local[256];
  char path[1024];
};

/* 0: it is not known yet, as of a socket that is not connected. */
static int look(int fd, const struct stat *found, struct names *names) {
  memset(names, 0, sizeof *names);
  if (S_ISFIFO(found->st_mode)) {
    char link[32];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, names->path, sizeof names->path - 1);
    names->path[size < 0 ? 0 : size] = 0;
    names->kind = names->path[0] == '/' ? FIFO : PIPE;
    return 1;
  }
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  names->kind = SOCKET;
  if (getpeername(fd, (struct sockaddr *)&address, &size) < 0) return 0;
  if (name_of(&address, size, names->peer, sizeof names->peer)) strcpy(names->path, names->peer);
  size = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return 1;
  if (name_of(&address, size, names->local, sizeof names->local) && names->path[0] == 0) strcpy(names->path, names->local);
  return 1;
}

static int is_on(const struct fault *fault, const struct names *names) {
  if (fault->kind != ANY_KIND && fault->kind != names->kind) return 0;
  if (fault->peer[0] != 0 && !ends_with(names->peer, fault->peer)) return 0;
  if (fault->local[0] != 0 && !ends_with(names->local, fault->local)) return 0;
  return fault->path[0] == 0 || ends_with(names->path, fault->path);
}

static int is_datagrams(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM;
}

/* What a descriptor is first used for, or again after it has led elsewhere. */
static void find(const struct cairn_host *host, const struct faults *faults, uint32_t here, struct stream *stream, const struct stat *found) {
  struct names names;
  stream->faults = 0;
  stream->parse = (struct parse){0};
  stream->begun = 0;
  stream->active = stream->waits = -1;
  stream->held_size = 0;
  stream->device = found->st_dev;
  stream->inode = found->st_ino;
  if (!look(stream->fd, found, &names)) {
    stream->inode = UINT64_MAX; /* it is looked at again */
    return;
  }
  stream->is_socket = names.kind == SOCKET;
  stream->datagrams = stream->is_socket && is_datagrams(stream->fd);
  for (uint32_t i = 0; i < faults->count; ++i) {
    const struct fault *fault = &faults->list[i];
    if ((here & 1u << i) == 0 || fault->receives != stream->receives || !is_on(fault, &names)) continue;
    if (stream->faults == 0) stream->rule = stream->datagrams ? (struct rule){0} : fault->rule;
    stream->faults |= 1u << i;
  }
  if (stream->faults == 0 || stream->rule.kind != BY_EXTENSION) return;
  const struct cairn_messages *told = host->extension(stream->rule.extension);
  stream->rule.length = told == NULL || told->size < sizeof *told ? NULL : told->length;
  if (stream->rule.length == NULL) host->log(CAIRN_LOG_WARNING, "fault-messages: no plugin tells where messages end by the extension of the rule: each call is one");
}

/* ---- Locks ---- */
/* A child of vfork has the memory of its parent, whose connections stay as they are. */
static int is_borrowed(const struct cairn_host *host) { return host->syscall(SYS_getpid, 0, 0, 0, 0, 0, 0) != host->real_pid(); }

/* A thread that was cancelled in a call has left what it had locked. */
static int is_there(const struct cairn_host *host, uint32_t thread) {
  int64_t real = thread;
  if (host->get_name(CAIRN_NAMES_ID, thread, &real) < 0) real = thread;
  return host->syscall(SYS_tgkill, host->real_pid(), (long)real, 0, 0, 0, 0) != -ESRCH;
}

static int lock_once(const struct cairn_host *host, uint32_t *word, uint32_t self) {
  uint32_t holder = 0;
  if (__atomic_compare_exchange_n(word, &holder, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return 1;
  return holder != self && !is_there(host, holder) && __atomic_compare_exchange_n(word, &holder, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static int take_lock(const struct cairn_host *host, uint32_t *word, uint32_t self) {
  while (!lock_once(host, word, self)) {
    if (__atomic_load_n(word, __ATOMIC_RELAXED) == self) return 0; /* a signal handler, in a thread that has it */
    const struct timespec pause = {0, 50000};                      /* it may be within a call that waits */
    host->syscall(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
  }
  return 1;
}

static void give_lock(uint32_t *word) { __atomic_store_n(word, 0, __ATOMIC_RELEASE); }

void stream_give(struct stream *stream) { give_lock(&stream->lock); }

int stream_try(const struct cairn_host *host, struct stream *stream) { return lock_once(host, &stream->lock, (uint32_t)gettid()); }

/* ---- Places ---- */
/* Not that of a connection which was closed while a call waits in it: the number may be another's by now. */
static int is_of(const struct stream *stream, int fd, int receives) {
  return stream->used && stream->fd == fd && stream->receives == (uint32_t)receives && __atomic_load_n(&stream->asked, __ATOMIC_RELAXED) != CLOSES;
}

/* One that nobody has, or that no fault is on: with its lock. */
static struct stream *new_place(const struct cairn_host *host, uint32_t self, int fd, int receives) {
  for (int used = 0; used < 2; ++used)
    for (uint32_t i = 0; i < STREAMS; ++i) {
      struct stream *stream = &streams[i];
      if (stream->used != (uint32_t)used || stream->faults != 0 || !lock_once(host, &stream->lock, self)) continue;
      if (stream->faults != 0) {
        stream_give(stream);
        continue;
      }
      stream->used = 1;
      stream->fd = fd;
      stream->receives = (uint32_t)receives;
      stream->device = 0;
      stream->inode = UINT64_MAX;
      stream->asked = GOES_ON;
      return stream;
    }
  return NULL;
}

/* With its lock. */
static struct stream *place_of(const struct cairn_host *host, uint32_t self, int fd, int receives) {
  for (;;) {
    if (!take_lock(host, &lock, self)) return NULL;
    struct stream *stream = NULL;
    for (uint32_t i = 0; i < STREAMS && stream == NULL; ++i)
      if (is_of(&streams[i], fd, receives)) stream = &streams[i];
    const int is_new = stream == NULL;
    if (is_new) stream = new_place(host, self, fd, receives);
    give_lock(&lock);
    if (stream == NULL || is_new) return stream;
    if (!take_lock(host, &stream->lock, self)) return NULL;
    if (is_of(stream, fd, receives)) return stream;
    stream_give(stream); /* it was closed meanwhile */
  }
}

struct stream *stream_take(const struct cairn_host *host, const struct faults *faults, uint32_t here, int fd, int receives) {
  struct stat found;
  if (here == 0 || fstat(fd, &found) < 0 || (!S_ISFIFO(found.st_mode) && !S_ISSOCK(found.st_mode)) || is_borrowed(host)) return NULL;
  struct stream *stream = place_of(host, (uint32_t)gettid(), fd, receives);
  if (stream == NULL) return NULL;
  if (stream->device == 0 && stream->inode == 0) {
    stream->device = found.st_dev;
    stream->inode = found.st_ino;
  }
  if (stream->device != found.st_dev || stream->inode != found.st_ino) find(host, faults, here, stream, &found);
  if (stream->faults != 0) return stream;
  stream_give(stream);
  return NULL;
}

struct stream *stream_to_end(const struct cairn_host *host, int first, int last, uint32_t end, uint32_t *index) {
  if (*index == 0) {
    uint32_t any = 0;
    for (uint32_t i = 0; i < STREAMS; ++i) any |= __atomic_load_n(&streams[i].used, __ATOMIC_RELAXED);
    if (!any || is_borrowed(host)) return NULL;
  }
  const uint32_t self = (uint32_t)gettid();
  struct stream *found = NULL;
  if (*index == STREAMS || !take_lock(host, &lock, self)) return NULL;
  while (*index < STREAMS && found == NULL) {
    struct stream *stream = &streams[(*index)++];
    if (!stream->used || stream->fd < first || stream->fd > last || (end == SHUTS && stream->receives)) continue;
    /* First: where that thread gives its lock in this moment it looks once more. */
    if (stream->asked < end) __atomic_store_n(&stream->asked, end, __ATOMIC_SEQ_CST);
    if (!lock_once(host, &stream->lock, self)) continue;
    stream->asked = GOES_ON;
    found = stream;
  }
  give_lock(&lock);
  return found;
}

void stream_free(const struct cairn_host *host, struct stream *stream) {
  /* Else by whoever is looked for at this place next. */
  if (!take_lock(host, &lock, (uint32_t)gettid())) return;
  stream->used = stream->faults = 0;
  stream->waits = -1;
  stream->held_size = 0;
  stream->asked = GOES_ON;
  give_lock(&lock);
}

static int leads(const struct stream *stream, const struct stat *now) {
  if (stream->device != 0 || stream->inode != 0) return stream->device == now->st_dev && stream->inode == now->st_ino;
  return S_ISFIFO(now->st_mode) || S_ISSOCK(now->st_mode);
}

int stream_leads(const struct stream *stream) {
  struct stat now;
  return fstat(stream->fd, &now) == 0 && leads(stream, &now);
}

/* ---- Events ---- */
void streams_saved(const struct cairn_host *host) {
  if (lock != 0) return;
  for (uint32_t i = 0; i < STREAMS; ++i) {
    struct stream *stream = &streams[i];
    struct stat now;
    if (!stream->used || stream->lock != 0) continue;
    if (host->syscall(SYS_fstat, stream->fd, (long)&now, 0, 0, 0, 0) < 0 || !leads(stream, &now)) stream->used = stream->faults = 0;
  }
}

void streams_restarted(void) {
  for (uint32_t i = 0; i < STREAMS; ++i) {
    struct stream *stream = &streams[i];
    if (stream->lock == 0 && stream->begun) stream->begun = 0, stream->active = -1; /* it is counted when it goes on */
    if (stream->lock == 0 && stream->faults == 0) stream->used = 0;
    else if (stream->inode != UINT64_MAX) stream->device = stream->inode = 0;
  }
}

void streams_forked(void) {
  lock = 0;
  for (uint32_t i = 0; i < STREAMS; ++i) {
    streams[i].lock = 0;
    streams[i].asked = GOES_ON;
    streams[i].held_size = 0;
    streams[i].begun = 0;
    streams[i].active = streams[i].waits = -1;
  }
}

void streams_forget(void) {
  for (uint32_t i = 0; i < STREAMS; ++i) streams[i].used = streams[i].faults = 0;
}
