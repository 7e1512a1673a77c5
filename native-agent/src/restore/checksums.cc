#include "restore/checksums.h"

#include <fcntl.h>

#include "image/checksum.h"
#include "restore/report.h"
#include "sys/file.h"

namespace cairn::restore {

using sys::call;
using sys::call_unchecked;
using sys::failed;

[[noreturn]] void print_checksums(int count, char** words) {
  static char buffer[256 * 1024];
  for (int i = 2; i < count; ++i) {
    sys::UniqueFd fd = sys::open(words[i], O_RDONLY);
    image::Checksum sum;
    uint64_t size = 0;
    long result = fd.status();
    while (result == 0) {
      long read = call(SYS_read, fd.get(), buffer, sizeof buffer);
      if (read == -EINTR) continue;
      if (read == 0) break;
      if (failed(read)) result = read;
      else {
        sum.add(buffer, static_cast<size_t>(read));
        size += static_cast<uint64_t>(read);
      }
    }
    if (result != 0) {
      sys::TextBuffer<4300> text;
      text.add("cannot read ").add(words[i]);
      give_up(text.text(), result);
    }
    sys::TextBuffer<4300> line;
    for (int shift = 60; shift >= 0; shift -= 4) line.add("0123456789abcdef"[(sum.value() >> shift) & 15]);
    line.add(' ').unsigned_number(size).add(' ').add(words[i]).add('\n');
    (void)sys::write_all(1, line.c_str(), line.size());
  }
  call_unchecked(SYS_exit_group, 0);
  __builtin_unreachable();
}

}  // namespace cairn::restore
