#include "lic.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "link.h"

#define EXPORT __attribute__((visibility("default")))

enum { PATIENCE_MS = 2000, RETRY_MS = 200, LOOK_MS = 100 };

/* What the tool has is a name for the link. */
struct lic {
  struct lic_link link;
  pthread_t heart;
  int owned; /* by this process: it has asked for a licence, and has not given it back */
  uint32_t stops;
};
static struct lic the_lic;

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* vendor_key: the public half, which the Makefile has the compiler include. */
static int genuine(const struct lic_answer *answer) {
  return crypto_sign_verify_detached(answer->signature, (const unsigned char *)answer, offsetof(struct lic_answer, signature), vendor_key) == 0;
}

EXPORT struct lic_link *lic_link(void) { return the_lic.owned ? &the_lic.link : NULL; }

static void lock(struct lic_link *link) { (void)lic_lock(call, link, UINT64_MAX); }
static uint64_t deadline(void) { return lic_machine_ms(call) + PATIENCE_MS; }

static void hang_up(struct lic_link *link) {
  if (link->fd >= 0) close(link->fd);
  link->fd = -1;
  link->had = link->broken = 0;
}

/* ---- The lease, kept or got again: with the lock ---- */
static int keep_alive(struct lic_link *link) {
  struct lic_answer answer;
  if (link->broken) hang_up(link);
  if (link->fd < 0) {
    link->fd = lic_connect(call, link->daemon, deadline());
    if (link->fd < 0) {
      int error = link->fd;
      lic_explain(link, error, NULL, link->reason, LIC_REASON);
      link->fd = -1;
      return error;
    }
  }
  int error = -EACCES;
  if (link->lease != 0) {
    error = lic_ask(call, link, LIC_RENEW, 0, deadline(), &answer);
    if (error == -EACCES) lic_drop(call, link);
  }
  if (link->lease == 0) error = lic_ask(call, link, LIC_CHECKOUT, 0, deadline(), &answer);
  link->reason[0] = 0;
  if (error < 0) lic_explain(link, error, &answer, link->reason, LIC_REASON);
  return error;
}

/* In how many ms the daemon is to be asked: when a third of the lease is over. */
static uint64_t until_beat(const struct lic_link *link) {
  const uint64_t now = now_ms(), due = link->good_until - link->lease_ms / 3 * 2;
  return link->fd < 0 || link->broken || !lic_good(link) || now >= due ? 0 : due - now;
}

static void *beat(void *argument) {
  struct lic *lic = argument;
  struct lic_link *link = &lic->link;
  while (!__atomic_load_n(&lic->stops, __ATOMIC_ACQUIRE)) {
    uint32_t look = __atomic_load_n(&link->look, __ATOMIC_ACQUIRE);
    lock(link);
    uint64_t pause = until_beat(link);
    if (pause == 0) pause = keep_alive(link) < 0 ? RETRY_MS : until_beat(link);
    lic_unlock(call, link);
    lic_sleep_on(call, &link->look, look, pause);
  }
  return NULL;
}

/* ---- For the tool ---- */
static void name_us(struct lic_link *link) {
  const char *session = getenv("LIC_SESSION"), *host = getenv("LIC_HOST");
  struct utsname machine;
  uint64_t own = 0;
  snprintf(link->who, LIC_NAME, "process %d", (int)getpid());
  link->host_given = host != NULL;
  if (host == NULL && uname(&machine) == 0) host = machine.nodename;
  lic_copy(link->host, LIC_NAME, host != NULL ? host : "unknown");
  if (session == NULL && getrandom(&own, sizeof own, 0) < 0) own = (uint64_t)getpid();
  if (session != NULL) lic_copy(link->session, LIC_NAME, session);
  else snprintf(link->session, LIC_NAME, "%016llx", (unsigned long long)own);
}

static int prepare(struct lic_link *link, const char *daemon, const char *feature) {
  if (strlen(daemon) >= LIC_NAME || strlen(feature) >= LIC_NAME) return -EINVAL;
  if (sodium_init() < 0) return -EIO;
  memset(link, 0, sizeof *link);
  link->version = LIC_LINK_VERSION;
  link->fd = -1;
  link->now_ms = now_ms;
  link->genuine = genuine;
  lic_copy(link->daemon, LIC_NAME, daemon);
  lic_copy(link->feature, LIC_NAME, feature);
  name_us(link);
  return 0;
}

