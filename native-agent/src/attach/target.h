// A program that is to be attached, seen from outside: its memory, what its loader has loaded, and the functions that are there.
// Where: cairn-attach. Invariant: nothing here changes the program. Test: test/probes/attach.test.ts.
#pragma once
#include <stdint.h>
#include <sys/types.h>

namespace cairn::attach {

struct Segment {
  uint64_t start;
  uint64_t end;       // of its content; the mapping goes on to the end of the page
  bool executable;
};

/// A module of the program: the program itself or a library.
struct Module {
  uint64_t base = 0;
  uint64_t dynamic = 0;
  uint64_t start = 0;
  uint64_t end = 0;
  char name[512] = {};
  // Of its symbols; 0: it has none.
  uint64_t symbols = 0;
  uint64_t strings = 0;
  uint64_t hash = 0;
  uint64_t frames = 0;  // the table of call frame information
  [[nodiscard]] bool holds(uint64_t address) const { return address >= start && address < end; }
};

struct Symbol {
  uint64_t start = 0;
  uint64_t end = 0;
};

class Target {
 public:
  explicit Target(pid_t pid) : pid_(pid) {}
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  /// False: its memory cannot be read, errno says why.
  bool open();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool read(uint64_t address, void* data, size_t size) const;
  template <typename T>
  [[nodiscard]] bool read(uint64_t address, T* data) const {
    return read(address, data, sizeof *data);
  }
  [[nodiscard]] bool write(uint64_t address, const void* data, size_t size) const;
  void read_text(uint64_t address, char* text, size_t capacity) const;

  /// Finds the modules by the loader's list; false: there is none yet, or no loader.
  bool find_modules();
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] const Module& module(int index) const { return modules_[index]; }
  [[nodiscard]] const Module* module_at(uint64_t address) const;
  /// The module of the loader itself.
  [[nodiscard]] const Module* loader() const { return module_at(loader_base_); }
  /// A function that a module defines.
  [[nodiscard]] bool find(const Module& module, const char* name, Symbol* symbol) const;
  /// The first module that defines it, as the loader would look for it.
  [[nodiscard]] const Module* definer(const char* name, Symbol* symbol) const;
  /// `size` bytes in a page of code of the C library or another module that belong to none of its functions; 0: there are none.
  [[nodiscard]] uint64_t find_padding(size_t size) const;
  /// The mapping of an address; false: there is none.
  [[nodiscard]] bool mapping_of(uint64_t address, uint64_t* start, uint64_t* end, bool* executable) const;

 private:
  bool add_module(uint64_t base, uint64_t dynamic, uint64_t name);
  bool headers_of(const Module& module, uint64_t* headers, uint64_t* count) const;
  [[nodiscard]] uint64_t frames_of(const Module& module) const;
  [[nodiscard]] int segments_of(const Module& module, Segment* segments, int capacity) const;

  static constexpr int max_modules = 1024;
  pid_t pid_;
  int memory_ = -1;
  Module* modules_ = nullptr;
  int count_ = 0;
  uint64_t loader_base_ = 0;
};

}  // namespace cairn::attach
