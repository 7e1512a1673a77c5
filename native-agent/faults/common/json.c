#include "json.h"

static void skip_blank(struct json *json) {
  while (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r') ++json->at;
}

static int take(struct json *json, char one) {
  skip_blank(json);
  if (json->failed || *json->at != one) return 0;
  ++json->at;
  return 1;
}

static void need(struct json *json, char one) {
  if (!take(json, one)) json->failed = 1;
}

int json_begins(struct json *json, char with) {
  skip_blank(json);
  return !json->failed && *json->at == with;
}

int json_element(struct json *json, int *begun) {
  if (!*begun) {
    *begun = 1;
    need(json, '[');
    return !json->failed && !take(json, ']');
  }
  if (take(json, ']')) return 0;
  need(json, ',');
  return !json->failed;
}

int json_member(struct json *json, char *key, uint32_t capacity, int *begun) {
  if (!*begun) {
    *begun = 1;
    need(json, '{');
    if (json->failed || take(json, '}')) return 0;
  } else {
    if (take(json, '}')) return 0;
    need(json, ',');
  }
  json_text(json, key, capacity);
  need(json, ':');
  return !json->failed;
}

static void add(struct json *json, char *value, uint32_t *size, uint32_t capacity, uint32_t byte) {
  if (*size + 1 < capacity) value[(*size)++] = (char)byte;
  else json->failed = 1;
}

static uint32_t hexadecimal(struct json *json, uint32_t digits) {
  uint32_t value = 0;
  for (; digits > 0; --digits, ++json->at) {
    const char digit = *json->at;
    uint32_t of = digit >= '0' && digit <= '9' ? (uint32_t)(digit - '0') : 16;
    if ((digit | 32) >= 'a' && (digit | 32) <= 'f') of = (uint32_t)((digit | 32) - 'a') + 10;
    if (of == 16) {
      json->failed = 1;
      return 0;
    }
    value = value * 16 + of;
  }
  return value;
}

/* No name of a function or file needs more than Latin text; others are refused. */
static void escape(struct json *json, char *value, uint32_t *size, uint32_t capacity) {
  const char of = *json->at++;
  switch (of) {
    case '"': case '\\': case '/': add(json, value, size, capacity, (uint8_t)of); return;
    case 'n': add(json, value, size, capacity, '\n'); return;
    case 't': add(json, value, size, capacity, '\t'); return;
    case 'u': {
      const uint32_t code = hexadecimal(json, 4);
      if (code == 0 || code > 0x7f) json->failed = 1;
      add(json, value, size, capacity, code);
      return;
    }
    default: json->failed = 1;
  }
}

void json_text(struct json *json, char *value, uint32_t capacity) {
  uint32_t size = 0;
  need(json, '"');
  while (!json->failed && *json->at != '"') {
    if ((uint8_t)*json->at < ' ') {
      json->failed = 1;
    } else if (*json->at == '\\') {
      ++json->at;
      escape(json, value, &size, capacity);
    } else {
      add(json, value, &size, capacity, (uint8_t)*json->at++);
    }
  }
  need(json, '"');
  value[json->failed ? 0 : size] = 0;
}

void json_whole(struct json *json, uint64_t *value) {
  skip_blank(json);
  const int negative = *json->at == '-';
  if (negative) ++json->at;
  uint64_t number = 0;
  if (*json->at < '0' || *json->at > '9') json->failed = 1;
  for (; !json->failed && *json->at >= '0' && *json->at <= '9'; ++json->at) {
    if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, (uint64_t)(*json->at - '0'), &number)) json->failed = 1;
  }
  if (negative && number > (uint64_t)1 << 63) json->failed = 1;
  if (*json->at == '.' || *json->at == 'e' || *json->at == 'E') json->failed = 1;
  *value = negative ? 0 - number : number;
}

void json_double(struct json *json, double *value) {
  skip_blank(json);
  double number = 0, place = 1;
  const int negative = *json->at == '-';
  if (negative) ++json->at;
  if (*json->at < '0' || *json->at > '9') json->failed = 1;
  for (; *json->at >= '0' && *json->at <= '9'; ++json->at) number = number * 10 + (*json->at - '0');
  if (*json->at == '.') {
    ++json->at;
    if (*json->at < '0' || *json->at > '9') json->failed = 1;
    for (; *json->at >= '0' && *json->at <= '9'; ++json->at) number += (*json->at - '0') * (place /= 10);
  }
  if (*json->at == 'e' || *json->at == 'E') {
    ++json->at;
    const int smaller = *json->at == '-';
    if (*json->at == '-' || *json->at == '+') ++json->at;
    int power = 0;
    if (*json->at < '0' || *json->at > '9') json->failed = 1;
    for (; *json->at >= '0' && *json->at <= '9'; ++json->at)
      if (power < 400) power = power * 10 + (*json->at - '0');
    for (; power > 0; --power) number = smaller ? number / 10 : number * 10;
  }
  *value = negative ? -number : number;
}

void json_flag(struct json *json, uint32_t *value) {
  static const char *const words[] = {"false", "true"};
  skip_blank(json);
  for (uint32_t i = 0; i < 2; ++i) {
    const char *word = words[i], *at = json->at;
    while (*word != 0 && *word == *at) ++word, ++at;
    if (*word != 0) continue;
    json->at = at;
    *value = i;
    return;
  }
  json->failed = 1;
}

void json_end(struct json *json) {
  skip_blank(json);
  if (*json->at != 0) json->failed = 1;
}

uint32_t json_bytes(struct json *json, uint32_t most, uint8_t *bytes) {
  char text[2 * JSON_BYTES + 1];
  json_text(json, text, 2 * most + 1);
  uint32_t size = 0;
  for (const char *at = text; !json->failed && *at != 0; at += 2) {
    uint32_t value = 0;
    for (int half = 0; half < 2; ++half) {
      const char digit = at[half] >= 'A' && at[half] <= 'F' ? (char)(at[half] | 32) : at[half];
      const int of = digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
      if (of < 0) return 0;
      value = value << 4 | (uint32_t)of;
    }
    bytes[size++] = (uint8_t)value;
  }
  return size;
}
