// What the computation's first process was started with as its descriptors. The other side of those is outside the computation:
// a restart gives others for 0, 1 and 2. All processes know them by the shared names CAIRN_NAMES_OUTSIDE, also after exec. Test: test/probes/processes/shell.c.
#include <sys/sysmacros.h>

#include "common/given.h"
#include "descriptor/table.h"

namespace cairn::descriptor {
namespace {

using plugin::most_given;

int64_t part(int32_t number, plugin::GivenPart which) { return plugin::given(host, number, which); }
void note_part(int32_t number, plugin::GivenPart which, uint64_t value) {
  host->set_name(CAIRN_NAMES_OUTSIDE, number * plugin::given_parts + which, static_cast<int64_t>(value));
}

void note(int32_t number) {
  struct stat64 status = {};
  if (number >= most_given || sys(SYS_fstat, number, pointer(&status)) < 0) return;
  note_part(number, plugin::given_device, status.st_dev);
  note_part(number, plugin::given_inode, status.st_ino);
  note_part(number, plugin::given_rdev, status.st_rdev);
  note_part(number, plugin::given_type, status.st_mode & S_IFMT);
}

int32_t note_one(int32_t number, void* attached) {
  // What a program that was attached has opened by itself cannot be told from what it was given, but for these.
  if (attached == nullptr || number < 3) note(number);
  return 0;
}

bool same_object(int32_t number, const struct stat64& status) {
  if (part(number, plugin::given_type) != static_cast<int64_t>(status.st_mode & S_IFMT)) return false;
  // A terminal is the same whatever path it was opened by.
  if (S_ISCHR(status.st_mode)) return part(number, plugin::given_rdev) == static_cast<int64_t>(status.st_rdev) && major(status.st_rdev) != 1;
  return part(number, plugin::given_device) == static_cast<int64_t>(status.st_dev) && part(number, plugin::given_inode) == static_cast<int64_t>(status.st_ino);
}

}  // namespace

void note_outside() {
  int64_t holder = 0;
  const char* attached = plugin::option(host, "attached");
  if (host->claim_name(CAIRN_NAMES_OUTSIDE, -1, host->virtual_pid(), &holder) != 0) return;
  (void)for_each_descriptor(0, note_one, const_cast<char*>(attached));
}

void note_outside_again() {
  if (!plugin::is_root(host)) return;
  // A program that is executed from now on finds it done.
  host->set_name(CAIRN_NAMES_OUTSIDE, -1, host->virtual_pid());
  for (uint32_t i = 0; i < table.descriptor_count; ++i) {
    const Descriptor& one = table.descriptors[i];
    Place place = table.files[one.file].place;
    if (((place == Place::standard || place == Place::input) && one.number < 3) || place == Place::inherited) note(one.number);
  }
}

int32_t outside_descriptor(int32_t number, const struct stat64& status) {
  if (number < most_given && same_object(number, status)) return number;
  // A file that the program has opened by itself is its own, even if it is the one that its output was led to.
  if (S_ISREG(status.st_mode)) return -1;
  for (int32_t other = 0; other < most_given; ++other) {
    if (same_object(other, status)) return other;
  }
  return -1;
}

}  // namespace cairn::descriptor
