/*
 * Faults on design signals: what its parts share. plugin.c takes the settings and watches the simulation; triggers.c says when faults begin and end,
 * models.c what they put; reports.c writes what became of them. All but the first and the last run in the simulation's own thread, within
 * cairn_watcher.reached.
 */
#ifndef FAULT_SIGNALS_SIMULATION_H
#define FAULT_SIGNALS_SIMULATION_H

#include "cairn/plugin.h"
#include "faults.h"

enum { WIDEST = 8192, DELAYED = 64, WIDEST_DELAYED = 1024 };
#define NEVER UINT64_MAX

/* A change of the design's that is to come later. */
struct delayed {
  uint64_t time;   /* when the design made it */
  uint64_t left;   /* edges of the clock until it comes */
  char value[WIDEST_DELAYED + 1];
};

/* A fault in the simulation. */
struct state {
  struct cairn_signal signal, from, trigger;
  uint32_t known;     /* its signals were found */
  uint32_t holds;     /* it is held now */
  uint32_t unjudged;  /* what it did is to be read at the end of this time step */
  uint64_t due;       /* the next thing comes then */
  uint64_t ends;      /* it is over then */
  uint64_t seen;      /* cycles, or times that the signal had the value */
  char last;          /* of the trigger's clock, its last bit */
  char last_from;     /* of the delay's clock */
  char design_has[WIDEST + 1]; /* as the design last assigned it, while it is held */
  char put[WIDEST + 1];        /* as the fault has put it */
  uint32_t first_delayed;
  uint32_t delayed_count;
  struct delayed delayed[DELAYED];
};

extern const struct cairn_host *host;
extern const struct cairn_design *design;
extern struct faults faults;
extern struct state states[FAULTS];
extern struct fault_report *report;
extern struct cairn_watcher watcher;
extern char bits[WIDEST + 1]; /* of the signal that is looked at */

uint64_t now(void);

/* ---- triggers.c ---- */
/* What cairn_watcher.reached is told. */
void simulation_reached(struct cairn_watcher *of, uint32_t moment, struct cairn_signal *signal);

/* ---- models.c ---- */
/* It begins; or, of one that comes and goes, again. */
void inject(uint32_t index);
/* What it holds has changed, or what decides that value. */
void hold_again(uint32_t index, const struct cairn_signal *signal);
void let_go(uint32_t index);
/* Of a delay, the changes whose time has come. */
void deliver(uint32_t index);
/* When `deliver` is to be called next; NEVER. */
uint64_t next_delivery(uint32_t index);
/* What it put is read again at the end of the time step. */
void judge_put(uint32_t index);
void is_impossible(uint32_t index, uint32_t reason);
/* on_change, where what cannot be watched makes the fault impossible. */
int expect_change(uint32_t index, struct cairn_signal *signal);

/* ---- reports.c ---- */
void list_signals(void);
void write_state(void);
/* The file that `report` is of, where one was asked for. 0 or host->fail's result. */
int32_t open_report(void);
/* Where nobody asked for a file: nothing has come of the faults yet. */
void clear_own_report(void);
int is_report(const struct cairn_mapping *mapping);
int32_t restore_report(const struct cairn_mapping *mapping);
void show_counts(cairn_emit_row emit_row, void *context);

#endif
