#include "descriptor/before.h"

#include <time.h>

namespace cairn::descriptor {
namespace {

struct Name {
  int32_t number;
  const char* text;
  uint64_t device;  // after the restart
  uint64_t inode;
};

constexpr uint64_t text_size = 512 * 1024;

/// One is filled by checkpoints while the other one tells of before.
struct Names {
  Name* list;
  uint32_t count;
  char* text;
};
Names sides[2];
uint32_t noted = 0;
bool restarted = false;
uint64_t restarted_ns = 0;

}  // namespace

void note_names() {
  Names& names = sides[noted];
  if (names.list == nullptr) {
    names.list = static_cast<Name*>(host->allocate(max_descriptors * sizeof(Name)));
    names.text = static_cast<char*>(host->allocate(text_size));
  }
  names.count = 0;
  if (names.list == nullptr || names.text == nullptr) return;
  uint64_t used = 0;
  char path[4096];
  for (uint32_t i = 0; i < table.descriptor_count; ++i) {
    bool deleted = false;
    int32_t number = table.descriptors[i].number;
    if (path_of(number, path, sizeof path, &deleted) < 0) continue;
    uint64_t size = plugin::length_of(path) + 1;
    if (used + size > text_size) return;  // the rest is shown without
    char* copy = names.text + used;
    for (uint64_t at = 0; at < size; ++at) copy[at] = path[at];
    used += size;
    names.list[names.count++] = {number, copy, 0, 0};
  }
}

void note_restart() {
  Names& names = sides[noted];
  for (uint32_t i = 0; i < names.count; ++i) {
    struct stat64 status = {};
    if (sys(SYS_fstat, names.list[i].number, pointer(&status)) < 0) continue;
    names.list[i].device = status.st_dev;
    names.list[i].inode = status.st_ino;
  }
  struct timespec now = {};
  sys(SYS_clock_gettime, CLOCK_REALTIME, pointer(&now));
  restarted_ns = static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
  restarted = true;
  noted = 1 - noted;
}

const char* name_before(int32_t number, const struct stat64& status) {
  const Names& names = sides[1 - noted];
  for (uint32_t i = 0; restarted && i < names.count; ++i) {
    const Name& name = names.list[i];
    if (name.number == number) return name.device == status.st_dev && name.inode == status.st_ino ? name.text : nullptr;
  }
  return nullptr;
}

uint64_t restarted_since() { return restarted_ns; }

}  // namespace cairn::descriptor
