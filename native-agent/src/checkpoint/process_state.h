// What an image says of a process beyond its memory's content: header, memory layout, threads.
// Context: collected in the quiesced process, written to records by the writer.
#pragma once
#include "checkpoint/memory_map.h"
#include "checkpoint/needed_files.h"
#include "checkpoint/stop.h"
#include "image/records.h"

namespace cairn::checkpoint {

/// What the agent knows of its process from its start on.
struct ProcessFacts {
  const char* build_id;
  const char* libc_version;
  sys::Text executable;
  int32_t virtual_pid;
  uint64_t agent_entry;
  uint64_t thread_entry;
  uint64_t arena_start;
  uint64_t arena_size;
  uint64_t tid_offset;       // of struct pthread's tid, from the thread pointer; 0: unknown
  uint64_t altstack_offset;  // of the thread's recorded alternate stack, from the thread pointer (may wrap)
};

/// The kernel's idea of a thread's alternate stack, kept by the sigaltstack wrapper: a tracer cannot ask for it.
struct RecordedAltstack {
  uint64_t sp;
  uint64_t size;
  uint32_t flags;
  uint32_t set;
};

/// A call that was interrupted by an earlier stop and continues as restart_syscall: its own number is known only from then.
long continued_call(int32_t real_tid, const sys::processor::Registers& registers);
/// Where cairn-attach notes those that it has interrupted.
uint64_t continued_calls();
void remember_call(int32_t real_tid, const sys::processor::Registers& registers);

void write_header(image::RecordWriter* records, const ProcessFacts& facts, const MemoryMap& map, sys::Text snapshot,
                  uint64_t pages_bytes);
bool write_memory(image::RecordWriter* records, const MemoryMap& map, sys::Error* error);
void write_mappings(image::RecordWriter* records, const MemoryMap& map);
void write_needed_files(image::RecordWriter* records, const NeededFiles& files);
void write_threads(image::RecordWriter* records, const ProcessFacts& facts, const Stop& stop,
                   int32_t (*virtual_tid)(int32_t real_tid));

}  // namespace cairn::checkpoint
