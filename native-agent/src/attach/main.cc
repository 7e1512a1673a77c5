// cairn-attach: brings the agent into a program that was started without Cairn.
//
//   cairn-attach --check PID                        why it cannot be attached, on standard error; status 1
//   cairn-attach --library LIBCAIRN PID NAME=VALUE...   the variables are those of the computation's programs
//
// One thread of the program, at a point where that is safe, loads the library and starts the agent; the program's other threads run.
// Ends with 0 when the process is a member of the computation. Killed at any moment, it leaves a program that goes on as before (or
// that has been attached). Test: test/probes/attach.test.ts.
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "attach/checks.h"
#include "attach/safe_point.h"
#include "attach/target.h"
#include "attach/thread.h"
#include "attach/visit.h"
#include "image/attached.h"

namespace {

using namespace cairn::attach;
using cairn::image::AttachAnswer;

constexpr double patience = 10;       // for a safe point
constexpr double visit_patience = 60; // for the loader and the handshake

int refuse(pid_t pid, const char* why) {
  fprintf(stderr, "process %d: %s\n", pid, why);
  return 1;
}

bool is_agent(pid_t pid, pid_t tid) {
  char path[64], name[32] = {};
  snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, tid);
  FILE* file = fopen(path, "re");
  if (file != nullptr) {
    if (fgets(name, sizeof name, file) == nullptr) name[0] = 0;
    fclose(file);
  }
  return strcmp(name, "cairn-agent\n") == 0;
}

/// The code is in the program while this lives.
class Code {
 public:
  Code(const Target& target, pid_t tid) : target_(target), size_((visit_code_size() + 7) & ~size_t{7}) {
    address_ = target.find_padding(size_);
    before_ = static_cast<char*>(calloc(1, size_));
    auto* code = static_cast<char*>(calloc(1, size_));
    memcpy(code, visit_code(), visit_code_size());
    ok_ = address_ != 0 && target.read(address_, before_, size_) && put(tid, code);
    free(code);
  }
  ~Code() { free(before_); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  [[nodiscard]] uint64_t address() const { return ok_ ? address_ : 0; }
  void remove() {
    // By the memory file: no thread is stopped any more.
    if (ok_) (void)target_.write(address_, before_, size_);
  }

 private:
  bool put(pid_t tid, const char* bytes) {
    if (target_.write(address_, bytes, size_)) return true;
    for (size_t at = 0; at < size_; at += sizeof(long)) {
      long word = 0;
      memcpy(&word, bytes + at, sizeof word);
      if (ptrace(PTRACE_POKEDATA, tid, address_ + at, word) != 0) return false;
    }
    return true;
  }
  const Target& target_;
  size_t size_;
  uint64_t address_ = 0;
  char* before_ = nullptr;
  bool ok_ = false;
};

/// The texts of the block, at the address where it will lie. False: they do not fit.
bool fill(VisitBlock* block, uint64_t address, const char* library, int count, char** variables) {
  size_t used = 0;
  auto add = [&](const char* text) {
    size_t size = strlen(text) + 1;
    if (used + size > sizeof block->text) return uint64_t{0};
    memcpy(block->text + used, text, size);
    used += size;
    return address + offsetof(VisitBlock, text) + used - size;
  };
  block->library = add(library);
  block->function = add(cairn::image::attach_function);
  block->argument = address + offsetof(VisitBlock, text) + used;
  for (int i = 0; i < count; ++i) {
    if (add(variables[i]) == 0) return false;
  }
  return add("") != 0 && block->library != 0 && block->function != 0;
}

/// libc's own loader functions; older ones have them under other names.
bool find_loader(const Target& target, VisitBlock* block) {
  Symbol open, find, why;
  if (target.definer("dlopen", &open) != nullptr && target.definer("dlsym", &find) != nullptr) {
    block->open_flags = RTLD_NOW | RTLD_GLOBAL;
    block->why = target.definer("dlerror", &why) != nullptr ? why.start : 0;
  } else if (target.definer("__libc_dlopen_mode", &open) != nullptr && target.definer("__libc_dlsym", &find) != nullptr) {
    block->open_flags = RTLD_NOW | RTLD_GLOBAL | 0x80000000u;
  } else {
    return false;
  }
  block->open = open.start;
  block->find = find.start;
  return true;
}

/// Calls `visit(tid)` for each thread of the program.
template <typename Visit>
void for_each_thread(const Target& target, Visit visit) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", target.pid());
  DIR* folder = opendir(path);
  while (folder != nullptr) {
    const dirent* entry = readdir(folder);
    if (entry == nullptr) break;
    pid_t tid = atoi(entry->d_name);
    if (tid > 0 && !is_agent(target.pid(), tid)) visit(tid);
  }
  if (folder != nullptr) closedir(folder);
}

