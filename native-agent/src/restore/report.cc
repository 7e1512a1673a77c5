#include "restore/report.h"

#include "sys/file.h"

namespace cairn::restore {
namespace {
char report_path[4096];
}

void report_to(const char* path) { sys::TextBuilder(report_path, sizeof report_path).add(path); }

void give_up(sys::Text what, long error) {
  sys::TextBuffer<2048> text;
  text.add(what);
  if (error != 0) text.add(" (error ").number(-error).add(")");
  text.add('\n');
  if (report_path[0] != 0) {
    sys::UniqueFd file = sys::open(report_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file.ok()) (void)sys::write_all(file.get(), text.c_str(), text.size());
  }
  (void)sys::write_all(2, "cairn-restore: ", 15);
  (void)sys::write_all(2, text.c_str(), text.size());
  sys::call_unchecked(SYS_exit_group, 1);
  __builtin_unreachable();
}

}  // namespace cairn::restore
