/*
 * Faults in calls: a plugin that stands in front of functions of libraries, and makes chosen calls go otherwise: another result, errno,
 * other bytes in what the call has filled, a delay, or no call at all. What is below this layer sees the calls that it passes on; what is
 * above sees the fault. Settings: fault-calls.schema.json. Built from <cairn/plugin.h> alone.
 *
 * All but settings and counters is in registers and on the caller's stack, so that any function can be wrapped; this file uses general
 * registers only. For 64-bit programs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "cairn/plugin.h"
#include "entries.h"
#include "faults.h"

enum { COPIED = 512, TOLD = 16 };

static const struct cairn_host *host;
static struct faults faults, wanted;
static struct fault_counts counts[FAULTS];
static struct fault_counts *report; /* NULL: nobody asked for it */
static cairn_function next[FAULTS];
static uint32_t wrapped; /* a bit for each fault */

/* ---- Text ---- */
struct text {
  char bytes[360];
  uint32_t size;
};

static void add(struct text *text, const char *part) {
  while (*part != 0 && text->size + 1 < sizeof text->bytes) text->bytes[text->size++] = *part++;
  text->bytes[text->size] = 0;
}

static void add_number(struct text *text, uint64_t value) {
  char digits[21];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  add(text, at);
}

/* The first ones each, then fewer and fewer. */
static int is_told(uint64_t count) { return count <= TOLD || (count & (count - 1)) == 0; }

static void tell(uint32_t index, uint64_t n, const char *what) {
  struct text text = {.size = 0};
  add(&text, "fault ");
  add_number(&text, index + 1);
  add(&text, ": call ");
  add_number(&text, n);
  add(&text, " of ");
  add(&text, faults.list[index].function);
  add(&text, what);
  host->log(CAIRN_LOG_INFO, text.bytes);
}

/* ---- Calls ---- */
/* The number of this process's, and one more in the report. */
static uint64_t count(uint64_t index, size_t of) {
  if (report != NULL) __atomic_add_fetch((uint64_t *)((char *)&report[index] + of), 1, __ATOMIC_RELAXED);
  return __atomic_add_fetch((uint64_t *)((char *)&counts[index] + of), 1, __ATOMIC_RELAXED);
}
#define COUNT(index, what) count(index, offsetof(struct fault_counts, what))

static void wait_for(uint64_t ns) {
  struct timespec end;
  host->syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&end, 0, 0, 0, 0);
  ns += (uint64_t)end.tv_nsec;
  end.tv_sec += (time_t)(ns / 1000000000u);
  end.tv_nsec = (long)(ns % 1000000000u);
  while (host->syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, (long)&end, 0, 0, 0) == -EINTR) {
  }
}

static void put_result(struct call *call, const struct fault *fault) {
  if (fault->floating) call->vectors[0] = fault->result;
  else call->result = fault->result;
}

uint64_t fault_begins(uint64_t index, struct call *call) {
  const struct fault *fault = &faults.list[index];
  call->target = (uint64_t)(uintptr_t)next[index];
  const uint64_t n = call->n = COUNT(index, calls);
  if (!chosen_has(&fault->calls, n)) return PASS;
  const int number = errno;
  const uint64_t injected = COUNT(index, injected);
  if (fault->delay_ns != 0) wait_for(fault->delay_ns);
  uint64_t verdict = CALL;
  if (!fault->calls_through) {
    call->result_high = 0;
    call->vectors[0] = call->vectors[1] = call->vectors[2] = call->vectors[3] = 0;
    put_result(call, fault);
    verdict = REPLACE;
  } else if (!fault->returns && fault->number == 0 && fault->flip == 0 && fault->output.argument == 0) {
    verdict = PASS;
  }
  if (verdict != CALL) {
    COUNT(index, effective);
    if (is_told(injected)) tell((uint32_t)index, n, verdict == REPLACE ? " was not made" : " was delayed");
  }
  errno = verdict == REPLACE && fault->number != 0 ? fault->number : number;
  return verdict;
}

/* By the kernel, which says when the place is none. */
static long copy(long call, void *own, const void *other, uint64_t size) {
  const struct iovec here = {own, size};
  const struct iovec there = {(void *)(uintptr_t)other, size};
  return host->syscall(call, host->real_pid(), (long)&here, 1, (long)&there, 1, 0);
}

void fault_arguments(void *to, const void *from) {
  const int number = errno;
  (void)copy(SYS_process_vm_readv, to, from, COPIED);
  errno = number;
}

static int change_output(const struct fault_output *output, const struct call *call) {
  if (output->argument == 0) return 0;
  uint64_t size = output->size;
  if (output->within_result) {
    const int64_t filled = (int64_t)call->result;
    if (filled < 0 || (uint64_t)filled <= output->offset) return 0;
    if (size > (uint64_t)filled - output->offset) size = (uint64_t)filled - output->offset;
  }
  const void *place = (const void *)(uintptr_t)(call->arguments[6 - output->argument] + output->offset);
  uint8_t old[FAULT_BYTES], changed[FAULT_BYTES];
  if (copy(SYS_process_vm_readv, old, place, size) != (long)size) return 0;
  int differs = 0;
  for (uint64_t i = 0; i < size; ++i) {
    changed[i] = (uint8_t)((old[i] & output->keep[i]) ^ output->bytes[i]);
    differs |= changed[i] != old[i];
  }
  return differs && copy(SYS_process_vm_writev, changed, place, size) == (long)size;
}

