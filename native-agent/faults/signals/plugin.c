/*
 * Faults on design signals of a hardware simulation that was neither built nor started for it: upsets of registers and memory words, bits that
 * are stuck, transients, intermittent faults, bridges. Settings: fault-signals.schema.json. Built from <cairn/plugin.h> alone, upon what the
 * plugin `hdl` offers (cairn_design): the simulation's own thread comes here, when all assignments of a time step are made, so that no upset is
 * lost to one that waits. What a fault did is read again at the end of the same time step: effective, overwritten, impossible.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "faults.h"

enum { WIDEST = 8192 };
#define NEVER UINT64_MAX

static const struct cairn_host *host;
static const struct cairn_design *design;
static struct faults faults, wanted;
static uint64_t began; /* simulated time at which the simulation was entered */
static struct fault_report own_report, *report = &own_report; /* its own, where nobody asked for one */

/* A fault in the simulation. */
struct state {
  struct cairn_signal signal, from, trigger;
  uint32_t known;     /* its signals were found */
  uint32_t holds;     /* it is held now */
  uint32_t unjudged;  /* what it did is to be read at the end of this time step */
  uint64_t due;       /* the next thing comes then */
  uint64_t ends;      /* it is over then */
  uint64_t seen;      /* cycles, or times that the signal had the value */
  char last;          /* of the clock, its last bit */
  char design_has[WIDEST + 1]; /* as the design last assigned it, while it is held */
  char put[WIDEST + 1];        /* as the fault has put it */
};
static struct state states[FAULTS];
static struct cairn_signal detectors[DETECTIONS];
static char bits[WIDEST + 1];

static void reached(struct cairn_watcher *watcher, uint32_t moment, struct cairn_signal *signal);
static struct cairn_watcher watcher = {sizeof watcher, 0, reached};

static uint64_t now(void) {
  int32_t exponent;
  return design->time(&exponent);
}

/* ---- Files ---- */
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

/* ---- Faults ---- */
static void judge(uint32_t index, uint32_t status, uint32_t reason) {
  report->results[index].status = status;
  report->results[index].reason = reason;
  if (status == EFFECTIVE) report->counts[index].effective++;
}

static void is_impossible(uint32_t index, uint32_t reason) {
  judge(index, IMPOSSIBLE, reason);
  states[index].holds = 0;
  states[index].due = NEVER;
}

static int is_meant(const struct fault *fault, uint32_t bit) {
  if (fault->bit_count == 0) return 1;
  for (uint32_t i = 0; i < fault->bit_count; ++i)
    if (fault->bits[i] == bit) return 1;
  return 0;
}

static char inverse(char bit) { return bit == '0' ? '1' : bit == '1' ? '0' : bit; }

static char bridged(uint32_t kind, char one, char other) {
  if (kind == DOMINANT) return other;
  const char strong = kind == WIRED_AND ? '0' : '1';
  if (one == strong || other == strong) return strong;
  return one == inverse(strong) ? other : one;
}

/* What is to be there, for what the design has. 0: it cannot be told. */
static int make_value(const struct fault *fault, const struct state *state, const char *has, char *to) {
  static char others[WIDEST + 1];
  const uint32_t width = state->signal.width;
  if (fault->model == BRIDGE && design->read(&state->from, others, sizeof others) < 0) return 0;
  for (uint32_t bit = 0; bit < width; ++bit) {
    const uint32_t at = width - 1 - bit;
    to[at] = has[at];
    if (!is_meant(fault, bit)) continue;
    if (fault->model == BRIDGE) to[at] = bridged(fault->bridge, has[at], bit < state->from.width ? others[state->from.width - 1 - bit] : '0');
    else to[at] = fault->value == 2 ? inverse(has[at]) : (char)('0' + fault->value);
  }
  to[width] = 0;
  return 1;
}

