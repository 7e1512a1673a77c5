// Reading a folder that lies in several layers as one: after the stream that libc opened, the lower layers' folders are read, and
// each name is given only from the layer in which it is found. Nothing is listed beforehand, so no listing goes stale. Also the
// numbers in /proc and /proc/self/task, which are real ids, as virtual ones: a restart gives other numbers in another order, so a listing
// that is under way begins again then, and leaves out what it has given. So such streams are watched before the first restart, too.
//
// The table of such streams is static; a folder that needs a place when there is none fails with EMFILE (64 at a time).
// A position that telldir gives is the number of a note: which layer's folder, and the kernel's position there.
#pragma once
#include <dirent.h>

#include "target.h"

namespace cairn::path {

/// Whether a listing of this folder needs a Stream.
bool needs_stream(const Target &folder);
/// Takes note of a stream that libc has opened. 0 or -EMFILE.
int watch_stream(DIR *stream, const Target &folder, int32_t layer);
/// Before any rule applies: whether a path that an application opens is such a folder of ids, and taking note of its stream.
bool names_ids(const char *path);
void watch_ids(DIR *stream);
/// Whether any stream is watched: the flag that the wrappers of readdir and its kin test.
bool no_streams();
bool is_watched(DIR *stream);
/// The next entry of a watched stream in `entry`; false: `stream` is not watched.
bool read_stream(DIR *stream, struct dirent64 *(*next)(DIR *), struct dirent64 *&entry);
#if __SIZEOF_POINTER__ == 4
/// An entry as readdir gives it in a 32-bit program without large files; the second: in memory of the (watched) stream.
void narrow_entry(const struct dirent64 &entry, struct dirent *narrow);
struct dirent *narrow_entry_of(DIR *stream, const struct dirent64 &entry);
#endif
/// Back to the stream that libc opened.
void rewind_stream(DIR *stream);
/// telldir and seekdir of a watched stream. False: `stream` is not watched, or the position is one that libc gave before it was.
bool tell_stream(DIR *stream, long (*tell)(DIR *), long &position);
bool seek_stream(DIR *stream, void (*seek)(DIR *, long), long position);
/// The stream is about to be closed.
void forget_stream(DIR *stream);

/// libc's, for the streams of lower layers.
DIR *open_below(const char *real);
void close_below(DIR *stream);
void rewind_below(DIR *stream);

}  // namespace cairn::path
