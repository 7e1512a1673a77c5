#include "checkpoint/save.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "checkpoint/guard_regions.h"
#include "checkpoint/memory_flags.h"
#include "checkpoint/page_writer.h"
#include "checkpoint/simulated_time.h"
#include "events/own_processes.h"
#include "sys/futex.h"

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Status;
using sys::Text;

constexpr uint64_t look_ns = 2'000'000;
/// For who lets the threads of all processes go on: it may be killed, or have many processes to let go.
constexpr uint64_t patience_ns = 2'000'000'000;
/// A process that is killed meanwhile tells nobody anything.
constexpr uint64_t look_for_end_ns = 50'000'000;
constexpr size_t metadata_capacity = 256 << 20;  // reserved, touched as needed

void copy_text(char* target, size_t capacity, Text text) {
  sys::TextBuilder(target, capacity).add(text);
}

/// The forked copy of the process. Everything here may use memory freely: nobody else sees it.
class Writer {
 public:
  Writer(const SaveRequest& request, const ProcessFacts& facts, const Stop& stop, MemoryMap* map, KeptFiles* kept,
         const NeededFiles& needed, int32_t (*virtual_tid)(int32_t), SaveResult* result)
      : request_(request), facts_(facts), stop_(stop), map_(map), kept_(kept), needed_(needed), virtual_tid_(virtual_tid), result_(result) {}

  void run() {
    uint64_t start = sys::now_ns();
    bool ok = write();
    result_->write_ns = sys::now_ns() - start;
    copy_text(result_->error, sizeof result_->error, error_.message());
    copy_text(result_->culprit, sizeof result_->culprit, error_.culprit());
    result_->error_number = error_.number();
    if (ok) read_simulated_time(result_->simulated_time, sizeof result_->simulated_time, &result_->time_unit, stop_);
    __atomic_store_n(&result_->done, ok ? 1 : 2, __ATOMIC_RELEASE);
  }

