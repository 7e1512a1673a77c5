// Owns: the resource limits. A hard limit can only be raised with a privilege: where the new host gives less than the process
// had, it gets what there is, and the log says which limit is lower.
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

/// The kernel's struct rlimit64.
struct Limit {
  uint64_t soft;
  uint64_t hard;
};

constexpr int limit_count = 16;
constexpr const char* names[limit_count] = {"RLIMIT_CPU",     "RLIMIT_FSIZE",   "RLIMIT_DATA",       "RLIMIT_STACK",
                                            "RLIMIT_CORE",    "RLIMIT_RSS",     "RLIMIT_NPROC",      "RLIMIT_NOFILE",
                                            "RLIMIT_MEMLOCK", "RLIMIT_AS",      "RLIMIT_LOCKS",      "RLIMIT_SIGPENDING",
                                            "RLIMIT_MSGQUEUE", "RLIMIT_NICE",   "RLIMIT_RTPRIO",     "RLIMIT_RTTIME"};
Limit limits[limit_count];

long limit(const cairn_host* host, int resource, const Limit* set, Limit* get) {
  return host->syscall(SYS_prlimit64, 0, resource, pointer(set), pointer(get), 0, 0);
}

using Message = plugin::Text<256>;
void add_value(Message& text, uint64_t value) {
  if (value == UINT64_MAX) text.add("unlimited");
  else text.add(static_cast<int64_t>(value));
}

void warn(const cairn_host* host, const char* what, int resource, uint64_t here, uint64_t before) {
  Message text;
  text.add(names[resource]).add(": the ").add(what).add(" limit is ");
  add_value(text, here);
  text.add(" here; the program had ");
  add_value(text, before);
  text.add(". Raise it before the restart (ulimit) if the program needs it.");
  host->log(CAIRN_LOG_WARNING, text.text());
}

}  // namespace

int32_t save_limits(const cairn_host* host) {
  for (int resource = 0; resource < limit_count; ++resource) {
    long error = limit(host, resource, nullptr, &limits[resource]);
    if (error < 0) return host->fail(static_cast<int32_t>(error), names[resource], "The resource limit could not be read (prlimit).");
  }
  return 0;
}

int32_t restore_limits(const cairn_host* host) {
  for (int resource = 0; resource < limit_count; ++resource) {
    const Limit& wanted = limits[resource];
    Limit here;
    if (limit(host, resource, nullptr, &here) < 0) continue;
    if (here.soft == wanted.soft && here.hard == wanted.hard) continue;
    if (limit(host, resource, &wanted, nullptr) == 0) continue;
    Limit possible = {wanted.soft < here.hard ? wanted.soft : here.hard, here.hard};
    limit(host, resource, &possible, nullptr);
    if (here.hard < wanted.hard) warn(host, "hard", resource, here.hard, wanted.hard);
    if (possible.soft < wanted.soft) warn(host, "soft", resource, possible.soft, wanted.soft);
  }
  return 0;
}

}  // namespace cairn::process
