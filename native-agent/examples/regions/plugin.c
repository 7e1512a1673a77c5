/*
 * The vendor's plugin: an example of memory that a plugin owns. The service's file is not there where a snapshot is restarted, and what is in
 * it need not be saved: it can be computed. So the plugin claims each part of the mapping, which leaves it out of the snapshot, and makes it
 * anew at its place: the table with its words, the guard pages closed.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "scratchpad.h"

static const struct cairn_host *host;

static int is_ours(const struct cairn_mapping *mapping) {
  static const char deleted[] = " (deleted)", suffix[] = ".scratchpad";
  size_t size = strlen(mapping->path);
  if (size > strlen(deleted) && strcmp(mapping->path + size - strlen(deleted), deleted) == 0) size -= strlen(deleted);
  return size >= strlen(suffix) && memcmp(mapping->path + size - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static int32_t make_anew(const struct cairn_mapping *mapping) {
  long flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  long at = host->syscall(SYS_mmap, (long)mapping->start, (long)mapping->length, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (at < 0 && at > -4096) return host->fail((int32_t)at, "scratchpad", "there is no memory for the scratchpad");
  if (mapping->protection != PROT_NONE) {
    uint64_t *words = (uint64_t *)(uintptr_t)mapping->start;
    uint64_t first = (mapping->offset - SCRATCHPAD_PAGE) / 8;
    for (uint64_t i = 0; i < mapping->length / 8; ++i) words[i] = scratchpad_word(first + i);
  }
  /* mapping->fd stays -1: it is mapped. */
  return (int32_t)host->syscall(SYS_mprotect, (long)mapping->start, (long)mapping->length, mapping->protection, 0, 0, 0);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_MAPPING_SAVE: return is_ours(data);
    case CAIRN_EVENT_MAPPING_RESTORE: return make_anew(data);
    default: return 0;
  }
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  (void)settings;
  host = given;
  return 0;
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "scratchpad",
    .version = "1",
    .author = "Cairn",
    .init = init,
    .event = event,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
