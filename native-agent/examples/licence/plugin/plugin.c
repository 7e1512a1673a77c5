/*
 * The vendor's plugin: a tool does no work without a licence, whatever is made of it by checkpoints and restarts. Built from
 * <cairn/plugin.h> alone; it finds the lease by the vendor's own library, which the tool has loaded.
 *
 * Checkpoint: presuspend      no piece of work begins any more, and those under way end. The lease is paused: from now on it needs no heartbeats,
 *                             however long the threads are stopped
 *             EXTERNAL_SAVE   `release`: the lease is given back. `keep`: it stays paused; its id is in the image
 * Going on:   RESUME, ABORT   the pause is over, or a seat is taken again, before a thread runs; then work may begin. Where the daemon has
 *                             none, or is gone, the library asks on, and the tool's threads wait within it
 * Restart:    RESTART         another session: what it has is not what others have that come from the same image   (from here on: again.c)
 *             EXTERNAL_RESTORE connects to the daemon that the settings name
 *             barrier "seat"  reserves the seat that was kept, where nobody else has it, or another one; until there is one no thread runs
 *             barrier "begin" all processes have theirs: the reservation becomes a lease. A restart that ends before has taken nothing
 *
 * Every process that has checked out something has its own lease, which children that it forks have no part in. So nobody is elected.
 */
#include "plugin.h"

#include <errno.h>
#include <string.h>

const struct cairn_host *host;
struct settings settings;
struct lic_link *licence;

/* Why the threads are not at work: in an operation. */
static int has_lock;   /* the gate is closed, too */
static int paused;     /* the daemon has been told so, and may have heard it */
static int returned;   /* the lease was given back */

uint64_t licence_deadline(void) { return lic_machine_ms(host->syscall) + (uint64_t)settings.patience_ms; }
uint32_t licence_hold_ms(void) { return (uint32_t)(settings.keep_s * 1000); }

int32_t licence_fails(int32_t error, const struct lic_answer *answer, const char *what) {
  char text[600], why[LIC_REASON];
  lic_explain(licence, error, answer, why, sizeof why);
  lic_copy(text, sizeof text, what);
  lic_add(text, sizeof text, ": ");
  lic_add(text, sizeof text, why);
  return host->fail(error, licence->daemon, text);
}

static int ask(uint32_t kind, uint32_t hold_ms, struct lic_answer *answer) {
  return lic_ask(host->syscall, licence, kind, hold_ms, licence_deadline(), answer);
}

/* ---- Checkpoint ---- */
static int stop_work(void) {
  const uint64_t deadline = licence_deadline();
  __atomic_store_n(&licence->closed, 1, __ATOMIC_SEQ_CST);
  for (uint32_t inside; (inside = __atomic_load_n(&licence->inside, __ATOMIC_SEQ_CST)) > 0;) {
    if (lic_machine_ms(host->syscall) >= deadline) {
      return host->fail(-ETIMEDOUT, licence->feature, "a piece of the tool's work under the licence does not end in time");
    }
    lic_sleep_on(host->syscall, &licence->inside, inside, 50);
  }
  if (lic_lock(host->syscall, licence, deadline) == 0) {
    has_lock = 1;
    return 0;
  }
  return host->fail(-ETIMEDOUT, licence->daemon, "the licence library does not come to the end of a request to the daemon");
}

static int32_t presuspend(void) {
  struct lic_link *(*find)(void) = (struct lic_link * (*)(void)) host->next("lic_link");
  const struct cairn_externals *externals = host->extension("cairn.external/1");
  struct lic_answer answer;
  licence = find != NULL ? find() : NULL;
  paused = returned = 0;
  if (licence == NULL) return 0;
  if (licence->version != LIC_LINK_VERSION) {
    licence = NULL;
    return host->fail(-EPROTO, "liblicence.so", "this plugin is for another version of liblicence.so");
  }
  int error = stop_work();
  if (error < 0) return error;
  if (licence->fd >= 0 && !licence->broken) externals->mark(licence->fd, LICENCE_MARK);
  if (!lic_good(licence)) {
    lic_drop(host->syscall, licence);
    return 0; /* the tool waits for one anyway, and there is nothing to keep */
  }
  if (licence->fd < 0 || licence->broken) return licence_fails(-ENOTCONN, NULL, "the licence cannot be put aside");
  error = ask(LIC_PAUSE, licence_hold_ms(), &answer);
  paused = error != -EACCES;
  return error < 0 ? licence_fails(error, &answer, "the licence cannot be put aside") : 0;
}

