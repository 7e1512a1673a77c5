#include "settings.h"

#include <stddef.h>
#include <string.h>

static const char *blank(const char *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') ++at;
  return at;
}

/* Behind the text's closing quote; NULL: it is none, or too long. */
static const char *read_text(const char *at, char *value, size_t capacity) {
  if (*at++ != '"') return NULL;
  const char *end = at;
  while (*end != 0 && *end != '"' && *end != '\\') ++end;
  if (*end != '"' || (size_t)(end - at) >= capacity) return NULL;
  memcpy(value, at, (size_t)(end - at));
  value[end - at] = 0;
  return end + 1;
}

static const char *read_number(const char *at, uint32_t *value) {
  if (*at < '0' || *at > '9') return NULL;
  uint64_t number = 0;
  for (; *at >= '0' && *at <= '9'; ++at) {
    number = number * 10 + (uint64_t)(*at - '0');
    if (number > 3600000) return NULL;
  }
  *value = (uint32_t)number;
  return at;
}

static const char *read_list(const char *at, struct settings *settings) {
  if (*at != '[') return NULL;
  settings->standby_count = 0;
  for (at = blank(at + 1); *at != ']'; at = blank(at)) {
    if (settings->standby_count == SETTINGS_STANDBY) return NULL;
    at = read_text(at, settings->standby[settings->standby_count++], SETTINGS_ADDRESS);
    if (at == NULL) return NULL;
    at = blank(at);
    if (*at == ',') at = blank(at + 1);
    else if (*at != ']') return NULL;
  }
  return at + 1;
}

const char *settings_read(const char *text, struct settings *settings) {
  char key[32];
  uint32_t slot = 0;
  *settings = (struct settings){.slot = -1, .patience_ms = 10000, .keep_ms = 5000};
  const char *at = blank(text);
  if (*at != '{') return "they are no JSON object";
  for (at = blank(at + 1); *at != '}'; at = blank(at)) {
    at = read_text(at, key, sizeof key);
    if (at == NULL || *(at = blank(at)) != ':') return "they are no JSON object";
    at = blank(at + 1);
    if (strcmp(key, "emulator") == 0) {
      if ((at = read_text(at, settings->emulator, SETTINGS_ADDRESS)) == NULL) return "\"emulator\" needs an address such as \"127.0.0.1:4000\"";
    } else if (strcmp(key, "slot") == 0) {
      if ((at = read_number(at, &slot)) == NULL) return "\"slot\" needs a number";
      settings->slot = (int32_t)slot;
    } else if (strcmp(key, "standby") == 0) {
      if ((at = read_list(at, settings)) == NULL) return "\"standby\" needs a list of at most four addresses";
    } else if (strcmp(key, "patience_ms") == 0) {
      if ((at = read_number(at, &settings->patience_ms)) == NULL) return "\"patience_ms\" needs a number";
    } else if (strcmp(key, "keep_ms") == 0) {
      if ((at = read_number(at, &settings->keep_ms)) == NULL) return "\"keep_ms\" needs a number";
    } else {
      return "they have a name that the plugin does not know; settings.schema.json lists all";
    }
    at = blank(at);
    if (*at == ',') at = blank(at + 1);
    else if (*at != '}') return "they are no JSON object";
  }
  return NULL;
}
