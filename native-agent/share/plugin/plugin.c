/*
 * @NAME@: a plugin for Cairn. As it is it owns nothing: it counts the checkpoints and restarts that it has seen, and says so in the
 * session's log. Put what your resource needs where the comments say what holds.
 *
 * Layers: plugins are told in order. On the way down to a snapshot the one that was given last comes first; on the way up it comes last, when
 * all that is below it works again. A plugin from outside is above all of Cairn's own.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* All of a plugin's variables are in every snapshot, with the program's memory: after a restart they are as they were. */
static const struct cairn_host *host;
static char greeting[64] = "hello";
static unsigned checkpoints, restarts;

/* Writes to memory only: also in [quiesced] and [restoring] contexts, where neither malloc nor stdio may be used. */
static void say(const char *what) {
  char text[192];
  snprintf(text, sizeof text, "@NAME@: %s: %s (checkpoints %u, restarts %u)", greeting, what, checkpoints, restarts);
  host->log(CAIRN_LOG_INFO, text);
}

/* Enough of JSON for a text without escapes; settings.schema.json says what there may be. */
static int32_t read_settings(const char *settings) {
  const char *key = strstr(settings, "\"greeting\"");
  const char *begin = key == NULL ? NULL : strchr(strchr(key + 1, '"') + 1, '"');
  const char *end = begin == NULL ? NULL : strchr(begin + 1, '"');
  if (key == NULL) return 0;
  if (end == NULL || (size_t)(end - begin) > sizeof greeting) return host->fail(-EINVAL, "settings", "\"greeting\" has to be a short text");
  memcpy(greeting, begin + 1, (size_t)(end - begin) - 1);
  greeting[end - begin - 1] = 0;
  return 0;
}

/* [init] Before the program's main(); at a restart that the plugin is given at, in the restarted process. */
static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return read_settings(settings);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      /* [running] The program still runs. Stop what it begins anew; wait for nothing. */
      return 0;
    case CAIRN_EVENT_PRECHECKPOINT:
      /* [quiesced] Every thread of every process is stopped: note what the resource needs. After this comes the snapshot. */
      ++checkpoints;
      say("precheckpoint");
      return 0;
    case CAIRN_EVENT_RESUME:
      /* [quiesced] The snapshot is taken; the threads are about to go on in this same process. */
      say("resume");
      return 0;
    case CAIRN_EVENT_RESTART:
      /* [restoring] A new process with the memory of the snapshot: bring the resource back. The threads do not run yet. */
      ++restarts;
      say("restart");
      return 0;
    case CAIRN_EVENT_RUNNING:
      /* [running] After resume or restart: the threads run again. */
      say("running");
      return 0;
    case CAIRN_EVENT_ABORT:
      /* The checkpoint is given up: undo what was done for it. */
      return 0;
    case CAIRN_EVENT_SETTINGS:
    case CAIRN_EVENT_SETTINGS_LIVE:
      /* [restoring]; LIVE: [running, quiesced] what the schema marks by "x-cairn-live" may change at any time. 1: they are taken. */
      return read_settings(data) < 0 ? -EINVAL : 1;
    default: return 0;
  }
}

/* What the user sees of it, by `cairn tables plugin` and in the editor, and in each snapshot: counters, and names of its own. */
static void rows(const char *table, cairn_emit_row emit, void *context) {
  if (strcmp(table, "plugin") != 0) return;
  char text[64];
  snprintf(text, sizeof text, "checkpoints %u, restarts %u", checkpoints, restarts);
  const struct cairn_row row = {sizeof row, 0, "seen", text, "", "", 0};
  emit(context, &row);
}

/* No process goes on to the next barrier before all have passed this one. A checkpoint's come before PRECHECKPOINT, a restart's after
 * RESTART. Return host->waits_for("the emulator") where something outside is not there yet. */
static const char *const checkpoint_barriers[] = {"drain", NULL};
static const char *const restart_barriers[] = {"refill", NULL};

static int32_t barrier(const char *name, uint32_t restart) {
  (void)restart;
  say(name);
  return 0;
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "@NAME@",
    .version = "0.1.0",
    .author = "",
    .init = init,
    .event = event,
    .rows = rows,
    .checkpoint_barriers = checkpoint_barriers,
    .restart_barriers = restart_barriers,
    .barrier = barrier,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_minor; /* an older host's struct is shorter: look at host->size before you use what is newer than 1.0 */
  return host_major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
