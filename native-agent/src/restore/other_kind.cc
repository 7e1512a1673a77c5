#include "restore/other_kind.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "restore/report.h"
#include "restore/room.h"
#include "sys/context.h"
#include "sys/file.h"

namespace cairn::restore {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Text;

bool is_for_this_processor(Text meta) {
  bool same = true;
  if (image::check_records(meta) != image::ReadResult::ok) return true;
  image::for_each_record(meta, [&](uint32_t type, Text body) {
    if (type != cairn_image_RecordType_RECORD_HEADER) return true;
    Text architecture;
    cairn_image_Header header = cairn_image_Header_init_zero;
    header.architecture = wire::decode_text(&architecture);
    same = !wire::decode(body, cairn_image_Header_fields, &header) || architecture == Text(sys::processor::architecture);
    return false;
  });
  return same;
}

void pass_terminals_on(bool pass) {
  (void)sys::for_each_entry("/proc/self/fd", [pass](Text name) {
    struct stat64 status = {};
    int32_t fd = number_of(name);
    bool master = !failed(call(SYS_fstat, fd, &status)) && S_ISCHR(status.st_mode) && status.st_rdev == makedev(5, 2);
    if (master && fd > 2) call_unchecked(SYS_fcntl, fd, F_SETFD, pass ? 0 : FD_CLOEXEC);
    return true;
  });
}

[[noreturn]] void become_other_restorer(const Options& options, const RunOrder& order, int count, char** words, int32_t process) {
  sys::TextBuffer<4300> path;
  char own[4096];
  if (failed(sys::read_link("/proc/self/exe", own, sizeof own))) give_up("cannot find the restorer for 32-bit programs");
  Text folder(own);
  while (folder.size > 0 && folder.data[folder.size - 1] != '/') --folder.size;
  path.add(folder).add("i386/cairn-restore");
  constexpr size_t of_one = 32;
  uint64_t vector_size = (static_cast<uint64_t>(count) + 2 * options.ended_count + 7) * sizeof(char*);
  auto** vector = static_cast<const char**>(map_or_give_up(0, vector_size + options.ended_count * of_one, "no memory"));
  char* texts = reinterpret_cast<char*>(vector) + vector_size;
  size_t size = 0;
  // Of a run of a resident restorer, its own; one that is still to be resident passes that on.
  const bool ordered = order.socket[0] != 0;
  for (int i = 0; i < count; ++i) {
    if (ordered && Text(words[i]) == Text("--resident")) ++i;
    else vector[size++] = words[i];
  }
  if (ordered) {
    vector[size++] = "--socket";
    vector[size++] = options.socket;
    vector[size++] = "--error-file";
    vector[size++] = order.error_file;
  }
  sys::TextBuffer<of_one> number;
  vector[size++] = "--process";
  vector[size++] = number.number(process).c_str();
  for (uint32_t i = 0; i < options.ended_count; ++i) {
    vector[size++] = "--ended";
    vector[size++] = sys::TextBuilder(texts + i * of_one, of_one).number(options.ended[i].virtual_pid).add('=').number(options.ended[i].real_pid).c_str();
  }
  const char* none[] = {nullptr};
  pass_terminals_on(true);
  long error = call(SYS_execve, path.c_str(), vector, none);
  sys::TextBuffer<4500> text;
  text.add("cannot start ").add(path.text()).add(", which rebuilds 32-bit programs: this installation was built without it (g++-multilib)");
  give_up(text.text(), error);
}

}  // namespace cairn::restore