/* Puts the fault's value where it is not there. What the inverse is was settled when it began. */
static void hold(uint32_t index, int begins) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  if (design->read(&state->signal, bits, sizeof bits) < 0) {
    is_impossible(index, NO_VALUE);
    return;
  }
  if (begins || strcmp(bits, state->put) != 0) memcpy(state->design_has, bits, sizeof bits);
  if (begins || fault->value != 2 || fault->model == BRIDGE) {
    if (!make_value(fault, state, state->design_has, state->put)) {
      is_impossible(index, NO_VALUE);
      return;
    }
  } else {
    const uint32_t width = state->signal.width;
    for (uint32_t bit = 0; bit < width; ++bit)
      if (!is_meant(fault, bit)) state->put[width - 1 - bit] = state->design_has[width - 1 - bit];
  }
  if (strcmp(bits, state->put) == 0) return;
  if (design->put(&state->signal, state->put) < 0) {
    is_impossible(index, NOT_WRITABLE);
    return;
  }
  state->unjudged = 1;
  design->settled(&watcher);
}

static void let_go(uint32_t index) {
  struct state *state = &states[index];
  if (!state->holds) return;
  state->holds = 0;
  (void)design->on_change(&watcher, &state->signal, 0);
  if (faults.list_of[index].model == BRIDGE) (void)design->on_change(&watcher, &state->from, 0);
  // What the design has assigned meanwhile is there already.
  if (design->read(&state->signal, bits, sizeof bits) == 0 && strcmp(bits, state->put) == 0) (void)design->put(&state->signal, state->design_has);
}

static int takes_value(uint32_t index) {
  const struct state *state = &states[index];
  if (state->signal.width == 0 || state->signal.width > WIDEST || design->read(&state->signal, bits, sizeof bits) < 0) {
    is_impossible(index, NO_VALUE);
    return 0;
  }
  const struct fault *fault = &faults.list_of[index];
  for (uint32_t bit = 0; fault->value == 2 && fault->model != BRIDGE && bit < state->signal.width; ++bit) {
    const char is = bits[state->signal.width - 1 - bit];
    if (!is_meant(fault, bit) || is == '0' || is == '1') continue;
    is_impossible(index, UNKNOWN_VALUE);
    return 0;
  }
  return 1;
}

static void upset(uint32_t index) {
  struct state *state = &states[index];
  memcpy(state->design_has, bits, sizeof bits);
  (void)make_value(&faults.list_of[index], state, state->design_has, state->put);
  if (design->put(&state->signal, state->put) < 0) {
    is_impossible(index, NOT_WRITABLE);
    return;
  }
  state->unjudged = 1;
  design->settled(&watcher);
}

static int expect_change(uint32_t index, struct cairn_signal *signal) {
  const int32_t error = design->on_change(&watcher, signal, 1);
  if (error < 0) is_impossible(index, error == -ENODATA ? NO_VALUE : TOO_MANY);
  return error >= 0;
}

static void take_hold(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  state->holds = 1;
  if (!expect_change(index, &state->signal) || (fault->model == BRIDGE && !expect_change(index, &state->from))) return;
  hold(index, 1);
}

/* It begins; or, of one that comes and goes, again. */
static void inject(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  const uint64_t time = now();
  state->due = NEVER;
  if (!takes_value(index)) return;
  if (report->counts[index].injected++ == 0) {
    report->results[index].time = time;
    report->results[index].status = UNCHANGED;
    state->ends = fault->duration != 0 ? time + fault->duration : NEVER;
  }
  if (fault->model == UPSET) {
    upset(index);
    return;
  }
  take_hold(index);
  if (!state->holds) return;
  state->due = fault->model == INTERMITTENT && time + fault->on < state->ends ? time + fault->on : state->ends;
}

/* For whoever wants to look at what comes. 0: it was restarted meanwhile, and its faults begin anew. */
static int is_held_before(const struct fault *fault) {
  if (!faults.hold) return 1;
  const int32_t result = host->request_hold(fault->signal, "a fault is put there when it goes on");
  if (result < 0) host->log(CAIRN_LOG_WARNING, "faults: the computation could not be held before a fault");
  return result != 2;
}

/* Its time has come. */
static void proceed(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  const uint64_t time = now();
  state->due = NEVER;
  if (report->counts[index].injected == 0) {
    report->counts[index].reached++;
    if (!is_held_before(fault)) return;
    inject(index);
  } else if (state->holds) {
    let_go(index);
    const uint64_t again = time + fault->period - fault->on;
    if (fault->model == INTERMITTENT && again < state->ends) state->due = again;
  } else if (fault->model == INTERMITTENT) {
    inject(index);
  }
}

