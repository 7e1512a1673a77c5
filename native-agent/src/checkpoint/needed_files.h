// Files that were open or mapped, and what a restart does with them; plugins tell of them. For the preflight, and for people.
// Context: begin() and add() quiesced; the rest in the writer.
#pragma once
#include <stdint.h>

namespace cairn::checkpoint {

struct NeededFile {
  const char* path;  // both the plugin's, unchanged until the snapshot is written
  const char* real;
  uint64_t size;
  uint64_t mtime_ns;
  uint32_t how;  // enum cairn_file_handling
};

class NeededFiles {
 public:
  void begin() { count_ = 0; }
  /// As cairn_host.list_file. What does not fit is not checked before a restart, but at it.
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
