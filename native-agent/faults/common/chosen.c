#include "common/chosen.h"

#include "common/words.h"

const char *chosen_read(struct json *json, uint32_t fault, const char *of, struct chosen *chosen) {
  char key[24];
  double chance = 1;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "nth")) {
      json_whole(json, &chosen->first);
      chosen->last = chosen->first;
    } else if (same(key, "first")) json_whole(json, &chosen->first);
    else if (same(key, "last")) json_whole(json, &chosen->last);
    else if (same(key, "every")) json_whole(json, &chosen->every);
    else if (same(key, "probability")) json_double(json, &chance);
    else if (same(key, "seed")) json_whole(json, &chosen->seed);
    else return say(fault, " has nth, first, last, every, probability and seed", of);
    if (json->failed) return say(fault, " needs numbers", of);
  }
  if (chosen->first < 1 || chosen->every < 1 || chosen->last < chosen->first)
    return say(fault, ": the first one is 1, \"every\" at least 1, and \"last\" not before \"first\"", of);
  if (!(chance >= 0 && chance <= 1)) return say(fault, "\"probability\" is from 0 to 1", "");
  chosen->chance = (uint64_t)(chance * 4294967296.0);
  return 0;
}

/* The mixing function of SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t by_chance(uint64_t seed, uint64_t n) {
  uint64_t z = seed + n * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

int chosen_has(const struct chosen *chosen, uint64_t n) {
  return n >= chosen->first && n <= chosen->last && (n - chosen->first) % chosen->every == 0 && by_chance(chosen->seed, n) >> 32 < chosen->chance;
}
