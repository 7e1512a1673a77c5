// Contents of files that go with a snapshot: p<virtual pid>.files/<number>. The lengths are those of the moment at which the
// threads stood; what a file gains later is not copied.
// Context: keep() quiesced; copy_deferred() and finish() in the writer. No file of the application is opened and closed in its own
// table of descriptors: the close would take all of its record locks on that file (fcntl(2), "F_SETLK").
#pragma once
#include "sys/error.h"
#include "sys/file.h"
#include "sys/own_fds.h"

namespace cairn::checkpoint {

inline constexpr uint32_t max_kept_files = 4096;

class KeptFiles {
 public:
  /// Begins a checkpoint. folder: "<snapshot>/p<pid>.files", made when the first file is kept.
  void begin(sys::Text folder) {
    folder_.clear();
    folder_.add(folder);
    count_ = 0;
  }
  /// As cairn_host.keep_file.
  int32_t keep(int32_t fd, uint64_t length, bool now, sys::Error* error);
  bool copy_deferred(sys::Error* error);

  [[nodiscard]] uint32_t count() const { return count_; }
  [[nodiscard]] uint64_t length(uint32_t number) const { return files_[number].length; }
  /// Sums and flushes a file that was copied.
  bool finish(uint32_t number, uint64_t* checksum, sys::Error* error);

 private:
  struct File {
    int32_t descriptor;  // the application's, for copy_deferred; -1: already copied
    uint64_t length;
  };
  void name_of(uint32_t number, sys::TextBuilder* path) const;
  static void copy_entry(void* job);
  static sys::Status copy_range(int source, int target, uint64_t* from, uint64_t end);
  bool copy(int32_t descriptor, uint32_t number, uint64_t length, sys::Error* error);
  bool copy_aside(int32_t descriptor, uint32_t number, uint64_t length, sys::Error* error);

  sys::TextBuffer<4096> folder_;
  uint32_t count_ = 0;
  File files_[max_kept_files];
};

}  // namespace cairn::checkpoint
