#include "restore/threads.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "restore/report.h"
#include "sys/file.h"
#include "sys/context.h"

namespace cairn::restore {
namespace {

using sys::call;
using sys::failed;
using sys::processor::Registers;

constexpr size_t agent_stack = 512 * 1024;
constexpr size_t thread_stack = 16 * 1024;  // until it has its own again
constexpr uint64_t usual_table = 1024;      // descriptors, see sys/own_fds.cc
constexpr uint64_t thread_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

// As agent/restarted_thread.h has it.
struct ThreadStart {
  image::ThreadSlot* slot;
  image::Handoff* handoff;
};

void* take(sys::Arena* arena, size_t size) {
  void* memory = arena->allocate(size);
  if (memory == nullptr) give_up("the agent's memory is too small for this process");
  return memory;
}

/// What threads need until they run: as much as there are threads, which may be more than the agent's arena holds. All other
/// memory is in place: wherever the kernel puts this one, nothing of the application has been there.
sys::Arena make_room(const Image& image) {
  constexpr size_t alignment = 64;
  size_t size = 4 * alignment;
  for (uint32_t i = 0; i < image.thread_count; ++i) {
    size += sizeof(image::ThreadSlot) + sizeof(ThreadStart) + thread_stack + alignment + sys::processor::frame_size(image.threads[i].xstate.size);
  }
  size = (size + sys::page_size - 1) & ~(sys::page_size - 1);
  int64_t mapped = call(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(mapped)) give_up("no memory for the threads of this process", mapped);
  sys::Arena room;
  room.use(reinterpret_cast<void*>(mapped), size, 0);
  return room;
}

void fill_slot(const Thread& thread, sys::Arena* arena, image::ThreadSlot* slot) {
  const cairn_image_Thread& record = thread.record;
  memset(slot, 0, sizeof *slot);
  Registers registers;
  memcpy(&registers, thread.registers.data, sizeof registers);
  void* frame = take(arena, sys::processor::frame_size(thread.xstate.size));
  slot->frame = sys::processor::build_frame(frame, registers, thread.xstate, record.signal_mask, record.altstack_sp,
                                         record.altstack_size, record.altstack_flags);
  slot->instruction = sys::processor::instruction_of(registers);
  slot->pointers = sys::processor::pointers_of(registers);
  slot->tid_address = record.tid_address;
  slot->robust_list = record.robust_list;
  slot->robust_list_size = record.robust_list_size;
  slot->rseq_address = record.rseq_address;
  slot->rseq_size = record.rseq_size;
  slot->rseq_signature = record.rseq_signature;
  slot->virtual_tid = record.virtual_tid;
  slot->exited = record.exited ? 1 : 0;
  slot->exit_status = record.exit_status;
  memcpy(slot->name, thread.name.data, thread.name.size < sizeof slot->name - 1 ? thread.name.size : sizeof slot->name - 1);
}

/// The agent takes high numbers. Of a table that threads share the kernel lets all processors finish with the old one first, which is
/// by far the longest wait of a small restart (14 ms of 20): it grows while there is one thread.
void make_room_for_descriptors() {
  struct rlimit64 limit = {};
  if (failed(call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit))) return;
  sys::UniqueFd any = sys::open("/", O_PATH);
  sys::UniqueFd last(call(SYS_fcntl, any.get(), F_DUPFD_CLOEXEC, (limit.rlim_cur < usual_table ? limit.rlim_cur : usual_table) - 1));
}

}  // namespace

void start_threads(const Image& image, const HandoffFacts& facts) {
  uint64_t start = image.header.arena_start;
  int64_t mapped = call(SYS_mmap, start, image.header.arena_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (failed(mapped)) give_up("no memory for the agent", mapped);
  sys::Arena arena;
  arena.use(reinterpret_cast<void*>(start), image.header.arena_size, agent_stack);
  auto* handoff = static_cast<image::Handoff*>(take(&arena, sizeof(image::Handoff)));
  memset(handoff, 0, sizeof *handoff);
  handoff->size = sizeof *handoff;
  handoff->version = image::handoff_version;
  handoff->restorer_start = facts.restorer.start;
  handoff->restorer_size = facts.restorer.end - facts.restorer.start;
  handoff->thread_count = image.thread_count;
  handoff->virtual_pid = image.header.virtual_pid;
  handoff->pages_device = facts.pages_device;
  handoff->pages_inode = facts.pages_inode;
  sys::TextBuilder(handoff->socket, sizeof handoff->socket).add(facts.socket);
  sys::TextBuilder(handoff->folder, sizeof handoff->folder).add(facts.folder);
  handoff->lazy_count = image.lazy_count;
  handoff->lazy = static_cast<image::LazyRange*>(take(&arena, (image.lazy_count + 1) * sizeof(image::LazyRange)));
  memcpy(handoff->lazy, image.lazy, image.lazy_count * sizeof(image::LazyRange));
  handoff->ended_count = facts.ended_count;
  handoff->ended = static_cast<image::EndedChild*>(take(&arena, (facts.ended_count + 1) * sizeof(image::EndedChild)));
  memcpy(handoff->ended, facts.ended, facts.ended_count * sizeof(image::EndedChild));
  handoff->arena_used = arena.used();
  sys::Arena room = make_room(image);
  handoff->room_start = room.start();
  handoff->room_size = room.end() - room.start();
  handoff->slots = static_cast<image::ThreadSlot*>(take(&room, image.thread_count * sizeof(image::ThreadSlot)));
  auto* starts = static_cast<ThreadStart*>(take(&room, image.thread_count * sizeof(ThreadStart)));
  uint32_t leader = image.thread_count;
  for (uint32_t i = 0; i < image.thread_count; ++i) {
    fill_slot(image.threads[i], &room, &handoff->slots[i]);
    starts[i] = {&handoff->slots[i], handoff};
    if (image.threads[i].record.virtual_tid == image.header.virtual_pid) leader = i;
  }
  if (leader == image.thread_count) give_up("the image has no main thread");
  auto* stacks = static_cast<char*>(take(&room, image.thread_count * thread_stack));

  make_room_for_descriptors();
  auto entry = reinterpret_cast<void (*)(void*)>(image.header.thread_entry);
  for (uint32_t i = 0; i < image.thread_count; ++i) {
    if (i == leader) continue;
    long tid = sys::processor::clone_with_stack(thread_flags, stacks + (i + 1) * thread_stack, entry, &starts[i], nullptr);
    if (failed(tid)) give_up("cannot create a thread (limit on processes, ulimit -u?)", tid);
  }
  auto agent_entry = reinterpret_cast<void (*)(void*)>(image.header.agent_entry);
  long tid = sys::processor::clone_with_stack(thread_flags, reinterpret_cast<char*>(start) + agent_stack, agent_entry, handoff, nullptr);
  if (failed(tid)) give_up("cannot create the agent's thread", tid);
  sys::processor::jump_to(image.header.thread_entry, &starts[leader], reinterpret_cast<uintptr_t>(stacks + (leader + 1) * thread_stack));
}

}  // namespace cairn::restore
