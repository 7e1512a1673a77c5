// See streams.h.
#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proc.h"
#include "removed.h"
#include "state.h"
#include "table.h"

namespace cairn::path {
namespace {

constexpr unsigned kStreams = 64;
DIR *const kClaimed = reinterpret_cast<DIR *>(1);

/// A position that was asked for.
struct Note {
  int32_t layer;
  bool own_part;
  bool finished;
  long position;  // libc's, in that layer's stream
};

struct Stream {
  DIR *key;           // what the application holds; null: free
  DIR *lower;         // of `layer`, while a lower one is being read
  int32_t key_layer;
  int32_t layer;      // of the stream being read
  bool own_part;      // `key` itself is being read
  bool ids;           // a folder of ids in /proc
  bool finished;
  char folder_text[PathText::size];
  PathText folder{folder_text};  // virtual
  struct dirent64 entry;
  Note *notes;  // libc's memory
  uint32_t note_count, note_room;
  int32_t *given;  // virtual ids, likewise
  uint32_t given_count, given_room;
  uint32_t moment;  // of id_moment, when it began
  bool again;
#if __SIZEOF_POINTER__ == 4
  struct dirent narrow;
#endif
};

Stream streams[kStreams];
uint32_t watched;

Stream *find_stream(DIR *key) {
  for (Stream &stream : streams)
    if (__atomic_load_n(&stream.key, __ATOMIC_ACQUIRE) == key) return &stream;
  return nullptr;
}

bool ends_with_task(const PathText &path) {
  size_t length = path.length;
  while (length > 1 && path.text[length - 1] == '/') --length;
  return length > 5 && memcmp(path.text + length - 5, "/task", 5) == 0;
}

bool is_folder_of_ids(const Target &folder) {
  return (folder.proc() && ends_with_task(folder.virtual_path())) || folder.virtual_path().equals("/proc");
}

/// Opens the next lower layer's folder; false: that was the last.
bool open_next(Stream &stream) {
  PathText real;
  if (stream.lower != nullptr) close_below(stream.lower);
  stream.lower = nullptr;
  bool more;
  if (stream.own_part) {
    stream.own_part = false;
    stream.layer = top_layer(stream.folder);
    more = stream.layer >= 0;
  } else {
    more = next_layer(stream.folder, stream.layer);
  }
  for (; more; more = next_layer(stream.folder, stream.layer)) {
    if (stream.layer == stream.key_layer) continue;
    if (layer_path(stream.layer, stream.folder, real) != 0) return false;
    int saved = errno;
    stream.lower = open_below(real.length != 0 ? real.text : "/");
    if (stream.lower != nullptr) return true;
    bool missing = errno == ENOENT;
    errno = saved;
    if (!missing) return false;
  }
  return false;
}

/// Positions that nothing else gives: those of libc are small, or of 63 bits.
constexpr long kFirstNote = 1l << (sizeof(long) * 8 - 4);

bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/// For a folder with a rule of its own: whether no higher one of the stream's layers has the name.
bool is_first(const Stream &stream, const PathText &child, int32_t layer) {
  PathText real;
  struct statx status;
  int32_t higher = top_layer(stream.folder);
  for (bool more = higher >= 0; more && higher != layer; more = next_layer(stream.folder, higher))
    if (layer_path(higher, child, real) == 0 && stat_path(real.text, false, status) == 0) return false;
  return true;
}

bool shown(Stream &stream, const char *name, int32_t layer) {
  if (is_dots(name)) return stream.own_part;
  if (strncmp(name, ".cairn-copy.", 12) == 0) return false;
  PathText child;
  Found found;
  if (!child.assign(stream.folder) || !child.append_component(name, strlen(name))) return true;
  if (is_rule_root(child)) return is_first(stream, child, layer);
  if (locate_overlay(child, found) != 0) return true;
  if (found.where == Where::kNone || found.where == Where::kPrefix) return layer == Found::kOriginal;  // the store
  return found.where != Where::kAbsent && found.layer == layer;
}

/// 0: the name is no id.
int32_t id_of(const char *name) {
  int32_t id = 0;
  const char *letter = name;
  for (; *letter >= '0' && *letter <= '9' && letter - name < 9; ++letter) id = id * 10 + (*letter - '0');
  return letter == name || *letter != 0 ? 0 : id;
}

bool was_given(const Stream &stream, int32_t id) {
  for (uint32_t i = 0; i < stream.given_count; ++i)
    if (stream.given[i] == id) return true;
  return false;
}

/// What cannot be noted may come twice.
void note_given(Stream &stream, int32_t id) {
  if (stream.given_count == stream.given_room) {
    uint32_t room = stream.given_room != 0 ? stream.given_room * 2 : 256;
    void *grown = realloc(stream.given, room * sizeof(int32_t));
    if (grown == nullptr) return;
    stream.given = static_cast<int32_t *>(grown);
    stream.given_room = room;
  }
  stream.given[stream.given_count++] = id;
}

struct dirent64 *with_id(Stream &stream, struct dirent64 *entry, int32_t id) {
  PathText text;
  if (!text.append_number(static_cast<uint64_t>(id))) return entry;
  stream.entry.d_ino = entry->d_ino;
  stream.entry.d_off = entry->d_off;
  stream.entry.d_type = entry->d_type;
  stream.entry.d_reclen = sizeof stream.entry;
  memcpy(stream.entry.d_name, text.text, text.length + 1u);
  return &stream.entry;
}

/// The next entry of a folder of ids; null: the last was given, or errno says why. After a restart libc's buffer and the kernel's place are of
/// before: again from the beginning. Names that are no ids come first, and stay where they are.
struct dirent64 *read_ids(Stream &stream, DIR *key, struct dirent64 *(*next)(DIR *)) {
  for (;;) {
    struct dirent64 *entry = next(key);
    int32_t real = entry != nullptr ? id_of(entry->d_name) : 0;
    int32_t id = real != 0 ? id_to_virtual(real) : 0;
    uint32_t now = id_moment();
    if (stream.moment != now && (real != 0 || entry == nullptr)) {
      stream.moment = now;
      stream.again = true;
      rewind_below(key);
      continue;
    }
    if (entry == nullptr) return nullptr;
    if (stream.again && (id == 0 || was_given(stream, id))) continue;
    if (id != 0) note_given(stream, id);
    return id == 0 || id == real ? entry : with_id(stream, entry, id);
  }
}

/// A place among the streams; null: there is none.
Stream *claim_stream() {
  for (Stream &stream : streams) {
    DIR *expected = nullptr;
    if (!__atomic_compare_exchange_n(&stream.key, &expected, kClaimed, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
    stream.lower = nullptr;
    stream.own_part = true;
    stream.finished = stream.again = false;
    stream.notes = nullptr;
    stream.note_count = stream.note_room = 0;
    stream.given = nullptr;
    stream.given_count = stream.given_room = 0;
    stream.moment = id_moment();
    return &stream;
  }
  return nullptr;
}

void begin_stream(Stream *stream, DIR *key) {
  __atomic_fetch_add(&watched, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&stream->key, key, __ATOMIC_RELEASE);
}

}  // namespace

bool no_streams() { return __builtin_expect(__atomic_load_n(&watched, __ATOMIC_RELAXED) == 0, 1); }

bool needs_stream(const Target &folder) {
  if (is_folder_of_ids(folder)) return true;
  if (folder.proc() || (folder.where() != Where::kTop && folder.where() != Where::kLower)) return false;
  if (folder.where() == Where::kTop || any(Kind::kWhiteout) || any_told_removed()) return true;
  PathText real;
  struct statx status;
  int32_t layer = folder.layer();
  while (next_layer(folder.virtual_path(), layer))
    if (layer_path(layer, folder.virtual_path(), real) == 0 && stat_path(real.length != 0 ? real.text : "/", true, status) == 0)
      return true;
  return false;
}

bool is_watched(DIR *key) { return !no_streams() && find_stream(key) != nullptr; }

bool names_ids(const char *path) {
  if (path == nullptr || strncmp(path, "/proc", 5) != 0) return false;
  size_t length = strlen(path);
  while (length > 5 && path[length - 1] == '/') --length;
  return length == 5 || (length > 10 && path[5] == '/' && strncmp(path + length - 5, "/task", 5) == 0);
}

void watch_ids(DIR *key) {
  Stream *stream = claim_stream();
  if (stream == nullptr) return;  // as after a restart that came between
  stream->key_layer = stream->layer = Found::kOriginal;
  stream->ids = true;
  stream->folder.clear();
  begin_stream(stream, key);
}

int watch_stream(DIR *key, const Target &folder, int32_t layer) {
  Stream *stream = claim_stream();
  const bool ids = is_folder_of_ids(folder);
  if (stream == nullptr) return ids && !state.restarted ? 0 : -EMFILE;
  stream->key_layer = stream->layer = layer;
  stream->ids = ids;
  (void)stream->folder.assign(folder.virtual_path());
  begin_stream(stream, key);
  return 0;
}

bool read_stream(DIR *key, struct dirent64 *(*next)(DIR *), struct dirent64 *&entry) {
  Stream *stream = find_stream(key);
  if (stream == nullptr) return false;
  entry = nullptr;
  while (!stream->finished) {
    int saved = errno;
    errno = 0;
    entry = stream->ids ? read_ids(*stream, key, next) : next(stream->own_part ? key : stream->lower);
    if (entry == nullptr && errno != 0) return true;  // an error; errno says which
    errno = saved;
    if (entry == nullptr) {
      stream->finished = stream->ids || !open_next(*stream);
    } else if (stream->ids || shown(*stream, entry->d_name, stream->layer)) {
      return true;
    }
  }
  entry = nullptr;
  return true;
}

#if __SIZEOF_POINTER__ == 4
void narrow_entry(const struct dirent64 &entry, struct dirent *narrow) {
  narrow->d_ino = static_cast<ino_t>(entry.d_ino ^ (entry.d_ino >> 32));
  narrow->d_off = static_cast<off_t>(entry.d_off);
  narrow->d_type = entry.d_type;
  size_t length = strlen(entry.d_name);
  narrow->d_reclen = static_cast<uint16_t>(offsetof(struct dirent, d_name) + length + 1);
  memcpy(narrow->d_name, entry.d_name, length + 1);
}

struct dirent *narrow_entry_of(DIR *key, const struct dirent64 &entry) {
  Stream *stream = find_stream(key);
  if (stream == nullptr) return nullptr;
  narrow_entry(entry, &stream->narrow);
  return &stream->narrow;
}
#endif

void rewind_stream(DIR *key) {
  Stream *stream = find_stream(key);
  if (stream == nullptr) return;
  if (stream->lower != nullptr) close_below(stream->lower);
  stream->lower = nullptr;
  stream->layer = stream->key_layer;
  stream->own_part = true;
  stream->finished = stream->again = false;
  stream->given_count = 0;
  stream->moment = id_moment();
}

bool tell_stream(DIR *key, long (*tell)(DIR *), long &position) {
  Stream *stream = find_stream(key);
  if (stream == nullptr) return false;
  Note note = {stream->layer, stream->own_part, stream->finished, 0};
  if (!note.finished) note.position = tell(note.own_part ? key : stream->lower);
  if (stream->note_count == stream->note_room) {
    uint32_t room = stream->note_room != 0 ? stream->note_room * 2 : 16;
    void *grown = realloc(stream->notes, room * sizeof(Note));
    position = -1;
    if (grown == nullptr) return true;
    stream->notes = static_cast<Note *>(grown);
    stream->note_room = room;
  }
  stream->notes[stream->note_count] = note;
  position = kFirstNote + stream->note_count++;
  return true;
}

bool seek_stream(DIR *key, void (*seek)(DIR *, long), long position) {
  Stream *stream = find_stream(key);
  if (stream == nullptr || position < kFirstNote || position - kFirstNote >= static_cast<long>(stream->note_count)) return false;
  const Note note = stream->notes[position - kFirstNote];
  rewind_stream(key);
  while (stream->own_part != note.own_part || stream->layer != note.layer) {
    if (open_next(*stream)) continue;
    stream->finished = true;  // that layer's folder is there no more
    return true;
  }
  stream->finished = note.finished;
  if (!note.finished) seek(note.own_part ? key : stream->lower, note.position);
  return true;
}

void forget_stream(DIR *key) {
  Stream *stream = find_stream(key);
  if (stream == nullptr) return;
  free(stream->notes);
  free(stream->given);
  stream->notes = nullptr;
  stream->given = nullptr;
  if (stream->lower != nullptr) close_below(stream->lower);
  stream->lower = nullptr;
  __atomic_fetch_sub(&watched, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&stream->key, nullptr, __ATOMIC_RELEASE);
}

}  // namespace cairn::path
