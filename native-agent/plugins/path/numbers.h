// Files that a restart has made again, and copies in the run folder, have other numbers of device and inode than the application
// knows. They are shown by the old ones.
#pragma once
#include <stdint.h>
#include <sys/stat.h>

namespace cairn::path {

/// [any] The real file is shown by the virtual numbers from now on, in all processes. 0 or -errno.
int32_t same_file(uint64_t virtual_device, uint64_t virtual_inode, uint64_t real_device, uint64_t real_inode);
/// [any] Real numbers become virtual ones.
void shown_numbers(uint64_t *device, uint64_t *inode);

template <typename Status>
void show_numbers(Status *status) {
  uint64_t device = status->st_dev, inode = status->st_ino;
  shown_numbers(&device, &inode);
  status->st_dev = static_cast<decltype(status->st_dev)>(device);
  status->st_ino = static_cast<decltype(status->st_ino)>(inode);
}
void show_numbers(struct statx *status);

}  // namespace cairn::path
