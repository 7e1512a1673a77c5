/* Faults on design signals: what the settings say. */
#ifndef FAULT_SIGNALS_FAULTS_H
#define FAULT_SIGNALS_FAULTS_H

#include <stdint.h>

enum { FAULTS = 32, DETECTIONS = 16, PATTERNS = 32, NAME = 512, PATH = 1024, BITS = 64, VALUE = 256 };

enum fault_model { UPSET, STUCK, TRANSIENT, INTERMITTENT, BRIDGE, DELAY };
enum fault_bridge { DOMINANT, WIRED_AND, WIRED_OR };
/* When it begins. */
enum fault_when { AT_ONCE, AT_TIME, AFTER, AT_CYCLE, AT_VALUE, BY_CHANCE };

struct fault {
  uint32_t model;
  uint32_t bit_count; /* 0: all bits */
  uint32_t bits[BITS]; /* from the least significant one, which is 0 */
  uint32_t value;     /* of each bit while it is held: 0 or 1; 2: the inverse of what is there when it begins */
  uint32_t bridge;
  char signal[NAME];
  char from[NAME];    /* of a bridge: whose value it gets; of a delay by cycles: their clock */
  uint32_t when;
  uint32_t falling;   /* AT_CYCLE: edges of the clock to 0 */
  uint64_t time;      /* AT_TIME, AFTER; BY_CHANCE: the earliest, as AFTER */
  uint64_t last;      /* BY_CHANCE: the latest */
  uint64_t seed;
  uint64_t nth;       /* AT_CYCLE, AT_VALUE; the first is 1 */
  char trigger[NAME]; /* the clock, or the signal with the value */
  char pattern[VALUE];
  uint64_t duration;  /* in ticks; 0: it stays */
  uint64_t period;    /* INTERMITTENT */
  uint64_t on;        /* of each period */
  uint64_t by;        /* DELAY: ticks, or cycles of the clock */
};

struct detection {
  char signal[NAME];
  char pattern[VALUE];
};

/* Signals that are written to a file. */
struct selection {
  char file[PATH]; /* empty: none */
  uint32_t count;
  char patterns[PATTERNS][NAME];
};

struct faults {
  char report[PATH];
  uint32_t hold; /* 1: the computation is held just before a fault begins, for whoever looks at it */
  struct selection list;  /* what they are, once the simulation begins */
  struct selection state; /* their values, when it ends */
  uint64_t limit; /* ticks since the simulation was entered, after which it is ended; 0: none */
  uint32_t detection_count;
  struct detection detections[DETECTIONS];
  uint32_t count;
  struct fault list_of[FAULTS];
};

/* From JSON text: NULL, or what is wrong with it, in words for the user, which live until the next call. */
const char *faults_read(const char *text, struct faults *faults);

/* The tick that chance gives a fault, from the first to the last one. */
uint64_t fault_chance(const struct fault *fault, uint32_t index);

/* Whether bits are those of a pattern of 0, 1, x and z, in front of which zeros are missing. */
int fault_matches(const char *bits, const char *pattern);

/* What is kept for whoever reads the report: FAULT_REPORT bytes, the same on all machines. */
enum { FAULT_REPORT = 4096, LIMIT_STEPS = 64 };
enum fault_status { WAITING = 0, EFFECTIVE = 1, OVERWRITTEN = 2, IMPOSSIBLE = 3, UNCHANGED = 4 };
enum fault_reason { NO_REASON = 0, NO_SIGNAL = 1, NO_VALUE = 2, NO_BIT = 3, NOT_WRITABLE = 4, TOO_MANY = 5, UNKNOWN_VALUE = 6, TOO_WIDE = 7, TOO_MANY_CHANGES = 8 };
struct fault_report {
  struct {
    uint64_t reached; /* how often it was to begin */
    uint64_t injected;
    uint64_t effective;
  } counts[FAULTS];
  struct {
    uint64_t begun; /* 1: the simulation was entered */
    uint64_t begin_time;
    int64_t exponent; /* a tick is 10^exponent seconds */
    uint64_t detected;
    uint64_t detected_time;
    uint64_t ended;
    uint64_t end_time;
    uint64_t missing; /* signals to detect by that are not there */
  } run;
  struct {
    uint32_t status;
    uint32_t reason;
    uint64_t time; /* of the injection */
  } results[FAULTS];
  struct {
    uint64_t steps; /* how many parts of the limit, of LIMIT_STEPS, are over */
    uint64_t over;  /* 1: all of it, and the simulation was ended for that */
    uint64_t time;
  } limit;
};

#endif