static void expect_next(void) {
  uint64_t next = NEVER;
  for (uint32_t i = 0; i < faults.count; ++i)
    if (states[i].due < next) next = states[i].due;
  design->at(&watcher, next);
}

/* ---- What the simulation has come to ---- */
static int find_signals(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  uint32_t reason = NO_REASON;
  if (design->find(fault->signal, &state->signal) < 0 || state->signal.kind != CAIRN_SIGNAL_VECTOR) reason = NO_SIGNAL;
  for (uint32_t i = 0; reason == NO_REASON && i < fault->bit_count; ++i)
    if (fault->bits[i] >= state->signal.width) reason = NO_BIT;
  if (fault->from[0] != 0 && (design->find(fault->from, &state->from) < 0 || state->from.kind != CAIRN_SIGNAL_VECTOR || state->from.width > WIDEST)) reason = NO_SIGNAL;
  if (fault->trigger[0] != 0 && (design->find(fault->trigger, &state->trigger) < 0 || state->trigger.kind != CAIRN_SIGNAL_VECTOR || state->trigger.width > WIDEST)) reason = NO_SIGNAL;
  if (reason != NO_REASON) is_impossible(index, reason);
  return reason == NO_REASON;
}

static void look_at_trigger(uint32_t index, int begins) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  if (design->read(&state->trigger, bits, sizeof bits) < 0) return;
  const char last = bits[state->trigger.width - 1];
  const int comes = fault->when == AT_VALUE ? fault_matches(bits, fault->pattern) : !begins && last != state->last && last == (fault->falling ? '0' : '1');
  state->last = last;
  if (!comes || ++state->seen != fault->nth) return;
  (void)design->on_change(&watcher, &state->trigger, 0);
  proceed(index);
}

static void begin_fault(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  state->known = find_signals(index) != 0;
  if (!state->known) return;
  switch (fault->when) {
    case AT_ONCE: proceed(index); return;
    case AT_TIME: state->due = fault->time; return;
    case AFTER: state->due = began + fault->time; return;
    case BY_CHANCE: state->due = began + fault_chance(fault, index); return;
    default:
      if (expect_change(index, &state->trigger)) look_at_trigger(index, 1);
  }
}

static void look_at_detector(uint32_t index) {
  if (report->run.detected || detectors[index].width > WIDEST || design->read(&detectors[index], bits, sizeof bits) < 0) return;
  if (!fault_matches(bits, faults.detections[index].pattern)) return;
  report->run.detected_time = now();
  report->run.detected = 1;
}

static void begin(void) {
  int32_t exponent = 0;
  began = design->time(&exponent);
  report->run.begin_time = began;
  report->run.exponent = exponent;
  write_selection(&faults.list, list_one);
  report->run.begun = 1; /* whoever waits for the list sees it as a whole */
  for (uint32_t i = 0; i < faults.detection_count; ++i) {
    if (design->find(faults.detections[i].signal, &detectors[i]) < 0 || detectors[i].kind != CAIRN_SIGNAL_VECTOR ||
        design->on_change(&watcher, &detectors[i], 1) < 0) {
      report->run.missing++;
      host->log(CAIRN_LOG_WARNING, "faults: a signal to detect by is not in the design, or has no value that can be read");
      continue;
    }
    look_at_detector(i);
  }
  for (uint32_t i = 0; i < faults.count; ++i) begin_fault(i);
}

static void changed(const struct cairn_signal *signal) {
  for (uint32_t i = 0; i < faults.detection_count; ++i)
    if (signal == &detectors[i]) look_at_detector(i);
  for (uint32_t i = 0; i < faults.count; ++i) {
    if (signal == &states[i].trigger) look_at_trigger(i, 0);
    if (states[i].holds && (signal == &states[i].signal || signal == &states[i].from)) hold(i, 0);
  }
}