static int32_t external_save(struct cairn_external *connection) {
  struct lic_answer answer;
  if (licence == NULL || strcmp(connection->name, LICENCE_MARK) != 0) return 0;
  if (!paused || settings.keeps) return 1;
  int error = ask(LIC_RETURN, 0, &answer);
  if (error == 0) {
    lic_drop(host->syscall, licence);
    paused = 0;
    returned = 1;
  }
  /* The daemon may have taken it, and given it to somebody. */
  if (error < 0 && error != -EACCES) lic_doubt(licence);
  if (error < 0) connection->error = licence_fails(error, &answer, "the licence cannot be given back");
  return 1;
}

/* ---- Going on ---- */
void licence_open(void) {
  __atomic_store_n(&licence->closed, 0, __ATOMIC_SEQ_CST);
  lic_wake(host->syscall, &licence->closed);
  lic_unlock(host->syscall, licence);
  __atomic_add_fetch(&licence->look, 1, __ATOMIC_RELEASE);
  lic_wake(host->syscall, &licence->look);
}

static void take_again(int aborted) {
  struct lic_answer answer;
  int error = paused ? ask(LIC_RENEW, 0, &answer) : -EACCES;
  if (error == -EACCES) {
    if (paused) lic_drop(host->syscall, licence);
    error = ask(LIC_CHECKOUT, 0, &answer);
  }
  if (error == 0) return;
  /* A snapshot has its id. Where none came of it the lease is good as long as it was. */
  if (!aborted) lic_doubt(licence);
  if (lic_good(licence)) return;
  lic_explain(licence, error, &answer, licence->reason, LIC_REASON);
  char text[LIC_REASON + 100] = "the tool does no work until it has a licence again: ";
  lic_add(text, sizeof text, licence->reason);
  host->log(CAIRN_LOG_WARNING, text);
}

static void go_on(int aborted) {
  if (licence == NULL) return;
  if (has_lock && (paused || returned)) take_again(aborted);
  paused = returned = 0;
  if (has_lock) {
    has_lock = 0;
    licence_open();
  } else if (licence->closed) {
    /* The work, or the library's request, did not end in time. */
    __atomic_store_n(&licence->closed, 0, __ATOMIC_SEQ_CST);
    lic_wake(host->syscall, &licence->closed);
  }
}

/* ---- The interface ---- */
static int32_t read_settings(const char *text) {
  const char *wrong = settings_read(text, &settings);
  return wrong == NULL ? 0 : host->fail(-EINVAL, "settings of the licence plugin", wrong);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: return presuspend();
    case CAIRN_EVENT_EXTERNAL_SAVE: return external_save(data);
    case CAIRN_EVENT_ABORT: go_on(1); return 0;
    case CAIRN_EVENT_RESUME: go_on(0); return 0;
    case CAIRN_EVENT_SETTINGS: return read_settings(data) < 0 ? -EINVAL : 1;
    case CAIRN_EVENT_RESTART: licence_begin_restart(); return 0;
    case CAIRN_EVENT_EXTERNAL_RESTORE: return licence_connect(data);
    case CAIRN_EVENT_FORK_CHILD: licence = NULL; has_lock = 0; return 0;
    default: return 0;
  }
}

static int32_t barrier(const char *name, uint32_t restart) {
  if (!restart || licence == NULL) return 0;
  if (strcmp(name, "seat") == 0) return licence_seat();
  has_lock = paused = returned = 0;
  return licence_begin();
}

static int32_t init(const struct cairn_host *given, const char *text) {
  host = given;
  const char *wrong = settings_read(text, &settings);
  if (wrong == NULL) return 0;
  /* No operation is going on that could fail with it. */
  host->log(CAIRN_LOG_ERROR, wrong);
  return -EINVAL;
}

static const char *const restart_barriers[] = {"seat", "begin", NULL};
static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "licence", "1.0", "the tool's vendor", init, event, NULL,
    NULL, restart_barriers, barrier, NULL, NULL,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