static void in_child(void) {
  if (!the_lic.owned) return;
  the_lic.owned = 0;
  the_lic.link.lease = 0;
  the_lic.link.lock = the_lic.link.closed = the_lic.link.inside = 0;
  hang_up(&the_lic.link);
  lic_copy(the_lic.link.reason, LIC_REASON, "the licence is that of the parent process");
}

static int start_heart(struct lic *lic) {
  static int knows_forks;
  sigset_t all, before;
  sigfillset(&all);
  lic->stops = 0;
  if (!knows_forks && pthread_atfork(NULL, NULL, in_child) == 0) knows_forks = 1;
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&lic->heart, NULL, beat, lic);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

EXPORT int lic_checkout(const char *daemon, const char *feature, struct lic **lic) {
  *lic = &the_lic;
  if (the_lic.owned) return -EBUSY;
  int error = prepare(&the_lic.link, daemon, feature);
  if (error < 0) return error;
  error = keep_alive(&the_lic.link);
  the_lic.owned = error == 0;
  if (error == 0) error = start_heart(&the_lic);
  if (error < 0) {
    the_lic.owned = 0;
    hang_up(&the_lic.link);
  }
  return error;
}

EXPORT void lic_return(struct lic *lic) {
  struct lic_answer answer;
  if (!lic->owned) return;
  __atomic_store_n(&lic->stops, 1, __ATOMIC_RELEASE);
  __atomic_add_fetch(&lic->link.look, 1, __ATOMIC_RELEASE);
  lic_wake(call, &lic->link.look);
  pthread_join(lic->heart, NULL);
  lock(&lic->link);
  if (lic->link.fd >= 0 && lic->link.lease != 0) (void)lic_ask(call, &lic->link, LIC_RETURN, 0, deadline(), &answer);
  lic_drop(call, &lic->link);
  hang_up(&lic->link);
  lic->owned = 0;
  lic_unlock(call, &lic->link);
}

EXPORT void lic_reason(struct lic *lic, char *text, size_t capacity) {
  lock(&lic->link);
  lic_copy(text, capacity, lic->link.reason[0] != 0 ? lic->link.reason : "the lease has run out");
  lic_unlock(call, &lic->link);
}

static void leave(struct lic_link *link) {
  if (__atomic_sub_fetch(&link->inside, 1, __ATOMIC_SEQ_CST) == 0) lic_wake(call, &link->inside);
}

EXPORT int lic_begin(struct lic *lic, uint64_t *lease) {
  struct lic_link *link = &lic->link;
  for (;;) {
    __atomic_add_fetch(&link->inside, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&link->closed, __ATOMIC_SEQ_CST)) break;
    leave(link);
    lic_sleep_on(call, &link->closed, 1, LOOK_MS);
  }
  if (lic->owned && lic_good(link)) {
    *lease = __atomic_load_n(&link->lease, __ATOMIC_ACQUIRE);
    if (*lease != 0) return 0;
  }
  leave(link);
  return -ENOLCK;
}

EXPORT void lic_end(struct lic *lic) { leave(&lic->link); }

EXPORT int lic_wait(struct lic *lic, unsigned ms) {
  const uint64_t end = lic_machine_ms(call) + ms;
  for (;;) {
    uint32_t news = __atomic_load_n(&lic->link.news, __ATOMIC_ACQUIRE);
    if (lic->owned && lic_good(&lic->link)) return 0;
    uint64_t now = lic_machine_ms(call);
    if (now >= end) return -ETIMEDOUT;
    lic_sleep_on(call, &lic->link.news, news, end - now < LOOK_MS ? end - now : LOOK_MS);
  }
}

EXPORT int lic_status(const char *daemon, const char *feature, char *text, size_t capacity) {
  static struct lic_link link;
  struct lic_answer answer;
  int error = prepare(&link, daemon, feature);
  if (error < 0) return error;
  link.fd = lic_connect(call, daemon, deadline());
  if (link.fd < 0) {
    lic_explain(&link, link.fd, NULL, text, capacity);
    return link.fd;
  }
  error = lic_ask(call, &link, LIC_STATUS, 0, deadline(), &answer);
  if (error == 0) lic_copy(text, capacity, answer.text);
  else lic_explain(&link, error, &answer, text, capacity);
  hang_up(&link);
  return error;
}