static void time_step_ends(void) {
  for (uint32_t i = 0; i < faults.count; ++i) {
    struct state *state = &states[i];
    if (!state->unjudged) continue;
    state->unjudged = 0;
    const int stays = design->read(&state->signal, bits, sizeof bits) == 0 && strcmp(bits, state->put) == 0;
    /* One that is held was effective once it ever was. */
    if (stays || report->results[i].status != EFFECTIVE) judge(i, stays ? EFFECTIVE : OVERWRITTEN, NO_REASON);
    if (stays || !state->holds) continue;
    // The simulator assigns it again and again; nothing holds it.
    state->holds = 0;
    state->due = NEVER;
    (void)design->on_change(&watcher, &state->signal, 0);
  }
}

static void reached(struct cairn_watcher *of, uint32_t moment, struct cairn_signal *signal) {
  (void)of;
  switch (moment) {
    case CAIRN_MOMENT_BEGIN: begin(); break;
    case CAIRN_MOMENT_CHANGE: changed(signal); break;
    case CAIRN_MOMENT_SETTLED: time_step_ends(); return; /* nothing may be put, and nothing begins */
    case CAIRN_MOMENT_TIME:
      for (uint32_t i = 0; i < faults.count; ++i)
        if (states[i].due <= now()) proceed(i);
      break;
    case CAIRN_MOMENT_END:
      report->run.end_time = now();
      report->run.ended = 1;
      write_selection(&faults.state, state_of_one);
      return;
    default: return;
  }
  expect_next();
}

/* ---- The plugin ---- */
static void leave_report(void) {
  if (report != &own_report) host->syscall(SYS_munmap, (long)report, FAULT_REPORT, 0, 0, 0, 0);
  report = &own_report;
  memset(&own_report, 0, sizeof own_report);
}

/* Shared with whoever reads it, also when this process has been killed. */
static int32_t open_report(void) {
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

/* A snapshot has nothing of the report: what goes on from there counts for nobody. */
static int32_t restore_mapping(const struct cairn_mapping *mapping) {
  const long flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  const long place = host->syscall(SYS_mmap, (long)mapping->start, (long)mapping->length, PROT_READ | PROT_WRITE, flags, -1, 0);
  return place < 0 && place > -4096 ? (int32_t)place : 0;
}

static int32_t take_settings(const char *settings) {
  const char *why = faults_read(settings, &wanted);
  if (why != NULL) return host->fail(-EINVAL, "settings", why);
  faults = wanted;
  return open_report();
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return take_settings(settings);
}

/* A process that is no simulation has no signals: another one of the computation may. */
static int32_t watch(void) {
  design = host->extension("cairn.design/1");
  if (design == NULL) return host->fail(-ENOSYS, "simulation", "this Cairn offers no signals of designs");
  memset(states, 0, sizeof states);
  for (uint32_t i = 0; i < FAULTS; ++i) states[i].due = NEVER;
  const int32_t simulator = design->simulator();
  if (simulator == -ENOENT) return 0;
  if (simulator < 0) return simulator;
  return design->watch(&watcher);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: {
      const int32_t result = take_settings(data);
      return result < 0 ? result : 1;
    }
    case CAIRN_EVENT_MAPPING_SAVE: return report != &own_report && ((struct cairn_mapping *)data)->start == (uintptr_t)report;
    case CAIRN_EVENT_MAPPING_RESTORE: return restore_mapping(data);
    case CAIRN_EVENT_RESTART: return watch();
    default: return 0;
  }
}

static void emit(cairn_emit_row emit_row, void *context, uint32_t index, const char *what, uint64_t counter) {
  char name[40] = "fault ", text[24], value[24];
  strcat(strcat(name, number_text(index + 1, text + sizeof text)), what);
  const struct cairn_row row = {sizeof row, 0, name, number_text((int64_t)counter, value + sizeof value), "", faults.list_of[index].signal, 0};
  emit_row(context, &row);
}

static void rows(const char *table, cairn_emit_row emit_row, void *context) {
  if (strcmp(table, "plugin") != 0) return;
  for (uint32_t i = 0; i < faults.count && report->run.begun; ++i) {
    emit(emit_row, context, i, ": injected", report->counts[i].injected);
    emit(emit_row, context, i, ": effective", report->counts[i].effective);
    emit(emit_row, context, i, ": at", report->results[i].time);
  }
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "fault-signals",
    .version = "1.0",
    .author = "Cairn",
    .init = init,
    .event = event,
    .rows = rows,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
