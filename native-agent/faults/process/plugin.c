/*
 * Faults in a process: bits of memory and of registers that turn over, an instruction that is left out; once, at a restart, after a time, or in a
 * call. What is about all threads is done while they stand (host->stop, host->registers), what is about the thread that makes a call by that
 * thread itself. Settings: fault-process.schema.json. Built from <cairn/plugin.h> alone. For 64-bit programs.
 */
#define _GNU_SOURCE
#include "process/plugin.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/report.h"
#include "common/phrase.h"
#include "process/entries.h"
#include "process/memory.h"

_Static_assert((int)FAULTS == (int)REPORT_FAULTS, "each has its place in the report");

const struct cairn_host *process_host;
struct faults process_faults;
cairn_function process_next[FAULTS];

static struct faults wanted;
static struct reporting reporting;
static struct injection injections[FAULTS];
static uint64_t calls[FAULTS];
static uint32_t wrapped; /* a bit for each fault */
static struct cairn_stop stops[FAULTS];
static uint64_t callers[FAULTS]; /* stack pointer of the thread that waits */
static uint32_t waiting[FAULTS]; /* futex: 1 while a thread waits for the moment in which all stand */

/* As it was started: /proc/self/exe names another program in a restarted process. */
static int is_here(uint32_t index) {
  const char *program = process_faults.list[index].program;
  return program[0] == 0 || strcmp(program_invocation_short_name, program) == 0;
}

static void describe(const struct fault *fault, struct text *text) {
  static const char *const registers[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
                                          "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"};
  if (fault->target == AT_INSTRUCTION) add(text, "an instruction");
  else if (fault->target == AT_ADDRESS) add(text, "an address");
  else if (fault->target < AT_ADDRESS || fault->target == IN_MAPPING) add(text, fault->name);
  else if (fault->reg < REGISTER_VECTOR) add(text, registers[fault->reg]);
  else {
    add(text, fault->width == 128 ? "xmm" : "ymm");
    add_number(text, fault->reg - REGISTER_VECTOR);
  }
}

void process_done(uint32_t index, const struct injection *injection) {
  static const char *const words[] = {"", ": effective", ": overwritten ", ": impossible: ", ""};
  const char *why = injection->why == NULL ? "" : injection->why;
  struct text text = {.size = 0}, where = {.size = 0};
  if (injection->status != IMPOSSIBLE) __atomic_add_fetch(&reporting.now->counts[index].injected, 1, __ATOMIC_RELAXED);
  if (why[0] != 0) add(&where, why);
  else if (injection->where != 0) add(&where, "at "), add_hexadecimal(&where, injection->where);
  injections[index] = *injection;
  report_result(&reporting, index, injection->status, where.bytes);
  add(&text, "fault ");
  add_number(&text, index + 1);
  add(&text, ": ");
  describe(&process_faults.list[index], &text);
  if (injection->where != 0) add(&text, " at "), add_hexadecimal(&text, injection->where);
  add(&text, words[injection->status]);
  add(&text, why);
  process_host->log(injection->status == IMPOSSIBLE ? CAIRN_LOG_WARNING : CAIRN_LOG_INFO, text.bytes);
}

static void make_now(uint32_t index) {
  struct injection injection;
  inject_standing(process_host, &process_faults.list[index], callers[index], &injection);
  process_done(index, &injection);
}

static void reach(uint32_t index) { __atomic_add_fetch(&reporting.now->counts[index].reached, 1, __ATOMIC_RELAXED); }

/* ---- After a time ---- */
static void wake(uint32_t index) {
  __atomic_store_n(&waiting[index], 0, __ATOMIC_RELEASE);
  process_host->syscall(SYS_futex, (long)&waiting[index], FUTEX_WAKE, INT_MAX, 0, 0, 0);
}

static void all_stand(struct cairn_stop *stop, int32_t error) {
  const uint32_t index = (uint32_t)(stop - stops);
  if (process_faults.list[index].when != IN_CALL) reach(index);
  if (error < 0) {
    const struct injection failed = {.status = IMPOSSIBLE, .why = "the threads cannot be stopped"};
    process_done(index, &failed);
  } else {
    make_now(index);
  }
  wake(index);
}

static int32_t ask_stop(uint32_t index, uint64_t after_ns) {
  struct cairn_stop *stop = &stops[index];
  const struct fault *fault = &process_faults.list[index];
  stop->size = sizeof *stop;
  stop->after_ns = after_ns;
  stop->clock = fault->when == AFTER_PROCESSOR_TIME ? CAIRN_STOP_PROCESSOR : CAIRN_STOP_TIME;
  stop->stopped = all_stand;
  return process_host->stop(stop);
}

