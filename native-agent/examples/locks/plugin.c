/*
 * The vendor's plugin: an example of state that is in memory, and so in a snapshot, and that names what the kernel names anew at a restart.
 *
 * A lock says by the kernel's id of a thread whose it is. So the library's functions are wrapped, to know which thread has which lock, by the
 * ids that stay; and after a restart every lock gets the id that its owner has now. What nobody has then belonged to one that had ended:
 * its number may be somebody else's by now, who would be taken for the owner, and so the lock is marked as one whose owner has ended.
 *
 * No checkpoint stops a thread between taking a lock and its note, or where the library has read its own id and not used it yet: both are
 * within a critical section. Waiting is not, since it may take as long as it likes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cairn/plugin.h"
#include "layout.h"

enum { MOST_HELD = 1024, MOST_OPEN = 16 };

static const struct cairn_host *host;
/* In every snapshot, as all memory of a plugin's library. */
static struct note {
  int32_t thread; /* by its virtual id; 0: nothing is noted here */
  uint32_t bus;
  struct bus_locks *locks;
} held[MOST_HELD];
static struct bus_locks *opened[MOST_OPEN];
static uint32_t not_noted;
static uint64_t waits;

static struct bus_locks *(*next_open)(const char *file);
static int (*next_try)(struct bus_locks *locks, unsigned bus);
static int (*next_take)(struct bus_locks *locks, unsigned bus);
static void (*next_wait)(struct bus_locks *locks, unsigned bus);
static int (*next_release)(struct bus_locks *locks, unsigned bus);

/* ---- In the application's threads ---- */
static void note(struct bus_locks *locks, unsigned bus) {
  /* A plugin's own call goes to what is below it: this is the virtual id. */
  int32_t thread = gettid();
  for (uint32_t i = 0; i < MOST_HELD; ++i) {
    int32_t nobody = 0;
    if (!__atomic_compare_exchange_n(&held[i].thread, &nobody, thread, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
    held[i].locks = locks;
    held[i].bus = bus;
    return;
  }
  __atomic_fetch_add(&not_noted, 1, __ATOMIC_RELAXED);
}

static void forget(struct bus_locks *locks, unsigned bus) {
  int32_t thread = gettid();
  for (uint32_t i = 0; i < MOST_HELD; ++i) {
    if (__atomic_load_n(&held[i].thread, __ATOMIC_RELAXED) != thread || held[i].locks != locks || held[i].bus != bus) continue;
    __atomic_store_n(&held[i].thread, 0, __ATOMIC_RELEASE);
    return;
  }
  __atomic_fetch_sub(&not_noted, 1, __ATOMIC_RELAXED);
}

static struct bus_locks *noted_open(const char *file) {
  struct bus_locks *locks = next_open(file);
  for (uint32_t i = 0; locks != NULL && i < MOST_OPEN; ++i) {
    struct bus_locks *nothing = NULL;
    if (__atomic_compare_exchange_n(&opened[i], &nothing, locks, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) return locks;
  }
  if (locks != NULL) __atomic_fetch_add(&not_noted, 1, __ATOMIC_RELAXED);
  return locks;
}

static int noted_try(struct bus_locks *locks, unsigned bus) {
  host->forbid_checkpoint("taking a bus lock");
  int result = next_try(locks, bus);
  if (result == 0 || result == -EOWNERDEAD) note(locks, bus);
  host->allow_checkpoint();
  return result;
}

static void counted_wait(struct bus_locks *locks, unsigned bus) {
  __atomic_fetch_add(&waits, 1, __ATOMIC_RELAXED);
  next_wait(locks, bus);
}

static int noted_take(struct bus_locks *locks, unsigned bus) {
  for (;;) {
    int result = noted_try(locks, bus);
    if (result != -EBUSY) return result;
    counted_wait(locks, bus);
  }
}

static int noted_release(struct bus_locks *locks, unsigned bus) {
  host->forbid_checkpoint("releasing a bus lock");
  int result = next_release(locks, bus);
  if (result == 0) forget(locks, bus);
  host->allow_checkpoint();
  return result;
}

/* ---- In Cairn's thread ---- */
static int32_t real_id(int32_t thread) {
  int32_t virtual_id, real;
  for (uint32_t i = 0; host->thread(i, &virtual_id, &real) == 1; ++i) {
    if (virtual_id == thread) return real;
  }
  return 0;
}

static void mark_all(void) {
  for (uint32_t i = 0; i < MOST_OPEN && opened[i] != NULL; ++i) {
    for (uint32_t bus = 0; bus < BUS_LOCKS; ++bus) {
      if (opened[i]->owner[bus] != 0) opened[i]->owner[bus] = BUS_OWNER_ENDED;
    }
  }
}

static void give_back(void) {
  for (uint32_t i = 0; i < MOST_HELD; ++i) {
    int32_t real = held[i].thread == 0 ? 0 : real_id(held[i].thread);
    if (real != 0) held[i].locks->owner[held[i].bus] = (uint32_t)real;
    else held[i].thread = 0;
  }
}

static int32_t barrier(const char *name, uint32_t restart) {
  if (!restart) {
    if (not_noted == 0) return CAIRN_BARRIER_DONE;
    return host->fail(-ENOLCK, "bus locks", "more bus locks are taken or opened than the plugin can note");
  }
  /* The locks are shared: all are marked by everybody before the first gets its owner. */
  if (strcmp(name, "mark") == 0) mark_all();
  else give_back();
  return CAIRN_BARRIER_DONE;
}

static int32_t event(uint32_t number, void *data) {
  (void)data;
  /* Its thread has another id than the one that has the locks. */
  if (number == CAIRN_EVENT_FORK_CHILD) memset(held, 0, sizeof held);
  return 0;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  (void)settings;
  host = given;
  return 0;
}

#define WRAP(function, wrapper, next, calls) \
  {sizeof(struct cairn_wrap), 0, function, "libbuslock.so.1", (cairn_function)(wrapper), (cairn_function *)&(next), calls}
static const struct cairn_wrap wrap_open = WRAP("bus_open", noted_open, next_open, NULL);
static const struct cairn_wrap wrap_try = WRAP("bus_try", noted_try, next_try, NULL);
static const struct cairn_wrap wrap_take = WRAP("bus_take", noted_take, next_take, NULL);
static const struct cairn_wrap wrap_wait = WRAP("bus_wait", counted_wait, next_wait, &waits);
static const struct cairn_wrap wrap_release = WRAP("bus_release", noted_release, next_release, NULL);
static const struct cairn_wrap *const wraps[] = {&wrap_open, &wrap_try, &wrap_take, &wrap_wait, &wrap_release, NULL};
static const char *const checkpoint_barriers[] = {"count", NULL};
static const char *const restart_barriers[] = {"mark", "owners", NULL};

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "bus-locks",
    .version = "1",
    .author = "Cairn",
    .init = init,
    .event = event,
    .checkpoint_barriers = checkpoint_barriers,
    .restart_barriers = restart_barriers,
    .barrier = barrier,
    .wraps = wraps,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
