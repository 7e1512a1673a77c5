// Who has called whom on the stack of a stopped thread, by the call frame information that compilers give with their code (.eh_frame).
// Source: System V ABI for AMD64, chapter 3.7; DWARF 5, chapter 6.4; Linux Standard Base, chapter 10.6. Code without it (a program's own
// assembly, code made while the program runs) ends the walk as unknown, and so does whatever does not fit. Handlers' frames are read as
// the kernel has laid them. Where: cairn-attach. Test: test/probes/attach.test.ts.
#pragma once
#include <stdint.h>
#include <sys/user.h>

#include "attach/target.h"

namespace cairn::attach {

class Callers {
 public:
  Callers(const Target* target, const user_regs_struct& at);

  enum class Step {
    caller,       // a call in this function has not returned yet
    interrupted,  // by a signal, at this instruction
    end,          // nobody has called the last one
    unknown,
  };
  Step next();
  /// Of the caller: where the call returns to.
  [[nodiscard]] uint64_t instruction() const { return value_[return_address]; }

 private:
  // Numbers of the registers, by the ABI.
  static constexpr unsigned stack_pointer = 7, return_address = 16, register_count = 17;

  struct Rules {
    enum Kind : unsigned char { same, saved, undefined, other };
    unsigned base = stack_pointer;  // register_count: an expression
    int64_t base_offset = 0;
    Kind kind[register_count] = {};
    int64_t offset[register_count] = {};
  };
  class Bytes;
  struct Common;

  [[nodiscard]] uint64_t find_description(uint64_t instruction) const;
  bool find_rules(uint64_t instruction, Rules* rules, bool* signal) const;
  static bool follow(Bytes* code, const Common& common, const Rules* first, uint64_t start, uint64_t instruction, Rules* rules);
  Step leave_handler();

  const Target* target_;
  uint64_t value_[register_count] = {};
  bool exact_ = true;  // the instruction itself, and not one after a call
  int depth_ = 0;
};

}  // namespace cairn::attach
