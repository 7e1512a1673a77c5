// Captures the stopped process and writes its image: usually from a forked copy, so that the application waits for a fork and
// not for a disk.
//
// Files in the folder: p<virtual pid>.pages, p<virtual pid>.meta, p<virtual pid>.files/. All are flushed when the result says
// so; until then nobody offers the snapshot.
// Context: begin() quiesced, the rest on Cairn's own thread while the application runs.
#pragma once
#include "checkpoint/kept_files.h"
#include "checkpoint/needed_files.h"
#include "checkpoint/process_state.h"

namespace cairn::checkpoint {

struct SavedFile {
  char name[32];
  uint64_t size;
  uint64_t checksum;
};

/// Filled by the writer, in memory that both processes see.
struct SaveResult {
  uint32_t done;
  uint32_t told;  // futex: this process has told the coordinator, or will
  uint32_t runs;  // futex: the threads of all processes go on
  int32_t error_number;
  uint64_t write_ns;
  uint32_t file_count;
  int32_t time_unit;
  char simulated_time[24];
  char error[1024];
  char culprit[512];
  SavedFile files[max_kept_files + 2];
};

struct SaveRequest {
  char folder[4096];
  char snapshot[64];
  bool goes_on;  // soon: the writer waits for that, since threads are held for longer where it takes the processor from who lets them go, in any process
};

class Save {
 public:
  /// facts, map, kept and needed must stay as they are until begin() returns; the writer has a copy of them. In the writer, `report` is
  /// called with the result if this process has ended, or executes another program, and so will not call finish().
  bool begin(const SaveRequest& request, const ProcessFacts& facts, const Stop& stop, MemoryMap* map, KeptFiles* kept,
             const NeededFiles& needed, int32_t (*virtual_tid)(int32_t), void (*report)(const SaveResult&), sys::Error* error);
  [[nodiscard]] bool active() const { return writer_ != 0; }
  [[nodiscard]] int32_t writer() const { return writer_; }
  /// The threads of all processes have gone on.
  void go_on();
  /// Becomes readable when the writer has done its work, or has ended; -1 once that is reported.
  [[nodiscard]] int watch_fd() const { return reported_ ? -1 : watch_; }
  /// The number `from` is `to` now; false: it is none of this.
  bool renumber(int from, int to) {
    if (watch_ != from) return false;
    watch_ = to;
    return true;
  }
  /// The coordinator was told. The writer is there until finish(): should this process be killed before, it tells it again.
  void note_reported() { reported_ = true; }
  [[nodiscard]] bool reported() const { return reported_; }
  /// What the writer has done, once watch_fd() is readable; null: it ended before.
  [[nodiscard]] const SaveResult* result() const;
  /// Waits for the writer's end; the writer, for this call or the end of this process, in whose place it then tells the coordinator. The result lives until release().
  const SaveResult* finish();
  /// Ends the writer without a result.
  void abandon();
  void release();

 private:
  int32_t writer_ = 0;
  int watch_ = -1;
  bool reported_ = false;
  SaveResult* result_ = nullptr;
};

}  // namespace cairn::checkpoint
