#include "checkpoint/kept_files.h"

#include <errno.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/wait.h>

#include "events/own_processes.h"
#include "image/checksum.h"
#include "sys/context.h"

namespace cairn::checkpoint {

using sys::call;
using sys::failed;
using sys::Status;

void KeptFiles::name_of(uint32_t number, sys::TextBuilder* path) const {
  path->add(folder_.text()).add('/').unsigned_number(number);
}

int32_t KeptFiles::keep(int32_t fd, uint64_t length, bool now, sys::Error* error) {
  if (count_ == max_kept_files) {
    error->set(-EMFILE, "files").add("more than ").number(max_kept_files).add(" files to be saved");
    return -EMFILE;
  }
  if (count_ == 0) {
    long made = call(SYS_mkdir, folder_.c_str(), 0700);
    if (failed(made) && made != -EEXIST) {
      error->set(static_cast<Status>(made), folder_.text()).add("cannot make the folder for saved files");
      return static_cast<int32_t>(made);
    }
  }
  files_[count_] = {now ? -1 : fd, length};
  if (now && !copy_aside(fd, count_, length, error)) return error->number();
  return static_cast<int32_t>(count_++);
}

namespace {
struct Job {
  KeptFiles* files;
  int32_t descriptor;
  uint32_t number;
  uint64_t length;
  sys::Error* error;
  bool done;
};
}  // namespace

void KeptFiles::copy_entry(void* argument) {
  auto* job = static_cast<Job*>(argument);
  events::be_own_process();
  job->done = job->files->copy(job->descriptor, job->number, job->length, job->error);
}

/// In a process with this memory and a table of descriptors of its own.
bool KeptFiles::copy_aside(int32_t descriptor, uint32_t number, uint64_t length, sys::Error* error) {
  alignas(64) static char stack[64 * 1024];
  Job job = {this, descriptor, number, length, error, false};
  long child = sys::processor::clone_with_stack(CLONE_VM | CLONE_UNTRACED, stack + sizeof stack, copy_entry, &job, nullptr);
  if (failed(child)) {
    error->set(static_cast<Status>(child), "clone").add("cannot start a process that copies an open file");
    return false;
  }
  while (call(SYS_wait4, child, nullptr, __WALL, nullptr) == -EINTR) {
  }
  events::forget_own_process(child);
  if (!job.done) error->set(-ECHILD, "copy").add("the process that copied an open file was killed; the computation runs on");
  return job.done;
}

bool KeptFiles::copy(int32_t descriptor, uint32_t number, uint64_t length, sys::Error* error) {
  // Opened anew: with an offset of its own, and also for reading what the application only writes.
  sys::TextBuffer<64> link;
  link.add("/proc/thread-self/fd/").number(descriptor);
  sys::UniqueFd opened = sys::open(link.c_str(), O_RDONLY);
  if (!opened.ok()) {
    error->set(opened.status(), link.text()).add("cannot read the file behind descriptor ").number(descriptor).add(" to save it");
    return false;
  }
  int source = opened.get();
  sys::TextBuffer<4200> path;
  name_of(number, &path);
  sys::UniqueFd target = sys::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (!target.ok()) {
    error->set(target.status(), path.text()).add("cannot create the copy of a file");
    return false;
  }
  if (!failed(call(SYS_ioctl, target.get(), FICLONE, source))) {
    return !failed(call(SYS_ftruncate, target.get(), length));
  }
  // The copy gets the holes of the file: by its length at the end, and by what is not written to it before.
  Status status = 0;
  sys::Extent data = {0, 0};
  while (status == 0 && sys::next_data(source, data.end, length, &data)) {
    uint64_t from = data.start;
    status = copy_range(source, target.get(), &from, data.end);
    if (from < data.end) break;  // the file was shortened meanwhile: the rest is a hole, as a read would give nothing there
  }
  if (status == 0) status = static_cast<Status>(call(SYS_ftruncate, target.get(), length));
  if (status != 0) {
    error->set(status, path.text()).add(status == -ENOSPC || status == -EDQUOT
        ? "no room on the disk for the copy of an open file; free some, or choose another store"
        : status == -EFBIG ? "the copy of an open file is larger than the program's limit on file sizes allows (ulimit -f)"
                           : "cannot copy an open file");
  }
  return status == 0;
}

/// To the same place in the target. *from: how far it came; less than `end` without a failure at the end of the source.
Status KeptFiles::copy_range(int source, int target, uint64_t* from, uint64_t end) {
  static char buffer[256 * 1024];
  while (*from < end) {
    uint64_t to = *from;
    long count = call(SYS_copy_file_range, source, from, target, &to, end - *from, 0);
    if (count == -EXDEV || count == -EINVAL || count == -ENOSYS || count == -EOPNOTSUPP) {
      count = call(SYS_pread64, source, buffer, end - *from < sizeof buffer ? end - *from : sizeof buffer, *from);
      Status status = count > 0 ? sys::write_at(target, buffer, static_cast<size_t>(count), *from) : 0;
      if (status != 0) count = status;
      else if (count > 0) *from += static_cast<uint64_t>(count);
    }
    if (count == -EINTR) continue;
    if (failed(count)) return static_cast<Status>(count);
    if (count == 0) return 0;
  }
  return 0;
}

bool KeptFiles::copy_deferred(sys::Error* error) {
  for (uint32_t i = 0; i < count_; ++i) {
    if (files_[i].descriptor >= 0 && !copy(files_[i].descriptor, i, files_[i].length, error)) return false;
  }
  return true;
}

namespace {
void add_zeros(image::Checksum* sum, uint64_t count) {
  static const char zeros[16 * 1024] = {};
  for (uint64_t part; count > 0; count -= part) {
    part = count < sizeof zeros ? count : sizeof zeros;
    sum->add(zeros, part);
  }
}
}  // namespace

bool KeptFiles::finish(uint32_t number, uint64_t* checksum, sys::Error* error) {
  static char buffer[256 * 1024];
  sys::TextBuffer<4200> path;
  name_of(number, &path);
  sys::UniqueFd fd = sys::open(path.c_str(), O_RDONLY);
  Status status = fd.status();
  // The sum is that of what a reader sees. Zeros in holes are summed from one small buffer that stays in the cache: several times
  // faster than reading them (the sum alone takes about 0.1 s a gigabyte), and the disk and the page cache are left alone.
  image::Checksum sum;
  uint64_t length = files_[number].length, summed = 0;
  sys::Extent data = {0, 0};
  while (status == 0 && sys::next_data(fd.get(), data.end, length, &data)) {
    add_zeros(&sum, data.start - summed);
    summed = data.start;
    while (status == 0 && summed < data.end) {
      uint64_t count = data.end - summed < sizeof buffer ? data.end - summed : sizeof buffer;
      status = sys::read_at(fd.get(), buffer, count, summed);
      if (status == 0) sum.add(buffer, count);
      summed += count;
    }
  }
  if (status == 0) add_zeros(&sum, length - summed);
  if (status == 0) status = static_cast<Status>(call(SYS_fsync, fd.get()));
  if (status != 0) error->set(status, path.text()).add("cannot read back or flush the copy of a file");
  *checksum = sum.value();
  return status == 0;
}

}  // namespace cairn::checkpoint
