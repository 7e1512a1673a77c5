// What the extension "cairn.paths/1" offers, and setting the rules up. Contexts as in cairn/plugin.h.
#pragma once
#include <stdint.h>

namespace cairn::path {

int32_t to_real(const char *path, char *buffer, uint32_t capacity);
int32_t to_virtual(const char *path, char *buffer, uint32_t capacity);
int32_t new_real(const char *path, char *buffer, uint32_t capacity);
int32_t map_file(const char *virtual_path, const char *real_path);

/// Rules from the settings of a restart. 0 or -errno, after host->fail.
int32_t apply_settings();
uint64_t now_ns();

}  // namespace cairn::path
