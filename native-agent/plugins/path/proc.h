// Paths in /proc: virtual ids of this computation in them, and the links that would show what the kernel has (the restorer
// as the program, real folders). Any context. Ids are the plugin pid's: extension "cairn.ids/1".
#pragma once
#include "path_text.h"

namespace cairn::path {

/// The ids in "/proc/ID/…", "/proc/ID/task/ID/…", "/proc/self/task/ID/…". False: too long.
bool proc_ids_to_real(const PathText &path, PathText &real);
int proc_to_virtual(const PathText &real, PathText &path, bool &crossed);

/// [restoring] Tells the other processes of the computation where this one has its program's path.
void publish_program();
/// Whether this is the link to our own program: "/proc/self/exe", "/proc/PID/exe", "/proc/thread-self/exe".
bool is_own_executable(const char *path);
/// Where folder + "/" + rest begins with a link to our own working directory: what follows it in rest; else null.
const char *beyond_own_cwd(const PathText &folder, const char *rest);
/// Whether the content of this link is a real path or id which the application should see as a virtual one.
bool is_translated_link(const char *path);
/// The content of a translated link: 0 (path set), or -errno.
int link_to_virtual(const char *link, const PathText &real, PathText &path);

/// The descriptor of a copy of this file of /proc, where its text has ids to be translated; else negative.
int32_t translated_copy(const char *real);

int32_t id_to_real(int32_t id);
int32_t id_to_virtual(int32_t id);
/// Another number: a restart has come in between.
uint32_t id_moment();

}  // namespace cairn::path
