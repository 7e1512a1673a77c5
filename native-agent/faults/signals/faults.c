#include "faults.h"

#include <string.h>

#include "common/json.h"
#include "common/words.h"

/* Which of these it is; 255: none. */
static uint32_t one_of(const char *text, const char *const *names, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    if (same(text, names[i])) return i;
  return 255;
}

static int are_bits(const char *text) {
  if (*text == 0) return 0;
  for (; *text != 0; ++text)
    if (*text != '0' && *text != '1' && *text != 'x' && *text != 'z') return 0;
  return 1;
}

static void read_bits(struct json *json, struct fault *fault) {
  for (int begun = 0; json_element(json, &begun);) {
    uint64_t bit = 0;
    json_whole(json, &bit);
    if (fault->bit_count == BITS || bit > 8191) json->failed = 1;
    else fault->bits[fault->bit_count++] = (uint32_t)bit;
  }
}

static const char *read_when(struct json *json, uint32_t index, struct fault *fault) {
  char key[24];
  uint32_t ways = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    uint32_t way = 255;
    if (same(key, "time")) way = AT_TIME, json_whole(json, &fault->time);
    else if (same(key, "after")) way = AFTER, json_whole(json, &fault->time);
    else if (same(key, "cycle")) way = AT_CYCLE, json_whole(json, &fault->nth);
    else if (same(key, "clock")) json_text(json, fault->trigger, sizeof fault->trigger);
    else if (same(key, "falling")) json_flag(json, &fault->falling);
    else if (same(key, "signal")) json_text(json, fault->trigger, sizeof fault->trigger);
    else if (same(key, "value")) way = AT_VALUE, json_text(json, fault->pattern, sizeof fault->pattern);
    else if (same(key, "nth")) json_whole(json, &fault->nth);
    else if (same(key, "from")) way = BY_CHANCE, json_whole(json, &fault->time);
    else if (same(key, "to")) json_whole(json, &fault->last);
    else if (same(key, "seed")) json_whole(json, &fault->seed);
    else return say(index, ": \"when\" has time; after; cycle, clock, falling; signal, value, nth; or from, to, seed", key);
    if (json->failed) return say(index, " of \"when\" has a value of another kind", key);
    if (way == 255) continue;
    fault->when = way;
    ++ways;
  }
  if (ways != 1) return say(index, "\"when\" has one of time, after, cycle, value and from", "");
  if ((fault->when == AT_CYCLE || fault->when == AT_VALUE) && (fault->trigger[0] == 0 || fault->nth == 0))
    return say(index, "\"when\" needs a \"clock\" or a \"signal\", and the first cycle is 1", "");
  if (fault->when == AT_VALUE && !are_bits(fault->pattern)) return say(index, "\"value\" of \"when\" is of binary digits", "");
  if (fault->when == BY_CHANCE && fault->last < fault->time) return say(index, "\"to\" of \"when\" is not before \"from\"", "");
  return NULL;
}

static const char *read_fault(struct json *json, uint32_t index, struct fault *fault) {
  static const char *const models[] = {"upset", "stuckAt", "transient", "intermittent", "bridge", "delay"};
  static const char *const bridges[] = {"dominant", "and", "or"};
  static char clock[NAME];
  char key[24], word[24] = "";
  uint64_t value = 2;
  const char *why = NULL;
  memset(fault, 0, sizeof *fault);
  clock[0] = 0;
  fault->nth = 1;
  fault->model = 255;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "model")) {
      json_text(json, word, sizeof word);
      fault->model = one_of(word, models, 6);
    } else if (same(key, "signal")) json_text(json, fault->signal, sizeof fault->signal);
    else if (same(key, "bits")) read_bits(json, fault);
    else if (same(key, "value")) json_whole(json, &value);
    else if (same(key, "when")) why = read_when(json, index, fault);
    else if (same(key, "duration")) json_whole(json, &fault->duration);
    else if (same(key, "period")) json_whole(json, &fault->period);
    else if (same(key, "on")) json_whole(json, &fault->on);
    else if (same(key, "by")) json_whole(json, &fault->by);
    else if (same(key, "from")) json_text(json, fault->from, sizeof fault->from);
    else if (same(key, "clock")) json_text(json, clock, sizeof clock);
    else if (same(key, "kind")) {
      json_text(json, word, sizeof word);
      fault->bridge = one_of(word, bridges, 3);
    } else return say(index, ": there is model, signal, bits, value, when, duration, period, on, from, kind, by and clock", key);
    if (why != NULL) return why;
    if (json->failed) return say(index, " has a value of another kind, or one that is too long", key);
  }
  if (json->failed) return NULL;
  fault->value = (uint32_t)value;
  if (fault->model == 255) return say(index, "\"model\" is upset, stuckAt, transient, intermittent, bridge or delay", "");
  if (fault->signal[0] == 0) return say(index, "it needs a \"signal\"", "");
  if (value > 2) return say(index, "\"value\" is 0 or 1", "");
  if (fault->model == STUCK && value == 2) return say(index, "stuckAt needs a \"value\": 0 or 1", "");
  if ((fault->model == UPSET || fault->model == DELAY) && value != 2) return say(index, "an upset and a delay have no \"value\"", "");
  if (fault->model == TRANSIENT && fault->duration == 0) return say(index, "a transient needs a \"duration\", in ticks", "");
  if (fault->model == INTERMITTENT && (fault->on == 0 || fault->on >= fault->period))
    return say(index, "an intermittent fault needs a \"period\" and \"on\", of which that is the smaller one, in ticks", "");
  if (fault->model == BRIDGE && (fault->from[0] == 0 || fault->bridge == 255))
    return say(index, "a bridge needs \"from\", the other signal, and its \"kind\" is dominant, and or or", "");
  if (fault->model == DELAY && (fault->by == 0 || fault->from[0] != 0)) return say(index, "a delay needs \"by\", how many ticks, or cycles of its \"clock\"", "");
  if (fault->model != DELAY && (fault->by != 0 || clock[0] != 0)) return say(index, "\"by\" and \"clock\" are of a delay", "");
  if (fault->model == DELAY) memcpy(fault->from, clock, sizeof clock);
  return NULL;
}

