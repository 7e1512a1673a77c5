// Owns: the ids in the text of files of /proc, as virtual ones: status, stat and children of a process or thread.
// [any] No allocation, no system call but those of the tables (ids.h). Test: tests/pid_plugin_test.cc.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::pid {

enum class ProcText { none, status, stat, children, descriptor };

/// Which of them a path of the kernel's names: "/proc/ID/…", "/proc/self/task/ID/…" and their kin.
ProcText proc_text_of(const char* path);

/// Writes the translated text; its length, or -ENOSPC. Only what is not known to be an id is copied as it is.
long translate_proc_text(ProcText kind, const char* text, size_t size, char* out, size_t capacity);

/// A descriptor, to be read from its beginning, of a translated copy of the file; -ENOENT: the file at `path` holds no ids; -errno.
int32_t copy_of_proc_file(const char* path);

}  // namespace cairn::pid
