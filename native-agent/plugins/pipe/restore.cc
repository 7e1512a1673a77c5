// Brings pipes back: one process makes each, fills it and hands its ends out; who keeps an open file description of it takes the
// end that pipe(2) made, or opens it anew where the application had opened it by a name. Context: restoring.
#include "common/folders.h"
#include "pipe/pipes.h"

namespace cairn::pipe {
namespace {

// Who has the handles of the ends: for reading, for writing.
constexpr uint32_t handles[2] = {plugin::name_space("pipe.reader"), plugin::name_space("pipe.writer")};

constexpr const char* too_many = "there are more pipes than the limit of open files allows to be brought back at once (ulimit -n)";

int32_t fail(long error, const Pipe& pipe, const char* what) {
  Text<4400> text;
  text.add(what).add(" (descriptor ").add(pipe.fd).add(")");
  return host->fail(static_cast<int32_t>(error), pipe.named ? pipe.path : "pipe", text.text());
}

/// Another open file description of the same pipe.
long open_again(int32_t end, uint32_t flags) {
  Text<64> link;
  link.add("/proc/thread-self/fd/").add(int64_t{end});
  return sys(SYS_openat, AT_FDCWD, pointer(link.text()), flags | O_CLOEXEC);
}

int32_t make_unnamed(Pipe* pipe) {
  int32_t ends[2];
  long error = sys(SYS_pipe2, pointer(ends), O_CLOEXEC | O_NONBLOCK);
  if (error < 0) return fail(error, *pipe, "a pipe cannot be made");
  pipe->handles[0] = plugin::hide_handle(host, ends[0]);
  pipe->handles[1] = plugin::hide_handle(host, ends[1]);
  return pipe->handles[0] < 0 || pipe->handles[1] < 0 ? fail(-EMFILE, *pipe, too_many) : 0;
}

int32_t make_named(Pipe* pipe) {
  char path[4096];
  if (int32_t error = place_of(*pipe, path, sizeof path)) return fail(error, *pipe, "a named pipe's place is too long a path");
  long made = sys(SYS_mknodat, AT_FDCWD, pointer(path), S_IFIFO | (pipe->mode & 07777) | 0600);
  if (made < 0 && made != -EEXIST) return fail(made, *pipe, "a named pipe cannot be made again");
  pipe->made = made == 0;
  // No handle for writing: a reader that is opened before the first writer knows that it was.
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return fail(fd, *pipe, "a named pipe cannot be opened again");
  struct stat64 status = {};
  sys(SYS_fstat, fd, pointer(&status));
  if (!S_ISFIFO(status.st_mode)) {
    sys(SYS_close, fd);
    return fail(-EEXIST, *pipe, "there is another file now where a named pipe was");
  }
  pipe->handles[0] = plugin::hide_handle(host, fd);
  if (pipe->handles[0] < 0) return fail(-EMFILE, *pipe, too_many);
  if (pipe->deleted) {
    sys(SYS_unlink, pointer(path));
    pipe->made = false;
  } else {
    paths()->map_file(pipe->path, path);
  }
  return 0;
}

int32_t fill(const Pipe& pipe, int32_t writer) {
  if (sys(SYS_fcntl, writer, F_GETPIPE_SZ) != static_cast<long>(pipe.capacity)) {
    long size = sys(SYS_fcntl, writer, F_SETPIPE_SZ, pipe.capacity);
    if (size < 0) {
      Text<256> text;
      text.add("the pipe of descriptor ").add(pipe.fd).add(" cannot be as large as it was (").add(int64_t{pipe.capacity}).add(" bytes; /proc/sys/fs/pipe-user-pages-soft)");
      host->log(CAIRN_LOG_WARNING, text.text());
    }
  }
  if (pipe.packets) sys(SYS_fcntl, writer, F_SETFL, O_NONBLOCK | O_DIRECT);
  const char* from = pipe.content;
  for (uint32_t i = 0; i < pipe.records; ++i) {
    for (uint32_t done = 0; done < pipe.lengths[i];) {
      long count = sys(SYS_write, writer, pointer(from + done), pipe.lengths[i] - done);
      if (count < 0) return fail(count, pipe, "the content of a pipe cannot be put back");
      done += static_cast<uint32_t>(count);
    }
    from += pipe.lengths[i];
  }
  return 0;
}

int32_t fill_named(const Pipe& pipe) {
  long writer = open_again(pipe.handles[0], O_WRONLY | O_NONBLOCK);
  if (writer < 0) return fail(writer, pipe, "a named pipe cannot be opened for writing");
  int32_t error = fill(pipe, static_cast<int32_t>(writer));
  sys(SYS_close, writer);
  return error;
}

}  // namespace

const char* common_folder() {
  const char* common = plugin::common_folder(host, table.folder);
  if (common == nullptr) return "//";  // begins no path
  return plugin::same(common, "/") ? "" : common;
}

/// Its own place, or in a run folder the same place there: two runs of one snapshot must not talk to each other.
int32_t place_of(const Pipe& pipe, char* path, uint32_t capacity) {
  const char* folder = nullptr;
  bool redirected = host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &folder) != nullptr;
  Text<4096> target;
  uint64_t root = 0;
  const char* known = "";
  if (redirected && pipe.deleted) {
    target.add(folder).add("/.cairn/unlinked-pipe-").add(int64_t{host->virtual_pid()}).add("-").add(static_cast<int64_t>(pipe.inode));
  } else if (redirected) {
    const char* relative = nullptr;
    bool below = plugin::begins(pipe.path, common_folder(), &relative) && relative[0] == '/';
    target.add(folder);
    if (below) known = common_folder();
    else target.add("/.cairn/outside");
    root = target.size();
    target.add(below ? relative : pipe.path);
  } else {
    if (int32_t length = paths()->to_real(pipe.path, path, capacity); length < 0) return length;
    target.add(path);
    if (pipe.deleted) target.add(".cairn-unlinked-").add(int64_t{host->virtual_pid()}).add("-").add(static_cast<int64_t>(pipe.inode));
  }
  if (target.size() + 1 >= capacity) return -ENAMETOOLONG;
  for (size_t i = 0; i <= target.size(); ++i) path[i] = target.text()[i];
  if (redirected) plugin::make_known_folders(host, path, root != 0 ? static_cast<uint32_t>(root) : static_cast<uint32_t>(target.size()), known);
  return 0;
}

