/*
 * What became of the fault, for a campaign: in a file that the campaign gives by the setting "report", and reads also where the run has crashed or
 * was killed. All in it but the words is of fixed places; docs/faults.md of Cairn describes them.
 */
#pragma once
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

class Report {
 public:
  enum Status : uint32_t { not_reached = 0, effective = 1, overwritten = 2, impossible = 3, unchanged = 4 };

  /* At init and at other settings. An empty path: nobody asks. */
  int32_t open(const cairn_host *host, const char *path) {
    host_ = host;
    if (page_ != nullptr) host->syscall(SYS_munmap, reinterpret_cast<long>(page_), bytes, 0, 0, 0, 0);
    page_ = nullptr;
    if (path[0] == 0) return 0;
    const long fd = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDWR | O_CLOEXEC, 0, 0, 0);
    if (fd < 0) return host->fail(static_cast<int32_t>(fd), path, "the report cannot be written");
    const long place = host->syscall(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
    if (place < 0 && place > -4096) return host->fail(static_cast<int32_t>(place), path, "the report cannot be mapped");
    page_ = reinterpret_cast<Page *>(place);
    return 0;
  }

  /* [any] The fault might begin. */
  void reached() {
    if (page_ != nullptr) __atomic_add_fetch(&page_->counts[0].reached, 1, __ATOMIC_RELAXED);
  }

  /* [any] It was made, or cannot be made: why, in words. */
  void result(Status status, const char *words) {
    if (page_ == nullptr) return;
    strncpy(page_->words[0], words, sizeof page_->words[0] - 1);
    if (status != impossible) __atomic_add_fetch(&page_->counts[0].injected, 1, __ATOMIC_RELAXED);
    if (status == effective) __atomic_add_fetch(&page_->counts[0].effective, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&page_->results[0].status, status, __ATOMIC_RELEASE);
  }

  /* A snapshot has nothing of it: what goes on from there counts for nobody. */
  int32_t event(uint32_t number, void *data) {
    const auto *mapping = static_cast<const cairn_mapping *>(data);
    if (number == CAIRN_EVENT_MAPPING_SAVE) return page_ != nullptr && mapping->start == reinterpret_cast<uintptr_t>(page_);
    const long flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
    const long place = host_->syscall(SYS_mmap, static_cast<long>(mapping->start), static_cast<long>(mapping->length), PROT_READ | PROT_WRITE, flags, -1, 0);
    return place < 0 && place > -4096 ? static_cast<int32_t>(place) : 0;
  }

 private:
  static constexpr long bytes = 4096;
  struct Page {
    struct {
      uint64_t reached, injected, effective;
    } counts[32];
    uint64_t reserved[8];
    struct {
      uint32_t status, reserved;
      uint64_t time;
    } results[32];
    char words[32][56];
  };

  const cairn_host *host_ = nullptr;
  Page *page_ = nullptr;
};
