// Files that do not go with a snapshot, but have to be there at a restart; plugins tell of them. Only for the preflight.
// Context: begin() and add() quiesced; the rest in the writer.
#pragma once
#include <stdint.h>

namespace cairn::checkpoint {

struct NeededFile {
  const char* path;  // both the plugin's, unchanged until the snapshot is written
  const char* real;
  uint64_t size;
  uint64_t mtime_ns;
};

class NeededFiles {
 public:
  void begin() { count_ = 0; }
  /// As cairn_host.need_file. What does not fit is not checked before a restart, but at it.
  void add(const NeededFile& file) {
    if (count_ < max_files) files_[count_++] = file;
  }
  [[nodiscard]] uint32_t count() const { return count_; }
  [[nodiscard]] const NeededFile& operator[](uint32_t index) const { return files_[index]; }

 private:
  static constexpr uint32_t max_files = 4096;
  uint32_t count_ = 0;
  NeededFile files_[max_files];
};

}  // namespace cairn::checkpoint
