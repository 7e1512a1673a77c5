// What the extension "cairn.paths/1" offers, and setting the rules up. Contexts as in cairn/plugin.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::path {

int32_t to_real(const char *path, char *buffer, uint32_t capacity);
int32_t to_virtual(const char *path, char *buffer, uint32_t capacity);
int32_t map_file(const char *virtual_path, const char *real_path);

/// Rules from the settings of a restart. 0 or -errno, after host->fail.
int32_t apply_settings();
/// One rule each, of a restart or taken over from the rules file.
int32_t add_prefix(const char *from, const char *to);
int32_t add_layer(const char *root, size_t root_length, const char *folder, size_t folder_length);
int32_t exclude(const char *path, size_t length);
const char *environment_variable(const char *name);
uint64_t now_ns();

}  // namespace cairn::path
