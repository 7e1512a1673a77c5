#include "attributes.h"

#include <errno.h>

#include "common/pool.h"
#include "descriptors.h"

namespace cairn::file {

/// Name, a zero, and the value.
struct Attribute {
  const Attribute* next;
  uint32_t value_size;
  uint32_t name_size;  // with its zero
  char text[];
};

namespace {

plugin::Pool pool;

constexpr uint32_t most = 65536;  // of a list of names, and of a value: the kernel's own limits

/// Calls visit(name) for those of the user's.
template <typename Visit>
void for_each_name(int32_t fd, Visit visit) {
  static char names[most];
  long size = sys(SYS_flistxattr, fd, pointer(names), sizeof names);
  for (long at = 0; at < size; at += static_cast<long>(plugin::length_of(names + at)) + 1) {
    const char* rest;
    if (plugin::begins(names + at, "user.", &rest)) visit(static_cast<const char*>(names + at));
  }
}

}  // namespace

void forget_attributes() { pool.reset(); }

int32_t save_attributes(OpenFile* file, int32_t fd) {
  static char value[most];
  int32_t error = 0;
  file->attributes = nullptr;
  for_each_name(fd, [&](const char* name) {
    long size = sys(SYS_fgetxattr, fd, pointer(name), pointer(value), sizeof value);
    if (size < 0 || error != 0) return;
    auto name_size = static_cast<uint32_t>(plugin::length_of(name)) + 1, value_size = static_cast<uint32_t>(size);
    auto* one = static_cast<Attribute*>(pool.take(host, sizeof(Attribute) + name_size + value_size));
    if (one == nullptr) {
      error = host->fail(-ENOMEM, file->path, "no memory for the extended attributes of an open file");
      return;
    }
    one->next = file->attributes;
    one->value_size = value_size;
    one->name_size = name_size;
    for (uint32_t i = 0; i < name_size; ++i) one->text[i] = name[i];
    for (uint32_t i = 0; i < value_size; ++i) one->text[name_size + i] = value[i];
    file->attributes = one;
  });
  return error;
}

void set_attributes(const OpenFile& file, int32_t fd) {
  for_each_name(fd, [&](const char* name) {
    for (const Attribute* one = file.attributes; one != nullptr; one = one->next) {
      if (plugin::same(one->text, name)) return;
    }
    sys(SYS_fremovexattr, fd, pointer(name));
  });
  for (const Attribute* one = file.attributes; one != nullptr; one = one->next) {
    if (sys(SYS_fsetxattr, fd, pointer(one->text), pointer(one->text + one->name_size), one->value_size, 0) == 0) continue;
    host->log(CAIRN_LOG_WARNING, "an extended attribute of an open file cannot be set again, since the file system in which it is now takes none, or has no room for it");
    return;
  }
}

}  // namespace cairn::file