int32_t make_pipes() {
  if (table.count > 0) plugin::allow_many_handles(host);
  for (uint32_t i = 0; i < table.count; ++i) {
    Pipe* pipe = &table.pipes[i];
    pipe->handles[0] = pipe->handles[1] = -1;
    pipe->made = false;
    if (!pipe->made_here) continue;
    if (int32_t error = pipe->named ? make_named(pipe) : make_unnamed(pipe)) return error;
    if (int32_t error = pipe->named ? fill_named(*pipe) : fill(*pipe, pipe->handles[1])) return error;
    int32_t error = plugin::publish_handle(host, handles[0], key_of(*pipe), pipe->handles[0]);
    if (error == 0 && !pipe->named) error = plugin::publish_handle(host, handles[1], key_of(*pipe), pipe->handles[1]);
    if (error < 0 && error != -ENOENT) return fail(error, *pipe, "a pipe cannot be handed out to the other processes");
  }
  return 0;
}

void remove_made() {
  char path[4096];
  for (uint32_t i = 0; i < table.count; ++i) {
    if (table.pipes[i].made && place_of(table.pipes[i], path, sizeof path) == 0) sys(SYS_unlink, pointer(path));
  }
}

int32_t open_end(cairn_descriptor* wanted) {
  const Pipe& pipe = *pipe_of(*wanted);
  uint32_t which = !pipe.named && (wanted->status_flags & O_ACCMODE) == O_WRONLY ? 1 : 0;
  int32_t end = pipe.handles[which] >= 0 ? static_cast<int32_t>(sys(SYS_fcntl, pipe.handles[which], F_DUPFD_CLOEXEC, 0))
                                         : plugin::take_handle(host, handles[which], key_of(pipe));
  if (end < 0) return fail(end, pipe, "a pipe cannot be taken over from the process that made it again");
  if (pipe.named || always_by_name || (wanted->status_flags & opened_by_name) != 0) {
    // A hang-up is reported to who was opened while there was a writer.
    long writer = (wanted->token & hang_up) != 0 ? open_again(end, O_WRONLY | O_NONBLOCK) : -1;
    long opened = open_again(end, (wanted->status_flags & (O_ACCMODE | (always_by_name ? opened_by_name : 0u))) | O_NONBLOCK);
    if (writer >= 0) sys(SYS_close, writer);
    sys(SYS_close, end);
    if (opened < 0) return fail(opened, pipe, "an end of a pipe cannot be opened again");
    end = static_cast<int32_t>(opened);
  }
  sys(SYS_fcntl, end, F_SETFL, wanted->status_flags & ~opened_by_name);
  wanted->fd = end;
  return 0;
}

int32_t close_handles(const cairn_descriptor& end) {
  Pipe* pipe = pipe_of(end);
  bool closes = pipe->handles[0] >= 0;
  if (closes && pipe->named) sys(SYS_fchmod, pipe->handles[0], pipe->mode & 07777);
  for (int32_t& handle : pipe->handles) {
    if (handle >= 0) host->close_fd(handle);
    handle = -1;
  }
  if (closes) {
    for (uint32_t space : handles) host->remove_name(space, key_of(*pipe));
  }
  return 0;
}

}  // namespace cairn::pipe
