#include "settings.h"

#include <stddef.h>
#include <string.h>

static const char *blank(const char *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') ++at;
  return at;
}

/* Behind the text's closing quote; NULL: it is none, or too long. */
static const char *read_text(const char *at, char *value) {
  if (*at++ != '"') return NULL;
  const char *end = at;
  while (*end != 0 && *end != '"' && *end != '\\') ++end;
  if (*end != '"' || end - at >= SETTINGS_TEXT) return NULL;
  memcpy(value, at, (size_t)(end - at));
  value[end - at] = 0;
  return end + 1;
}

static const char *read_number(const char *at, int64_t most, int64_t *value) {
  if (*at < '0' || *at > '9') return NULL;
  for (*value = 0; *at >= '0' && *at <= '9'; ++at) {
    *value = *value * 10 + (*at - '0');
    if (*value > most) return NULL;
  }
  return at;
}

/* One of two words. */
static const char *read_choice(const char *at, const char *yes, const char *no, int *value) {
  char text[SETTINGS_TEXT];
  at = read_text(at, text);
  if (at == NULL || (strcmp(text, yes) != 0 && strcmp(text, no) != 0)) return NULL;
  *value = strcmp(text, yes) == 0;
  return at;
}

static const char *read_one(const char *key, const char **at, struct settings *settings) {
  const char *wrong = NULL;
  if (strcmp(key, "server") == 0) {
    *at = read_text(*at, settings->server);
    wrong = "\"server\" needs an address such as \"127.0.0.1:4000\"";
  } else if (strcmp(key, "at_checkpoint") == 0) {
    *at = read_choice(*at, "keep", "release", &settings->keeps);
    wrong = "\"at_checkpoint\" needs \"release\" or \"keep\"";
  } else if (strcmp(key, "no_seat") == 0) {
    *at = read_choice(*at, "wait", "refuse", &settings->waits);
    wrong = "\"no_seat\" needs \"wait\" or \"refuse\"";
  } else if (strcmp(key, "limit_s") == 0) {
    *at = read_number(*at, 31536000, &settings->limit_s);
    wrong = "\"limit_s\" needs a number of seconds";
  } else if (strcmp(key, "keep_s") == 0) {
    *at = read_number(*at, 2592000, &settings->keep_s);
    wrong = "\"keep_s\" needs a number of seconds, at most 2592000";
  } else if (strcmp(key, "patience_ms") == 0) {
    *at = read_number(*at, 20000, &settings->patience_ms);
    wrong = "\"patience_ms\" needs a number of milliseconds, at most 20000";
  } else {
    return "they have a name that the plugin does not know; settings.schema.json lists all";
  }
  return *at == NULL ? wrong : NULL;
}

const char *settings_read(const char *text, struct settings *settings) {
  char key[SETTINGS_TEXT];
  *settings = (struct settings){.limit_s = SETTINGS_NO_LIMIT, .keep_s = 3600, .patience_ms = 10000};
  const char *at = blank(text);
  if (*at != '{') return "they are no JSON object";
  for (at = blank(at + 1); *at != '}'; at = blank(at)) {
    at = read_text(at, key);
    if (at == NULL || *(at = blank(at)) != ':') return "they are no JSON object";
    at = blank(at + 1);
    const char *wrong = read_one(key, &at, settings);
    if (wrong != NULL) return wrong;
    at = blank(at);
    if (*at == ',') at = blank(at + 1);
    else if (*at != '}') return "they are no JSON object";
  }
  return NULL;
}
