/*
 * `cairn-inspect LIB`: loads a plugin's library as `cairn run` would and says on descriptor 3 what its entry gives, for `cairn plugin
 * check`, which does not let foreign code into its own process. The plugin's init is not called. On standard input: names of functions, one
 * a line, each behind "u" (it needs it: does anybody define it?) or "e" (it exports it: does the C library, too?).
 *
 * Lines: a word, a blank, and a text in which bytes outside of printable ASCII, and '%', are %XX. The last one is "end". Whoever reads them
 * trusts nothing: the library may write there what it likes. Test: test/unit/plugin-check.test.ts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cairn/plugin.h"

enum { report = 3, most_barriers = 256, most_text = 512 };
static FILE *output;

static void say(const char *word, const char *text) {
  fprintf(output, "%s ", word);
  for (int count = 0; text != NULL && *text != 0 && count < most_text; ++text, ++count) {
    unsigned char byte = (unsigned char)*text;
    if (byte < ' ' || byte > '~' || byte == '%') fprintf(output, "%%%02x", byte);
    else fputc(byte, output);
  }
  fputc('\n', output);
  fflush(output);
}

static void say_number(const char *word, unsigned long number) {
  fprintf(output, "%s %lu\n", word, number);
  fflush(output);
}

static void say_all(const char *word, const char *const *names) {
  for (int i = 0; names != NULL && names[i] != NULL && i < most_barriers; ++i) say(word, names[i]);
}

/* "function", or "function of library". */
static void say_wraps(const struct cairn_wrap *const *wraps) {
  static char text[most_text];
  for (int i = 0; wraps[i] != NULL && i < most_barriers; ++i) {
    const char *library = wraps[i]->library;
    snprintf(text, sizeof text, "%s%s%s", wraps[i]->function, library != NULL ? " of " : "", library != NULL ? library : "");
    say("wrap", text);
  }
}

/* What the plugin's struct is too short for is absent. */
#define HAS(plugin, member) \
  (offsetof(struct cairn_plugin, member) + sizeof (plugin)->member <= (plugin)->size && (plugin)->member != NULL)

static void describe(const struct cairn_plugin *plugin) {
  say_number("size", plugin->size);
  say_number("major", plugin->abi_major);
  say_number("minor", plugin->abi_minor);
  if (plugin->abi_major != CAIRN_PLUGIN_ABI_MAJOR || plugin->size < offsetof(struct cairn_plugin, init)) return;
  say("name", plugin->name);
  say("version", plugin->version);
  say("author", plugin->author);
  if (HAS(plugin, init)) say("callback", "init");
  if (HAS(plugin, event)) say("callback", "event");
  if (HAS(plugin, rows)) say("callback", "rows");
  if (HAS(plugin, barrier)) say("callback", "barrier");
  if (HAS(plugin, checkpoint_barriers)) say_all("checkpoint_barrier", plugin->checkpoint_barriers);
  if (HAS(plugin, restart_barriers)) say_all("restart_barrier", plugin->restart_barriers);
  if (HAS(plugin, wraps)) say_wraps(plugin->wraps);
}

/* One of the library's own, or of what it needs. */
static int defines(void *library, const char *name) { return dlsym(library, name) != NULL || dlsym(RTLD_DEFAULT, name) != NULL; }

int main(int argc, char **argv) {
  static char line[4096];
  output = fdopen(report, "w");
  if (argc != 2 || output == NULL) {
    fputs("cairn-inspect is a part of cairn plugin check\n", stderr);
    return 2;
  }
  say("stage", "load");
  /* Lazily: what only the program defines is told by name. */
  void *library = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL) {
    say("error", dlerror());
    return 0;
  }
  say("stage", "names");
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 'u' && !defines(library, line + 1)) say("undefined", line + 1);
    if (line[0] == 'e' && dlsym(RTLD_DEFAULT, line + 1) != NULL) say("replaces", line + 1);
  }
  say("stage", "entry");
  cairn_plugin_entry_function entry = NULL;
  *(void **)&entry = dlsym(library, "cairn_plugin_entry");
  if (entry != NULL) {
    const struct cairn_plugin *plugin = entry(CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR);
    if (plugin == NULL) say("nothing", "");
    else describe(plugin);
  }
  say("end", "");
  /* Not its destructors. */
  _exit(0);
}
