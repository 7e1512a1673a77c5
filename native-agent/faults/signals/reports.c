/*
 * What is written of a simulation with faults: the report, shared with whoever reads it, also when this process has been killed; and files of
 * signals, in the simulation's thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "simulation.h"

static struct fault_report own_report; /* where nobody asked for one */
struct fault_report *report = &own_report;

struct output {
  long fd;
  uint32_t size;
  uint32_t failed;
  char bytes[65536];
};
static struct output output;

static void flush(void) {
  for (uint32_t at = 0; at < output.size;) {
    const long written = host->syscall(SYS_write, output.fd, (long)(output.bytes + at), output.size - at, 0, 0, 0);
    if (written > 0) at += (uint32_t)written;
    else if (written != -EINTR) {
      output.failed = 1;
      break;
    }
  }
  output.size = 0;
}

static void add(const char *text) {
  for (; *text != 0; ++text) {
    if (output.size == sizeof output.bytes) flush();
    output.bytes[output.size++] = *text;
  }
}

static char *number_text(int64_t value, char *end) {
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *--end = 0;
  do *--end = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0) *--end = '-';
  return end;
}

static void add_number(int64_t value) {
  char text[24];
  add("\t");
  add(number_text(value, text + sizeof text));
}

static int32_t list_one(void *context, const char *name, const struct cairn_signal *signal) {
  (void)context;
  add(name);
  add(signal->kind == CAIRN_SIGNAL_MEMORY ? "\tmemory" : signal->driven ? "\tnet" : "\tvector");
  add_number(signal->width);
  add_number(signal->left);
  add_number(signal->right);
  add("\n");
  return 1;
}

/* The Cairn of an older snapshot has no use for it. */
static void give_back(struct cairn_signal *signal) {
  if (design->size >= offsetof(struct cairn_design, let_go) + sizeof design->let_go) design->let_go(signal);
}

static int32_t state_of_one(void *context, const char *name, const struct cairn_signal *signal) {
  (void)context;
  add(name);
  add("\t");
  if (signal->kind == CAIRN_SIGNAL_VECTOR) {
    if (signal->width > WIDEST || design->read(signal, bits, sizeof bits) < 0) bits[0] = 0;
    add(bits);
  } else {
    const int32_t first = signal->left < signal->right ? signal->left : signal->right;
    const int32_t last = signal->left < signal->right ? signal->right : signal->left;
    for (int64_t index = first; index <= last; ++index) {
      struct cairn_signal word;
      bits[0] = 0;
      if (design->word(signal, (int32_t)index, &word) == 0) {
        if (word.width > WIDEST || design->read(&word, bits, sizeof bits) < 0) bits[0] = 0;
        give_back(&word);
      }
      add(bits);
      add(" ");
    }
  }
  add("\n");
  return 1;
}

/* And no device, which nobody wants removed. */
static int is_file(long fd) {
  struct statx found;
  return host->syscall(SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_TYPE, (long)&found, 0) == 0 && S_ISREG(found.stx_mode);
}

static void write_selection(const struct selection *selection, int32_t (*one)(void *, const char *, const struct cairn_signal *)) {
  if (selection->file[0] == 0) return;
  output.fd = host->syscall(SYS_openat, AT_FDCWD, (long)selection->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644, 0, 0);
  output.size = output.failed = 0;
  if (output.fd < 0) {
    host->log(CAIRN_LOG_WARNING, "faults: the file for signals cannot be written");
    return;
  }
  for (uint32_t i = 0; i < selection->count; ++i) design->list(selection->patterns[i], one, NULL);
  flush();
  if (output.failed) {
    host->log(CAIRN_LOG_WARNING, "faults: the file for signals could not be written as a whole, and is removed: is the disk full?");
    if (is_file(output.fd)) host->syscall(SYS_unlinkat, AT_FDCWD, (long)selection->file, 0, 0, 0, 0);
  }
  host->syscall(SYS_close, output.fd, 0, 0, 0, 0, 0);
}

void list_signals(void) { write_selection(&faults.list, list_one); }
void write_state(void) { write_selection(&faults.state, state_of_one); }

void clear_own_report(void) { memset(&own_report, 0, sizeof own_report); }

static void leave_report(void) {
  if (report != &own_report) host->syscall(SYS_munmap, (long)report, FAULT_REPORT, 0, 0, 0, 0);
  report = &own_report;
  clear_own_report();
}

int32_t open_report(void) {
  leave_report();
  if (faults.report[0] == 0) return 0;
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)faults.report, O_RDWR | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return host->fail((int32_t)fd, faults.report, "the report cannot be written");
  const long size = host->syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
  const long place = size < FAULT_REPORT ? -EINVAL : host->syscall(SYS_mmap, 0, FAULT_REPORT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  if (place < 0 && place > -4096) return host->fail((int32_t)place, faults.report, "the report needs a file of at least 4096 bytes");
  report = (struct fault_report *)place;
  return 0;
}

int is_report(const struct cairn_mapping *mapping) { return report != &own_report && mapping->start == (uintptr_t)report; }

/* A snapshot has nothing of the report: what goes on from there counts for nobody. */
int32_t restore_report(const struct cairn_mapping *mapping) {
  const long flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  const long place = host->syscall(SYS_mmap, (long)mapping->start, (long)mapping->length, PROT_READ | PROT_WRITE, flags, -1, 0);
  return place < 0 && place > -4096 ? (int32_t)place : 0;
}

static void emit(cairn_emit_row emit_row, void *context, uint32_t index, const char *what, uint64_t counter) {
  char name[40] = "fault ", text[24], value[24];
  strcat(strcat(name, number_text(index + 1, text + sizeof text)), what);
  const struct cairn_row row = {sizeof row, 0, name, number_text((int64_t)counter, value + sizeof value), "", faults.list_of[index].signal, 0};
  emit_row(context, &row);
}

void show_counts(cairn_emit_row emit_row, void *context) {
  for (uint32_t i = 0; i < faults.count && report->run.begun; ++i) {
    emit(emit_row, context, i, ": injected", report->counts[i].injected);
    emit(emit_row, context, i, ": effective", report->counts[i].effective);
    emit(emit_row, context, i, ": at", report->results[i].time);
  }
}
