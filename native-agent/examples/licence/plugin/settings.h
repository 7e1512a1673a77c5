/* The plugin's settings: settings.schema.json says what there is. Enough of JSON for texts without escapes and numbers. */
#ifndef LICENCE_SETTINGS_H
#define LICENCE_SETTINGS_H

#include <stdint.h>

enum { SETTINGS_TEXT = 64, SETTINGS_NO_LIMIT = -1 };

struct settings {
  char server[SETTINGS_TEXT]; /* "": where the tool has checked out */
  int keeps;                  /* at a checkpoint */
  int waits;                  /* where a restart finds no seat */
  int64_t limit_s;            /* for how long; SETTINGS_NO_LIMIT: until it is cancelled */
  int64_t keep_s;
  int64_t patience_ms;
};

/* NULL, or what is wrong with it. */
const char *settings_read(const char *text, struct settings *settings);

#endif