/* ---- In a call ---- */
int process_begins(uint32_t index) {
  const uint64_t n = __atomic_add_fetch(&calls[index], 1, __ATOMIC_RELAXED);
  reach(index);
  if (!chosen_has(&process_faults.list[index].calls, n)) return 0;
  /* Once, whoever comes first. */
  uint32_t status = NOT_REACHED;
  return __atomic_compare_exchange_n(&injections[index].status, &status, (uint32_t)UNCHANGED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void process_stop_and_wait(uint32_t index, uint64_t stack) {
  callers[index] = stack;
  __atomic_store_n(&waiting[index], 1, __ATOMIC_RELEASE);
  if (ask_stop(index, 0) < 0) return;
  while (__atomic_load_n(&waiting[index], __ATOMIC_ACQUIRE) == 1) process_host->syscall(SYS_futex, (long)&waiting[index], FUTEX_WAIT, 1, 0, 0, 0);
}

static struct cairn_wrap wrap_of(uint32_t index) {
  const struct fault *fault = &process_faults.list[index];
  return (struct cairn_wrap){
      sizeof(struct cairn_wrap), 0, fault->function, fault->library[0] == 0 ? NULL : fault->library, process_entry(index), &process_next[index],
      &calls[index],
  };
}

static int32_t stand_in_front(void) {
  for (uint32_t i = 0; i < process_faults.count; ++i) {
    if (process_faults.list[i].when != IN_CALL || !is_here(i)) continue;
    const struct cairn_wrap wrap = wrap_of(i);
    const int32_t result = process_host->wrap(&wrap);
    if (result < 0) return process_host->fail(result, process_faults.list[i].function, "this function cannot be wrapped");
    wrapped |= 1u << i;
  }
  return 0;
}

static void step_aside(void) {
  for (uint32_t i = 0; i < process_faults.count; ++i) {
    if ((wrapped & 1u << i) == 0) continue;
    const struct cairn_wrap wrap = wrap_of(i);
    (void)process_host->unwrap(&wrap);
  }
  wrapped = 0;
}

/* ---- The plugin ---- */
static void begin(void) {
  memset(injections, 0, sizeof injections);
  memset(calls, 0, sizeof calls);
  report_clear(&reporting);
  memset(callers, 0, sizeof callers);
  for (uint32_t i = 0; i < FAULTS; ++i) {
    /* Of before a restart, which nobody will make any more. */
    if (__atomic_load_n(&waiting[i], __ATOMIC_ACQUIRE) == 1) wake(i);
  }
  for (uint32_t i = 0; i < process_faults.count; ++i) {
    const struct fault *fault = &process_faults.list[i];
    if ((fault->when != AFTER_TIME && fault->when != AFTER_PROCESSOR_TIME) || !is_here(i)) continue;
    const uint64_t range = fault->last_ns - fault->after_ns + 1;
    (void)ask_stop(i, fault->after_ns + by_chance(fault->seed, 4) % range);
  }
}

static void make_at_once(int has_begun) {
  static const struct injection too_early = {.status = IMPOSSIBLE, .why = "the program has not begun"};
  for (uint32_t i = 0; i < process_faults.count; ++i) {
    if (process_faults.list[i].when != AT_ONCE || !is_here(i)) continue;
    reach(i);
    if (!has_begun && process_faults.list[i].target >= IN_REGISTER) process_done(i, &too_early);
    else make_now(i);
  }
}

static int32_t take_settings(const char *settings) {
  const char *why = faults_read(settings, &wanted);
  if (why != NULL) return process_host->fail(-EINVAL, "settings", why);
  step_aside();
  process_faults = wanted;
  const int32_t error = report_open(&reporting, process_host, process_faults.report);
  return error < 0 ? error : stand_in_front();
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  if (given->size < offsetof(struct cairn_host, stop) + sizeof given->stop)
    return given->fail(-ENOSYS, "fault-process", "the snapshot's Cairn is older than this plugin: make a new snapshot");
  process_host = given;
  return take_settings(settings);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: {
      const int32_t result = take_settings(data);
      return result < 0 ? result : 1;
    }
    case CAIRN_EVENT_MAPPING_SAVE:
    case CAIRN_EVENT_MAPPING_RESTORE: return report_event(&reporting, process_host, number, data);
    case CAIRN_EVENT_STARTED:
      begin();
      make_at_once(0);
      return 0;
    case CAIRN_EVENT_RESTART: begin(); return 0;
    default: return 0;
  }
}

/* When all that lies below has brought its memory back. */
static const char *const restart_barriers[] = {"inject", NULL};
static int32_t barrier(const char *name, uint32_t restart) {
  (void)name;
  if (restart) make_at_once(1);
  return 0;
}

static void emit(cairn_emit_row emit_row, void *context, uint32_t index, const char *what, const char *value) {
  struct text name = {.size = 0}, of = {.size = 0};
  add(&name, "fault ");
  add_number(&name, index + 1);
  add(&name, what);
  describe(&process_faults.list[index], &of);
  const struct cairn_row row = {sizeof row, 0, name.bytes, value, "", of.bytes, 0};
  emit_row(context, &row);
}

static void emit_number(cairn_emit_row emit_row, void *context, uint32_t index, const char *what, uint64_t number) {
  struct text value = {.size = 0};
  add_number(&value, number);
  emit(emit_row, context, index, what, value.bytes);
}

static void rows(const char *table, cairn_emit_row emit_row, void *context) {
  static const char *const words[] = {"not reached", "effective", "overwritten", "impossible", "not reached"};
  if (strcmp(table, "plugin") != 0) return;
  for (uint32_t i = 0; i < process_faults.count; ++i) {
    if (!is_here(i)) continue;
    const struct injection *injection = &injections[i];
    if (process_faults.list[i].when == IN_CALL) emit_number(emit_row, context, i, ": calls", __atomic_load_n(&calls[i], __ATOMIC_RELAXED));
    emit(emit_row, context, i, ": was", words[injection->status]);
    if (injection->where == 0 || injection->status != EFFECTIVE) continue;
    struct text where = {.size = 0};
    add_hexadecimal(&where, injection->where);
    emit(emit_row, context, i, ": at", where.bytes);
  }
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "fault-process",
    .version = "1.0",
    .author = "Cairn",
    .init = init,
    .event = event,
    .rows = rows,
    .restart_barriers = restart_barriers,
    .barrier = barrier,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
