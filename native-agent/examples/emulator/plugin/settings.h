/* The plugin's settings: settings.schema.json says what there is. Enough of JSON for texts without escapes, numbers and lists of texts. */
#ifndef EMULATOR_SETTINGS_H
#define EMULATOR_SETTINGS_H

#include <stdint.h>

enum { SETTINGS_STANDBY = 4, SETTINGS_ADDRESS = 64 };

struct settings {
  char emulator[SETTINGS_ADDRESS]; /* "": where the test bench has connected to */
  int32_t slot;                    /* -1: the test bench's */
  char standby[SETTINGS_STANDBY][SETTINGS_ADDRESS];
  uint32_t standby_count;
  uint32_t patience_ms;
  uint32_t keep_ms;
};

/* 0, or what is wrong with it. */
const char *settings_read(const char *text, struct settings *settings);

#endif