/// Each other thread tells its alternate stack, which the kernel tells to nobody else.
void record_altstacks(const Target& target, pid_t visited, int64_t offset) {
  for_each_thread(target, [&](pid_t tid) {
    Thread thread(&target, tid);
    if (tid == visited || thread.stop() != 0) return;
    uint64_t record = thread.registers().fs_base + static_cast<uint64_t>(offset);
    cairn::image::AttachedAltstack known = {};
    // The wrapper has seen what was set since.
    if (!target.read(record, &known) || known.set != 0) return;
    VisitBlock block = {};
    Code code(target, tid);
    if (code.address() != 0 && thread.visit(&block, code.address(), now() + patience) && block.stage == visit_done) {
      known = {block.altstack[0], block.altstack[2], static_cast<uint32_t>(block.altstack[1]) & ~1u, 1};
      (void)target.write(record, &known, sizeof known);
    }
    code.remove();
  });
}

/// Calls that wait, and have names in them that a restart changes.
bool has_names(long number) {
  switch (number) {
    case SYS_wait4:
    case SYS_waitid:
    case SYS_recvmsg:
    case SYS_recvfrom:
    case SYS_accept:
    case SYS_accept4:
    case SYS_semop:
    case SYS_msgsnd:
    case SYS_msgrcv: return true;
    default: return false;
  }
}

/// They begin again through the wrappers. A thread that has been on a visit may still be on its way back into its call: `visited`, or
/// every one (0).
void begin_again(const Target& target, pid_t visited, uint64_t entry) {
  for_each_thread(target, [&](pid_t tid) {
    const int attempts = visited == 0 ? 20 : 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      long number = waiting_call(target.pid(), tid);
      if (number < 0 && (visited == 0 || visited == tid)) {
        struct timespec pause = {0, 1'000'000};
        nanosleep(&pause, nullptr);
        continue;
      }
      if (!has_names(number)) return;
      Thread thread(&target, tid);
      if (thread.stop() != 0) return;
      // What ends the call by a signal is the kernel's to decide.
      if (!thread.has_pending_signal() && thread.send_to(entry)) return;
    }
  });
}

int attach(Target* target, const char* library, int count, char** variables) {
  pid_t pid = target->pid();
  VisitBlock block = {};
  if (!find_loader(*target, &block)) return refuse(pid, "its C library cannot load a library");
  int error = 0;
  SafePoint point(target);
  Thread* thread = point.find(now() + patience, &error);
  if (thread == nullptr) {
    if (error == ESRCH) return refuse(pid, "it has ended");
    if (error != EAGAIN) return refuse(pid, why_no_ptrace(pid, error).text);
    return refuse(pid, "none of its threads came to a point where it can load a library; try again when it waits for something");
  }
  if (!fill(&block, thread->block_address(), library, count, variables)) {
    delete thread;
    return refuse(pid, "the names of its session and store are too long");
  }
  pid_t tid = thread->tid();
  Code code(*target, tid);
  bool came = code.address() != 0 && thread->visit(&block, code.address(), now() + visit_patience);
  bool room = code.address() != 0;
  delete thread;
  if (!came) return refuse(pid, room ? "it has ended, or does not come back from loading libcairn.so" : "there is no room for code in it");
  code.remove();
  char text[1024] = {};
  switch (block.stage) {
    case visit_no_memory: return refuse(pid, "it has no memory for Cairn");
    case visit_not_loaded:
      snprintf(text, sizeof text, "libcairn.so cannot be loaded into it: ");
      if (block.result != 0) target->read_text(block.result, text + strlen(text), sizeof text - strlen(text));
      return refuse(pid, text);
    case visit_done: break;
    default: return refuse(pid, "the library that it has loaded is no agent of Cairn");
  }
  AttachAnswer answer = {};
  if (!target->read(block.result, &answer) || answer.version != cairn::image::attach_version) {
    return refuse(pid, "cairn-attach and libcairn.so are of different versions");
  }
  if (answer.status != 0) return refuse(pid, answer.text);
  if (answer.altstacks_matter != 0) record_altstacks(*target, tid, answer.altstack_offset);
  begin_again(*target, answer.altstacks_matter != 0 ? 0 : tid, answer.call_again);
  note_calls(*target, answer.calls);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  bool check = count == 3 && strcmp(words[1], "--check") == 0;
  bool full = count >= 4 && strcmp(words[1], "--library") == 0;
  pid_t pid = check ? atoi(words[2]) : full ? atoi(words[3]) : 0;
  if (pid <= 0) {
    fprintf(stderr, "usage: cairn-attach --check PID | --library LIBCAIRN PID NAME=VALUE...\n");
    return 2;
  }
  Target target(pid);
  Reason reason = why_not(&target);
  if (!reason.empty()) return refuse(pid, reason.text);
  return check ? 0 : attach(&target, words[2], count - 4, words + 4);
}