void fault_ends(uint64_t index, struct call *call) {
  const struct fault *fault = &faults.list[index];
  const int number = errno;
  int effective = change_output(&fault->output, call);
  if (fault->returns) {
    effective |= fault->result != (fault->floating ? call->vectors[0] : call->result);
    put_result(call, fault);
  }
  effective |= fault->flip != 0;
  call->result ^= fault->flip;
  effective |= fault->number != 0 && fault->number != number;
  if (effective) COUNT(index, effective);
  if (is_told(__atomic_load_n(&counts[index].injected, __ATOMIC_RELAXED)))
    tell((uint32_t)index, call->n, effective ? " came back otherwise" : " came back as it would have");
  errno = fault->number != 0 ? fault->number : number;
}

/* ---- The layer ---- */
/* As it was started: /proc/self/exe names another program in a restarted process. */
static int is_of(const char *program) { return program[0] == 0 || strcmp(program_invocation_short_name, program) == 0; }

static void leave_report(void) {
  if (report != NULL) host->syscall(SYS_munmap, (long)report, FAULT_REPORT, 0, 0, 0, 0);
  report = NULL;
}

/* Shared with whoever reads it, also when this process has been killed. */
static int32_t open_report(void) {
  leave_report();
  if (faults.report[0] == 0) return 0;
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)faults.report, O_RDWR | O_CLOEXEC, 0, 0, 0);
  long error = fd;
  if (fd >= 0) {
    const long place = host->syscall(SYS_mmap, 0, FAULT_REPORT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const long size = host->syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
    host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
    error = place < 0 && place > -4096 ? place : 0;
    if (error == 0) report = (struct fault_counts *)place;
    if (size < FAULT_REPORT) error = -EINVAL;
  }
  if (error == 0) return 0;
  leave_report();
  return host->fail((int32_t)error, faults.report, "the report needs a file of at least 4096 bytes that can be written");
}

/* A snapshot has nothing of the report: what goes on from there counts for nobody. */
static int32_t restore_mapping(const struct cairn_mapping *mapping) {
  const long flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  const long place = host->syscall(SYS_mmap, (long)mapping->start, (long)mapping->length, PROT_READ | PROT_WRITE, flags, -1, 0);
  return place < 0 && place > -4096 ? (int32_t)place : 0;
}

static struct cairn_wrap wrap_of(uint32_t index) {
  const struct fault *fault = &faults.list[index];
  return (struct cairn_wrap){
      sizeof(struct cairn_wrap), 0, fault->function, fault->library[0] == 0 ? NULL : fault->library, fault_entry(index), &next[index],
      &counts[index].calls,
  };
}

static int32_t stand_in_front(void) {
  memset(counts, 0, sizeof counts);
  for (uint32_t i = 0; i < faults.count; ++i) {
    if (!is_of(faults.list[i].program)) continue;
    const struct cairn_wrap wrap = wrap_of(i);
    const int32_t result = host->wrap(&wrap);
    if (result < 0) return host->fail(result, faults.list[i].function, "this function cannot be wrapped");
    wrapped |= 1u << i;
    if (result > 0) continue;
    struct text text = {.size = 0};
    add(&text, "no library that is loaded has ");
    add(&text, faults.list[i].function);
    add(&text, ": it is waited for");
    host->log(CAIRN_LOG_WARNING, text.bytes);
  }
  return 0;
}

static void step_aside(void) {
  for (uint32_t i = 0; i < faults.count; ++i) {
    if ((wrapped & 1u << i) == 0) continue;
    const struct cairn_wrap wrap = wrap_of(i);
    (void)host->unwrap(&wrap);
  }
  wrapped = 0;
}

static int32_t take_settings(const char *settings) {
  const char *why = faults_read(settings, &wanted);
  if (why != NULL) return host->fail(-EINVAL, "settings", why);
  step_aside();
  faults = wanted;
  const int32_t error = open_report();
  return error < 0 ? error : stand_in_front();
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return take_settings(settings);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: {
      const int32_t result = take_settings(data);
      return result < 0 ? result : 1;
    }
    case CAIRN_EVENT_MAPPING_SAVE: return report != NULL && ((struct cairn_mapping *)data)->start == (uintptr_t)report;
    case CAIRN_EVENT_MAPPING_RESTORE: return restore_mapping(data);
    case CAIRN_EVENT_RESTART:
      if (!faults.cumulative) memset(counts, 0, sizeof counts);
      return 0;
    default: return 0;
  }
}

static void emit(cairn_emit_row emit_row, void *context, uint32_t index, const char *what, const uint64_t *counter) {
  struct text name = {.size = 0}, value = {.size = 0};
  add(&name, "fault ");
  add_number(&name, index + 1);
  add(&name, what);
  add_number(&value, __atomic_load_n(counter, __ATOMIC_RELAXED));
  const struct cairn_row row = {sizeof row, 0, name.bytes, value.bytes, "", faults.list[index].function, 0};
  emit_row(context, &row);
}

static void rows(const char *table, cairn_emit_row emit_row, void *context) {
  if (strcmp(table, "plugin") != 0) return;
  for (uint32_t i = 0; i < faults.count; ++i) {
    if ((wrapped & 1u << i) == 0) continue;
    emit(emit_row, context, i, ": calls", &counts[i].calls);
    emit(emit_row, context, i, ": injected", &counts[i].injected);
    emit(emit_row, context, i, ": effective", &counts[i].effective);
  }
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "fault-calls",
    .version = "1.0",
    .author = "Cairn",
    .init = init,
    .event = event,
    .rows = rows,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
