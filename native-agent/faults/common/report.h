/* What became of the faults of a run, in a file that its reader shares with all processes of the run: it is read also where these have been
 * killed. The first part of it is as in all reports of fault plugins; the layout is in docs/faults.md. */
#ifndef FAULT_REPORT_H
#define FAULT_REPORT_H

#include <stdint.h>

#include "cairn/plugin.h"

enum { REPORT_FAULTS = 32, REPORT_BYTES = 4096, REPORT_WORDS = 56 };
enum report_status { NOT_REACHED = 0, EFFECTIVE = 1, OVERWRITTEN = 2, IMPOSSIBLE = 3, UNCHANGED = 4 };

struct report {
  struct {
    uint64_t reached; /* how often it might have begun */
    uint64_t injected;
    uint64_t effective;
  } counts[REPORT_FAULTS];
  uint64_t reserved[8];
  struct {
    uint32_t status;
    uint32_t reserved;
    uint64_t time;
  } results[REPORT_FAULTS];
  char words[REPORT_FAULTS][REPORT_WORDS]; /* why it is so, or where it was */
};

struct reporting {
  struct report *now; /* the file, or its own memory where nobody asked for one */
  struct report own;
};

/* At init and at other settings. `path` empty: none. */
int32_t report_open(struct reporting *reporting, const struct cairn_host *host, const char *path);
/* A process that goes on from a snapshot counts for nobody, until it is given another file. */
int32_t report_event(struct reporting *reporting, const struct cairn_host *host, uint32_t event, void *data);
void report_clear(struct reporting *reporting);

void report_result(struct reporting *reporting, uint32_t fault, uint32_t status, const char *words);

#endif
