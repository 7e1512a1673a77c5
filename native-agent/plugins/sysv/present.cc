// System V objects that were there when a program was attached: which of them are the computation's own? The kernel notes who made a
// segment; of semaphores and queues only who used them last, so that one counts as its own that was made during the program's life and
// that it has used last. What is taken for somebody else's is left where it is: a restart finds it by its id while it is there.
// [init] Test: test/probes (sysv, attached).
#include <stdlib.h>
#include <sys/sem.h>
#include <time.h>

#include "common/lines.h"
#include "common/text.h"
#include "sysv/names.h"

namespace cairn::sysv {
namespace {

/// The columns of a line of numbers.
int read_columns(const char* line, int64_t* columns, int most) {
  int count = 0;
  while (count < most) {
    while (*line == ' ') ++line;
    unsigned base = 10;
    if (!plugin::read_number(&line, base, &columns[count])) break;
    ++count;
  }
  return count;
}

/// Seconds of CLOCK_REALTIME: when this process began.
int64_t begun() {
  static char text[1024];
  if (plugin::read_file(host, "/proc/self/stat", text, sizeof text) < 0) return 0;
  const char* at = text;
  for (const char* one = text; *one != 0; ++one) {
    if (*one == ')') at = one + 1;  // the name may hold such
  }
  int64_t ticks = 0;
  for (int field = 3; field <= 22 && *at != 0; ++field) {
    while (*at == ' ') ++at;
    const char* number = at;
    if (field == 22 && !plugin::read_number(&number, 10, &ticks)) return 0;
    while (*at != 0 && *at != ' ') ++at;
  }
  struct timespec now = {}, up = {};
  sys(SYS_clock_gettime, CLOCK_REALTIME, pointer(&now));
  sys(SYS_clock_gettime, CLOCK_BOOTTIME, pointer(&up));
  constexpr int64_t ticks_a_second = 100;  // USER_HZ, on every system
  return now.tv_sec - up.tv_sec + ticks / ticks_a_second - 1;
}

void own(const Spaces& spaces, int64_t id) { host->set_name(spaces.owned, to_virtual(spaces, static_cast<int32_t>(id)), host->virtual_pid()); }

bool used_last(int64_t id, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (sys(SYS_semctl, id, i, GETPID, 0) == host->real_pid()) return true;
  }
  return false;
}

}  // namespace

void note_present() {
  if (plugin::option(host, "attached") == nullptr) return;
  constexpr int most = 14;
  int64_t c[most];
  plugin::Lines segment_lines(host, "/proc/sysvipc/shm");
  while (const char* line = segment_lines.error() == 0 ? segment_lines.next() : nullptr) {
    if (read_columns(line, c, most) == most && c[4] == host->real_pid()) own(segments, c[1]);
  }
  int64_t since = begun();
  plugin::Lines semaphore_lines(host, "/proc/sysvipc/sem");
  while (const char* line = semaphore_lines.error() == 0 ? semaphore_lines.next() : nullptr) {
    if (read_columns(line, c, 10) == 10 && c[9] >= since && used_last(c[1], c[3])) own(semaphores, c[1]);
  }
  plugin::Lines queue_lines(host, "/proc/sysvipc/msg");
  while (const char* line = queue_lines.error() == 0 ? queue_lines.next() : nullptr) {
    bool whole = read_columns(line, c, most) == most;
    if (whole && c[13] >= since && (c[5] == host->real_pid() || c[6] == host->real_pid())) own(queues, c[1]);
  }
}

}  // namespace cairn::sysv
