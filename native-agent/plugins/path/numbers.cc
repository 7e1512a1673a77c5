// See numbers.h. By shared names, so that all processes see one file by the same numbers. A number that the kernel gives to another
// file, when the first one is gone, is shown as the first one's: nothing tells that. Test: test/probes/files/numbers.c.
#include "numbers.h"

#include <sys/sysmacros.h>

#include "common/handles.h"
#include "state.h"

namespace cairn::path {
namespace {

// (real device, real inode) -> virtual inode, virtual device. Key 0 of the former: there are some.
constexpr uint32_t space_base = plugin::name_space("path.numbers");
enum Space : uint32_t { inodes = space_base, devices };

int64_t key_of(uint64_t device, uint64_t inode) {
  uint64_t hash = (inode * 0x9e3779b97f4a7c15u) ^ (device * 0xc2b2ae3d27d4eb4fu);
  return static_cast<int64_t>((hash ^ (hash >> 29)) >> 1) | 1;
}

}  // namespace

int32_t same_file(uint64_t virtual_device, uint64_t virtual_inode, uint64_t real_device, uint64_t real_inode) {
  if (virtual_inode == 0 || (virtual_device == real_device && virtual_inode == real_inode)) return 0;
  int64_t key = key_of(real_device, real_inode);
  int32_t error = state.host->set_name(devices, key, static_cast<int64_t>(virtual_device));
  if (error == 0) error = state.host->set_name(inodes, key, static_cast<int64_t>(virtual_inode));
  if (error == 0) error = state.host->set_name(inodes, 0, 1);
  return error;
}

void shown_numbers(uint64_t *device, uint64_t *inode) {
  int64_t virtual_device = 0, virtual_inode = 0;
  if (state.host == nullptr || state.host->get_name(inodes, 0, &virtual_inode) < 0) return;
  int64_t key = key_of(*device, *inode);
  if (state.host->get_name(inodes, key, &virtual_inode) < 0 || state.host->get_name(devices, key, &virtual_device) < 0) return;
  *device = static_cast<uint64_t>(virtual_device);
  *inode = static_cast<uint64_t>(virtual_inode);
}

void show_numbers(struct statx *status) {
  if ((status->stx_mask & STATX_INO) == 0) return;
  uint64_t device = makedev(status->stx_dev_major, status->stx_dev_minor), inode = status->stx_ino;
  shown_numbers(&device, &inode);
  status->stx_dev_major = major(device);
  status->stx_dev_minor = minor(device);
  status->stx_ino = inode;
}

}  // namespace cairn::path