static const char *read_selection(struct json *json, struct selection *to) {
  char key[24];
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "file")) json_text(json, to->file, sizeof to->file);
    else if (same(key, "patterns")) {
      for (int first = 0; json_element(json, &first);) {
        if (to->count == PATTERNS) return "there are more than 32 patterns";
        json_text(json, to->patterns[to->count++], NAME);
      }
    } else return "\"list\" and \"state\" have a file and patterns";
  }
  return to->file[0] != '/' ? "\"list\" and \"state\" need a file, by its absolute path" : NULL;
}

static const char *read_detection(struct json *json, struct detection *to) {
  char key[24];
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "signal")) json_text(json, to->signal, sizeof to->signal);
    else if (same(key, "value")) json_text(json, to->pattern, sizeof to->pattern);
    else json->failed = 1;
  }
  return json->failed || to->signal[0] == 0 || !are_bits(to->pattern) ? "\"detect\" is a list of a signal and a value of binary digits each" : NULL;
}

const char *faults_read(const char *text, struct faults *faults) {
  static const char no_object[] = "they are no JSON object, or have a value of another kind";
  struct json json = {text, 0};
  char key[24];
  const char *why = NULL;
  memset(faults, 0, sizeof *faults);
  for (int begun = 0; json_member(&json, key, sizeof key, &begun);) {
    if (same(key, "report")) json_text(&json, faults->report, sizeof faults->report);
    else if (same(key, "hold")) json_flag(&json, &faults->hold);
    else if (same(key, "list")) why = read_selection(&json, &faults->list);
    else if (same(key, "state")) why = read_selection(&json, &faults->state);
    else if (same(key, "limit")) json_whole(&json, &faults->limit);
    else if (same(key, "detect")) {
      for (int first = 0; why == NULL && json_element(&json, &first);) {
        if (faults->detection_count == DETECTIONS) return "there are more than 16 signals to detect by";
        why = read_detection(&json, &faults->detections[faults->detection_count++]);
      }
    } else if (same(key, "faults")) {
      for (int first = 0; why == NULL && json_element(&json, &first);) {
        if (faults->count == FAULTS) return "there are more than 32 faults";
        why = read_fault(&json, faults->count, &faults->list_of[faults->count]);
        ++faults->count;
      }
    } else return "they have a name that is none: there is faults, detect, hold, limit, list, state and report";
    if (why != NULL) return why;
  }
  json_end(&json);
  return json.failed ? no_object : NULL;
}

/* By the mixing function of SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t fault_chance(const struct fault *fault, uint32_t index) {
  uint64_t z = fault->seed + ((uint64_t)index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const uint64_t range = fault->last - fault->time + 1;
  return fault->time + (range == 0 ? z : z % range);
}

int fault_matches(const char *bits, const char *pattern) {
  const size_t width = strlen(bits), digits = strlen(pattern);
  for (size_t behind = 1; behind <= width || behind <= digits; ++behind) {
    const char bit = behind <= width ? bits[width - behind] : '0';
    const char wanted = behind <= digits ? pattern[digits - behind] : '0';
    if (bit != wanted) return 0;
  }
  return 1;
}
