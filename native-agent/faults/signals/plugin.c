/*
 * Faults on design signals of a hardware simulation that was neither built nor started for it: upsets of registers and memory words, bits that
 * are stuck, transients, intermittent faults, bridges, delays. Settings: fault-signals.schema.json. Built from <cairn/plugin.h> alone, upon what the
 * plugin `hdl` offers (cairn_design): the simulation's own thread comes here (simulation.h).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "simulation.h"

const struct cairn_host *host;
const struct cairn_design *design;
struct faults faults;
struct state states[FAULTS];
char bits[WIDEST + 1];
struct cairn_watcher watcher = {sizeof watcher, 0, simulation_reached};

static struct faults wanted;

uint64_t now(void) {
  int32_t exponent;
  return design->time(&exponent);
}

static int32_t take_settings(const char *settings) {
  const char *why = faults_read(settings, &wanted);
  if (why != NULL) return host->fail(-EINVAL, "settings", why);
  faults = wanted;
  return open_report();
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return take_settings(settings);
}

/* A process that is no simulation has no signals: another one of the computation may. */
static int32_t watch(void) {
  // Where no file takes the report, a snapshot has what came of the faults before.
  clear_own_report();
  design = host->extension("cairn.design/1");
  if (design == NULL) return host->fail(-ENOSYS, "simulation", "this Cairn offers no signals of designs");
  for (uint32_t i = 0; i < FAULTS; ++i) {
    // Its values are written when it begins, and are large.
    memset(&states[i], 0, offsetof(struct state, design_has));
    states[i].due = NEVER;
  }
  const int32_t simulator = design->simulator();
  if (simulator == -ENOENT) return 0;
  if (simulator < 0) return simulator;
  return design->watch(&watcher);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: {
      const int32_t result = take_settings(data);
      return result < 0 ? result : 1;
    }
    case CAIRN_EVENT_MAPPING_SAVE: return is_report(data);
    case CAIRN_EVENT_MAPPING_RESTORE: return restore_report(data);
    case CAIRN_EVENT_RESTART: return watch();
    default: return 0;
  }
}

static void rows(const char *table, cairn_emit_row emit_row, void *context) {
  if (strcmp(table, "plugin") == 0) show_counts(emit_row, context);
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "fault-signals",
    .version = "1.0",
    .author = "Cairn",
    .init = init,
    .event = event,
    .rows = rows,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