 private:
  bool write() {
    int64_t memory = call(SYS_mmap, nullptr, metadata_capacity, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (failed(memory)) {
      error_.set(static_cast<Status>(memory), "mmap").add("no memory for the image's description");
      return false;
    }
    image::RecordWriter runs(reinterpret_cast<char*>(memory), metadata_capacity / 2);
    image::RecordWriter records(reinterpret_cast<char*>(memory) + metadata_capacity / 2, metadata_capacity / 2);
    return read_flags() && note_guard_regions(*map_, &error_) && write_pages(&runs) && write_metadata(&runs, &records) && flush_image() && write_kept();
  }

  /// What only /proc/self/smaps tells, and only slowly: memory that grows down, memory that the application keeps from its
  /// children, so that it is not in this copy, and what it asked the kernel for its memory.
  bool read_flags() {
    constexpr size_t capacity = 128 << 20;
    int64_t memory = call(SYS_mmap, nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char* text = reinterpret_cast<char*>(memory);
    long size = failed(memory) ? memory : sys::read_all("/proc/self/smaps", text, capacity);
    if (failed(size)) {
      error_.set(static_cast<Status>(size), "/proc/self/smaps").add("cannot read the list of mappings");
      return false;
    }
    uint32_t index = 0;  // both lists are in the order of addresses; the kernel's also has the writer's own buffers
    uint64_t wanted = 0;
    uint64_t lost = 0;
    for_each_smaps_entry(Text(text, static_cast<size_t>(size)), [&](const SmapsEntry& entry) {
      const sys::MapLine& line = entry.line;
      // Two mappings of the list may be one here: what kept them apart was lifted (fork_advice.h).
      for (; index < map_->mapping_count; ++index) {
        Mapping* mapping = &map_->mappings[index];
        uint64_t from = wanted > mapping->start ? wanted : mapping->start;
        if (line.start > from) lost = from;
        if (lost != 0 || line.end <= from) break;
        if (has_smaps_flag(entry.flags, "wf")) lost = line.start;
        if (has_smaps_flag(entry.flags, "gd") && mapping->kind == cairn_image_MappingKind_MAPPING_ANONYMOUS) {
          mapping->kind = cairn_image_MappingKind_MAPPING_STACK;
        }
        wanted = line.end < mapping->end ? line.end : mapping->end;
        if (mapping->kind != cairn_image_MappingKind_MAPPING_VDSO) note_advice(from, wanted, entry.flags);
        if (wanted < mapping->end) break;
      }
      return lost == 0 && index < map_->mapping_count;
    });
    call_unchecked(SYS_munmap, memory, capacity);
    if (lost == 0 && index < map_->mapping_count) lost = map_->mappings[index].start;
    return lost == 0 || not_inherited(lost);
  }

  bool not_inherited(uint64_t address) {
    error_.set(-ENOTSUP, "madvise").add("the memory at ").hex(address)
        .add(" is kept from forked children (MADV_DONTFORK or MADV_WIPEONFORK), and so from what writes the snapshot");
    return false;
  }

  bool open_file(const char* suffix, sys::UniqueFd* fd, SavedFile** entry) {
    *entry = &result_->files[result_->file_count];
    sys::TextBuilder name((*entry)->name, sizeof (*entry)->name);
    name.add('p').number(facts_.virtual_pid).add(suffix);
    sys::TextBuffer<4200> path;
    path.add(request_.folder).add('/').add(name.text());
    *fd = sys::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (!fd->ok()) error_.set(fd->status(), path.text()).add("cannot create a file of the snapshot");
    return fd->ok();
  }

  /// Both at once: where each is flushed when it is written a file system with a journal waits for two of its commits.
  bool flush_image() {
    call_unchecked(SYS_sync_file_range, metadata_.get(), 0, 0, 2 /* SYNC_FILE_RANGE_WRITE */);
    return flush(pages_.get()) && flush(metadata_.get());
  }

  bool flush(int fd) {
    long result = call(SYS_fsync, fd);
    if (failed(result)) error_.set(static_cast<Status>(result), "fsync").add("the snapshot could not be flushed to the disk");
    return !failed(result);
  }

  bool write_pages(image::RecordWriter* runs) {
    SavedFile* entry = nullptr;
    if (!open_file(".pages", &pages_, &entry)) return false;
    PageWriter pages(pages_.get(), runs, &error_);
    if (!pages.open()) return false;
    for (uint32_t i = 0; i < map_->mapping_count; ++i) {
      if (!pages.write(map_->mappings[i])) return false;
    }
    entry->size = pages.bytes();
    entry->checksum = pages.checksum();
    ++result_->file_count;
    return true;
  }

  bool write_metadata(image::RecordWriter* runs, image::RecordWriter* records) {
    write_header(records, facts_, *map_, request_.snapshot, result_->files[0].size);
    if (!write_memory(records, *map_, &error_)) return false;
    write_mappings(records, *map_);
    write_needed_files(records, needed_);
    write_threads(records, facts_, stop_, virtual_tid_);
    records->append(*runs);
    if (!records->finish()) {
      error_.set(-ENOSPC, "metadata").add("the description of the memory is too large");
      return false;
    }
    SavedFile* entry = nullptr;
    if (!open_file(".meta", &metadata_, &entry)) return false;
    Status status = sys::write_all(metadata_.get(), records->data(), records->size());
    if (status != 0) {
      error_.set(status, "metadata").add("cannot write the description of the memory");
      return false;
    }
    entry->size = records->size();
    entry->checksum = image::Checksum::of(records->data(), records->size());
    ++result_->file_count;
    return true;
  }

  bool write_kept() {
    if (!kept_->copy_deferred(&error_)) return false;
    for (uint32_t i = 0; i < kept_->count(); ++i) {
      SavedFile* entry = &result_->files[result_->file_count];
      sys::TextBuilder(entry->name, sizeof entry->name).add('p').number(facts_.virtual_pid).add(".files/").unsigned_number(i);
      entry->size = kept_->length(i);
      if (!kept_->finish(i, &entry->checksum, &error_)) return false;
      ++result_->file_count;
    }
    return true;
  }

  const SaveRequest& request_;
  const ProcessFacts& facts_;
  const Stop& stop_;
  MemoryMap* map_;
  KeptFiles* kept_;
  const NeededFiles& needed_;
  int32_t (*virtual_tid_)(int32_t);
  SaveResult* result_;
  sys::UniqueFd pages_, metadata_;
  sys::Error error_;
};

}  // namespace

bool Save::begin(const SaveRequest& request, const ProcessFacts& facts, const Stop& stop, MemoryMap* map, KeptFiles* kept,
                 const NeededFiles& needed, int32_t (*virtual_tid)(int32_t), void (*report)(const SaveResult&), sys::Error* error) {
  int64_t memory = call(SYS_mmap, nullptr, sizeof(SaveResult), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ends[2];
  long piped = failed(memory) ? memory : call(SYS_pipe2, ends, O_CLOEXEC);
  if (failed(piped)) {
    error->set(static_cast<Status>(piped), "pipe2").add("no memory or descriptors for the writer");
    if (!failed(memory)) call_unchecked(SYS_munmap, memory, sizeof(SaveResult));
    return false;
  }
  int read_end = sys::hide_fd(ends[0]);
  int write_end = sys::hide_fd(ends[1]);
  result_ = reinterpret_cast<SaveResult*>(memory);
  int64_t process = call(SYS_getpid), thread = call(SYS_gettid);
  // No exit signal: the application's SIGCHLD handler and waitpid do not learn of it.
  long child = call(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) {
    events::be_own_process();
    call_unchecked(SYS_close, read_end);
    auto there = [&] { return call(SYS_tgkill, process, thread, 0) != -ESRCH; };
    uint64_t patient_until = sys::now_ns() + patience_ns;
    while (request.goes_on && sys::load(&result_->runs) == 0 && there() && sys::now_ns() < patient_until) {
      sys::wait_while(&result_->runs, 0, sys::now_ns() + look_for_end_ns);
    }
    Writer(request, facts, stop, map, kept, needed, virtual_tid, result_).run();
    call_unchecked(SYS_close, write_end);
    while (there() && sys::load(&result_->told) == 0) sys::wait_while(&result_->told, 0, sys::now_ns() + look_ns);
    if (sys::load(&result_->told) == 0) report(*result_);
    call_unchecked(SYS_exit_group, 0);
  }
  sys::close_own_fd(write_end);
  watch_ = read_end;
  if (failed(child)) {
    error->set(static_cast<Status>(child), "fork").add("no memory for a copy of the process");
    release();
    return false;
  }
  writer_ = static_cast<int32_t>(child);
  events::note_own_process(writer_);
  // Threads that ran on behind our back (the tracer was killed) have torn the copy.
  if (!stop.active()) {
    error->set(-ECHILD, "tracer").add("the process that held the threads was killed; the computation runs on");
    abandon();
    return false;
  }
  return true;
}

const SaveResult* Save::result() const { return __atomic_load_n(&result_->done, __ATOMIC_ACQUIRE) != 0 ? result_ : nullptr; }

void Save::go_on() {
  if (result_ != nullptr) sys::store_and_wake(&result_->runs, 1);
}

const SaveResult* Save::finish() {
  sys::store_and_wake(&result_->told, 1);
  int status = 0;
  while (call(SYS_wait4, writer_, &status, __WALL, nullptr) == -EINTR) {
  }
  events::forget_own_process(writer_);
  writer_ = 0;
  if (__atomic_load_n(&result_->done, __ATOMIC_ACQUIRE) == 0) {
    sys::TextBuilder text(result_->error, sizeof result_->error);
    text.add("the process that wrote the snapshot ended before it was whole (");
    if (WIFSIGNALED(status)) text.add("signal ").number(WTERMSIG(status));
    else text.add("status ").number(WEXITSTATUS(status));
    text.add("); the computation runs on");
    result_->error_number = -ECHILD;
  }
  return result_;
}

void Save::abandon() {
  if (writer_ != 0) {
    call_unchecked(SYS_kill, writer_, SIGKILL);
    (void)finish();
  }
  release();
}

void Save::release() {
  if (watch_ >= 0) sys::close_own_fd(watch_);
  watch_ = -1;
  reported_ = false;
  if (result_ != nullptr) call_unchecked(SYS_munmap, result_, sizeof(SaveResult));
  result_ = nullptr;
}

}  // namespace cairn::checkpoint
