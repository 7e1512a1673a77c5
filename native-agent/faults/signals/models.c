/*
 * What faults put, and what becomes of it: upsets, values that are held, bridges, delays. In the simulation's thread, when all assignments of a
 * time step are made, so that no upset is lost to one that waits; what was put is read again at the end of the same time step.
 */
#include <errno.h>
#include <string.h>

#include "simulation.h"

static void judge(uint32_t index, uint32_t status, uint32_t reason) {
  report->results[index].status = status;
  report->results[index].reason = reason;
  if (status == EFFECTIVE) report->counts[index].effective++;
}

void is_impossible(uint32_t index, uint32_t reason) {
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

void let_go(uint32_t index) {
  struct state *state = &states[index];
  if (!state->holds) return;
  state->holds = 0;
  (void)design->on_change(&watcher, &state->signal, 0);
  if (faults.list_of[index].from[0] != 0) (void)design->on_change(&watcher, &state->from, 0);
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
  if (fault->model == DELAY && state->signal.width > WIDEST_DELAYED) {
    is_impossible(index, TOO_WIDE);
    return 0;
  }
  for (uint32_t bit = 0; fault->value == 2 && fault->model != BRIDGE && fault->model != DELAY && bit < state->signal.width; ++bit) {
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

int expect_change(uint32_t index, struct cairn_signal *signal) {
  const int32_t error = design->on_change(&watcher, signal, 1);
  if (error < 0) is_impossible(index, error == -ENODATA ? NO_VALUE : TOO_MANY);
  return error >= 0;
}

/* ---- Delays ---- */
static char last_bit_of(const struct cairn_signal *signal) {
  static char value[WIDEST + 1];
  return design->read(signal, value, sizeof value) < 0 ? 0 : value[signal->width - 1];
}

/* The bits that are meant are those of `from`, the others as the design has them. */
static void show_delayed(uint32_t index, const char *from) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  const uint32_t width = state->signal.width;
  for (uint32_t bit = 0; bit < width; ++bit) {
    const uint32_t at = width - 1 - bit;
    state->put[at] = (is_meant(fault, bit) ? from : state->design_has)[at];
  }
  state->put[width] = 0;
  if (design->read(&state->signal, bits, sizeof bits) == 0 && strcmp(bits, state->put) == 0) return;
  if (design->put(&state->signal, state->put) < 0) {
    is_impossible(index, NOT_WRITABLE);
    return;
  }
  state->unjudged = 1;
  design->settled(&watcher);
}

/* What the design has assigned is kept for later, and what was there stays. */
static void delay_change(uint32_t index) {
  struct state *state = &states[index];
  if (design->read(&state->signal, bits, sizeof bits) < 0) {
    is_impossible(index, NO_VALUE);
    return;
  }
  if (strcmp(bits, state->put) == 0) return;
  const uint64_t time = now();
  struct delayed *last = state->delayed_count == 0 ? NULL : &state->delayed[(state->first_delayed + state->delayed_count - 1) % DELAYED];
  if (last == NULL || last->time != time) {
    if (state->delayed_count == DELAYED) {
      is_impossible(index, TOO_MANY_CHANGES);
      return;
    }
    last = &state->delayed[(state->first_delayed + state->delayed_count++) % DELAYED];
  }
  last->time = time;
  last->left = faults.list_of[index].by;
  memcpy(last->value, bits, state->signal.width + 1);
  memcpy(state->design_has, bits, state->signal.width + 1);
  show_delayed(index, state->put);
}

static int is_due(const struct fault *fault, const struct delayed *first) {
  return fault->from[0] != 0 ? first->left == 0 : first->time + fault->by <= now();
}

void deliver(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  // The design may have assigned in this very time step.
  delay_change(index);
  const char *comes = NULL;
  while (state->holds && state->delayed_count > 0 && is_due(fault, &state->delayed[state->first_delayed])) {
    comes = state->delayed[state->first_delayed].value;
    state->first_delayed = (state->first_delayed + 1) % DELAYED;
    --state->delayed_count;
  }
  if (comes != NULL) show_delayed(index, comes);
}

uint64_t next_delivery(uint32_t index) {
  const struct state *state = &states[index];
  if (faults.list_of[index].model != DELAY || !state->holds || state->delayed_count == 0 || faults.list_of[index].from[0] != 0) return NEVER;
  return state->delayed[state->first_delayed].time + faults.list_of[index].by;
}

/* A change that the design makes at an edge comes so many edges after that one, wherever in the time step the edge is seen. */
static void look_at_clock(uint32_t index) {
  struct state *state = &states[index];
  const char last = last_bit_of(&state->from);
  const int edge = last != state->last_from && last == '1';
  state->last_from = last;
  if (!edge) return;
  const uint64_t time = now();
  for (uint32_t i = 0; i < state->delayed_count; ++i) {
    struct delayed *one = &state->delayed[(state->first_delayed + i) % DELAYED];
    if (one->time < time) --one->left;
  }
  deliver(index);
}

void hold_again(uint32_t index, const struct cairn_signal *signal) {
  if (faults.list_of[index].model != DELAY) hold(index, 0);
  else if (signal == &states[index].from) look_at_clock(index);
  else delay_change(index);
}

static void begin_delay(uint32_t index) {
  struct state *state = &states[index];
  state->first_delayed = state->delayed_count = 0;
  if (faults.list_of[index].from[0] != 0) state->last_from = last_bit_of(&state->from);
  memcpy(state->design_has, bits, state->signal.width + 1);
  memcpy(state->put, bits, state->signal.width + 1);
}

static void take_hold(uint32_t index) {
  const struct fault *fault = &faults.list_of[index];
  struct state *state = &states[index];
  state->holds = 1;
  if (!expect_change(index, &state->signal) || (fault->from[0] != 0 && !expect_change(index, &state->from))) return;
  if (fault->model == DELAY) begin_delay(index);
  else hold(index, 1);
}

void inject(uint32_t index) {
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

void judge_put(uint32_t index) {
  struct state *state = &states[index];
  if (!state->unjudged) return;
  state->unjudged = 0;
  const int stays = design->read(&state->signal, bits, sizeof bits) == 0 && strcmp(bits, state->put) == 0;
  /* One that is held was effective once it ever was. */
  if (stays || report->results[index].status != EFFECTIVE) judge(index, stays ? EFFECTIVE : OVERWRITTEN, NO_REASON);
  if (stays || !state->holds) return;
  // The simulator assigns it again and again; nothing holds it.
  state->holds = 0;
  state->due = NEVER;
  (void)design->on_change(&watcher, &state->signal, 0);
}
