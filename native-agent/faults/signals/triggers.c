/*
 * When faults begin and end, and what else the simulation comes to: values by which the design detects, the limit of simulated time.
 */
#include <stdio.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "simulation.h"

static uint64_t began; /* simulated time at which the simulation was entered */
static struct cairn_signal detectors[DETECTIONS];

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
  } else if (state->holds && fault->model == DELAY && time < state->ends) {
    deliver(index);
    state->due = state->ends;
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
  for (uint32_t i = 0; i < faults.count; ++i) {
    // A delivery is the next thing of a delay, or its end.
    if (next_delivery(i) < states[i].due) states[i].due = next_delivery(i);
    if (states[i].due < next) next = states[i].due;
  }
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

/* ---- The limit of simulated time: on the way there whoever waits sees that the simulation goes on. ---- */
static void expect_limit(void) {
  if (faults.limit == 0 || design->size < offsetof(struct cairn_design, limit) + sizeof design->limit) return;
  const uint64_t next = report->limit.steps + 1;
  design->limit(&watcher, began + (next < LIMIT_STEPS ? faults.limit / LIMIT_STEPS * next : faults.limit));
}

/* Another process of the computation may have what it needs to go on without this one; whoever reads the report knows better. */
static void limit_step(void) {
  const uint64_t time = now();
  do ++report->limit.steps;
  while (report->limit.steps < LIMIT_STEPS && began + faults.limit / LIMIT_STEPS * (report->limit.steps + 1) <= time);
  if (time - began < faults.limit) {
    expect_limit();
    return;
  }
  report->limit.time = time;
  report->limit.over = 1;
  // What it has printed is a part of what it did.
  fflush(stdout);
  host->syscall(SYS_exit_group, 128 + 9, 0, 0, 0, 0, 0);
}

static void begin(void) {
  int32_t exponent = 0;
  began = design->time(&exponent);
  report->run.begin_time = began;
  report->run.exponent = exponent;
  list_signals();
  report->run.begun = 1; /* whoever waits for the list sees it as a whole */
  report->limit.steps = report->limit.over = 0;
  expect_limit();
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
    if (states[i].holds && (signal == &states[i].signal || signal == &states[i].from)) hold_again(i, signal);
  }
}

void simulation_reached(struct cairn_watcher *of, uint32_t moment, struct cairn_signal *signal) {
  (void)of;
  switch (moment) {
    case CAIRN_MOMENT_BEGIN: begin(); break;
    case CAIRN_MOMENT_CHANGE: changed(signal); break;
    case CAIRN_MOMENT_SETTLED: /* nothing may be put, and nothing begins */
      for (uint32_t i = 0; i < faults.count; ++i) judge_put(i);
      return;
    case CAIRN_MOMENT_TIME:
      for (uint32_t i = 0; i < faults.count; ++i)
        if (states[i].due <= now()) proceed(i);
      break;
    case CAIRN_MOMENT_END:
      report->run.end_time = now();
      report->run.ended = 1;
      write_state();
      return;
    case CAIRN_MOMENT_LIMIT: limit_step(); return;
    default: return;
  }
  expect_next();
}

