// Where objects of POSIX shared memory and named semaphores (files of /dev/shm) go at a restart: to their own name, if nobody has it,
// else beside it, so that what another run uses is never touched. The processes agree by shared names.
#pragma once
#include <stdint.h>

namespace cairn::file {

/// [restoring] The place of a file; false: it is not in /dev/shm. One without a name is the same for all processes by its inode.
bool shm_place(const char* virtual_path, bool unlinked, uint64_t inode, char* path, uint32_t capacity);
/// [any] What stands for a name of /dev/shm since the restart; false: itself.
bool shm_moved(const char* virtual_path, char* path, uint32_t capacity);
/// [quiesced] The name in /dev/shm, as the application knows it, of what has this inode: a semaphore is made under another name than it
/// gets. False: there is none.
bool shm_name_of(uint64_t device, uint64_t inode, char* virtual_path, char* real_path, uint32_t capacity);
/// [init] Looks up what the wrappers need.
void prepare_shm_calls();

}  // namespace cairn::file
