#include "attach/callers.h"

#include <string.h>

namespace cairn::attach {
namespace {

constexpr size_t longest = 4096;   // of a description
constexpr int deepest = 100'000;
constexpr unsigned char relative_words = 0x1b, table_words = 0x3b, plain_words = 0x03;

}  // namespace

/// Numbers out of a part of the program's memory. Beyond its end all are 0, and it is not `whole` any more.
class Callers::Bytes {
 public:
  bool load(const Target& target, uint64_t address, size_t size) {
    start_ = address;
    size_ = size;
    return size <= sizeof bytes_ && target.read(address, bytes_, size);
  }
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] bool left() const { return whole_ && at_ < size_; }
  [[nodiscard]] uint64_t address() const { return start_ + at_; }
  template <typename T>
  T number() {
    T value = 0;
    if (size_ - at_ < sizeof value) whole_ = false;
    else memcpy(&value, bytes_ + at_, sizeof value);
    skip(sizeof value);
    return value;
  }
  void skip(uint64_t count) {
    if (count > size_ - at_) whole_ = false;
    at_ = whole_ ? at_ + count : size_;
  }
  uint64_t leb() {
    unsigned shift = 0;
    return leb(&shift);
  }
  int64_t signed_leb() {
    unsigned shift = 0;
    uint64_t value = leb(&shift);
    bool negative = shift > 0 && shift < 64 && (value >> (shift - 1) & 1) != 0;
    return static_cast<int64_t>(negative ? value | ~uint64_t{0} << shift : value);
  }

 private:
  uint64_t leb(unsigned* shift) {
    uint64_t value = 0;
    unsigned char byte = 0;
    do {
      byte = number<unsigned char>();
      if (*shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << *shift;
      *shift += 7;
    } while ((byte & 0x80) != 0 && whole_);
    return value;
  }
  uint64_t start_ = 0;
  size_t size_ = 0;
  size_t at_ = 0;
  bool whole_ = true;
  unsigned char bytes_[longest];
};

/// What several descriptions have in common.
struct Callers::Common {
  uint64_t code_factor = 1;
  int64_t data_factor = 1;
  unsigned char encoding = 0;
  bool sized = false;  // an augmentation precedes the instructions
  bool signal = false;
  Bytes code;

  /// Leaves `code` at the first instruction.
  bool read(const Target& target, uint64_t address) {
    uint32_t length = 0;
    if (!target.read(address, &length) || length >= longest || !code.load(target, address + sizeof length, length)) return false;
    if (code.number<uint32_t>() != 0) return false;
    unsigned char version = code.number<unsigned char>();
    char kinds[8] = {};
    for (size_t i = 0;; ++i) {
      if (i == sizeof kinds) return false;
      kinds[i] = code.number<char>();
      if (kinds[i] == 0) break;
    }
    if (version != 1 && version != 3) return false;
    code_factor = code.leb();
    data_factor = code.signed_leb();
    uint64_t returns = version == 1 ? code.number<unsigned char>() : code.leb();
    if (returns != return_address || kinds[0] != 'z') return false;
    sized = true;
    uint64_t size = code.leb(), end = code.address() + size;
    for (const char* kind = kinds + 1; *kind != 0; ++kind) {
      if (*kind == 'R') encoding = code.number<unsigned char>();
      else if (*kind == 'L') code.skip(1);
      else if (*kind == 'S') signal = true;
      else if (*kind == 'P') code.skip((code.number<unsigned char>() & 7) == 3 ? 4 : 8);
      else return false;
    }
    if (code.address() > end) return false;
    code.skip(end - code.address());
    return code.whole();
  }
};

Callers::Callers(const Target* target, const user_regs_struct& at) : target_(target) {
  const uint64_t values[] = {at.rax, at.rdx, at.rcx, at.rbx, at.rsi, at.rdi, at.rbp, at.rsp,
                             at.r8,  at.r9,  at.r10, at.r11, at.r12, at.r13, at.r14, at.r15, at.rip};
  memcpy(value_, values, sizeof value_);
}

/// The address of the description of the code at an address; 0: there is none.
uint64_t Callers::find_description(uint64_t instruction) const {
  const Module* module = target_->module_at(instruction);
  unsigned char kinds[4];
  uint32_t count = 0;
  if (module == nullptr || module->frames == 0 || !target_->read(module->frames, kinds, sizeof kinds)) return 0;
  constexpr size_t head = sizeof kinds + sizeof(int32_t) + sizeof count;
  if (kinds[0] != 1 || kinds[1] != relative_words || kinds[2] != plain_words || kinds[3] != table_words) return 0;
  if (!target_->read(module->frames + sizeof kinds + sizeof(int32_t), &count)) return 0;
  struct Row {
    int32_t start;
    int32_t description;
  } row = {};
  auto wanted = static_cast<int64_t>(instruction - module->frames);
  uint32_t low = 0, high = count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (!target_->read(module->frames + head + middle * sizeof row, &row)) return 0;
    if (row.start <= wanted) low = middle + 1;
    else high = middle;
  }
  if (low == 0 || !target_->read(module->frames + head + (low - 1) * sizeof row, &row)) return 0;
  return module->frames + static_cast<uint64_t>(static_cast<int64_t>(row.description));
}

bool Callers::find_rules(uint64_t instruction, Rules* rules, bool* signal) const {
  uint64_t address = find_description(instruction);
  uint32_t length = 0;
  Bytes code;
  if (address == 0 || !target_->read(address, &length) || length >= longest || !code.load(*target_, address + sizeof length, length)) return false;
  uint64_t common_address = code.address() - code.number<uint32_t>();
  Common common;
  if (!common.read(*target_, common_address) || common.encoding != relative_words) return false;
  uint64_t start = code.address();
  start += static_cast<uint64_t>(static_cast<int64_t>(code.number<int32_t>()));
  uint64_t size = code.number<uint32_t>();
  if (instruction < start || instruction >= start + size) return false;
  if (common.sized) code.skip(code.leb());
  *signal = common.signal;
  Rules first;
  if (!follow(&common.code, common, nullptr, 0, ~uint64_t{0}, &first)) return false;
  *rules = first;
  return follow(&code, common, &first, start, instruction, rules);
}

/// Carries the instructions of a description out, as far as they are of code up to `instruction`. False: something in them is unknown.
bool Callers::follow(Bytes* code, const Common& common, const Rules* first, uint64_t start, uint64_t instruction, Rules* rules) {
  constexpr int most = 16;
  Rules kept[most];
  int depth = 0;
  auto set = [&](uint64_t reg, Rules::Kind kind, int64_t offset) {
    if (reg >= register_count) return;  // vectors
    rules->kind[reg] = kind;
    rules->offset[reg] = offset;
  };
  auto restore = [&](uint64_t reg) {
    if (first != nullptr && reg < register_count) set(reg, first->kind[reg], first->offset[reg]);
  };
  uint64_t at = start;
  while (code->left()) {
    auto operation = code->number<unsigned char>();
    uint64_t low = operation & 0x3f, reg = 0;
    switch (operation >> 6) {
      case 1: at += low * common.code_factor; break;
      case 2: set(low, Rules::saved, static_cast<int64_t>(code->leb()) * common.data_factor); break;
      case 3: restore(low); break;
      default:
        switch (operation) {
          case 0x00: break;                                                      // nop
          case 0x02: at += code->number<uint8_t>() * common.code_factor; break;  // advance_loc1, 2, 4
          case 0x03: at += code->number<uint16_t>() * common.code_factor; break;
          case 0x04: at += code->number<uint32_t>() * common.code_factor; break;
          case 0x05:  // offset_extended
            reg = code->leb();
            set(reg, Rules::saved, static_cast<int64_t>(code->leb()) * common.data_factor);
            break;
          case 0x06: restore(code->leb()); break;
          case 0x07: set(code->leb(), Rules::undefined, 0); break;
          case 0x08: set(code->leb(), Rules::same, 0); break;
          case 0x0a:  // remember_state
            if (depth == most) return false;
            kept[depth++] = *rules;
            break;
          case 0x0b:  // restore_state
            if (depth == 0) return false;
            *rules = kept[--depth];
            break;
          case 0x0c:  // def_cfa
            rules->base = static_cast<unsigned>(code->leb());
            rules->base_offset = static_cast<int64_t>(code->leb());
            break;
          case 0x0d: rules->base = static_cast<unsigned>(code->leb()); break;
          case 0x0e: rules->base_offset = static_cast<int64_t>(code->leb()); break;
          case 0x0f:  // def_cfa_expression
            rules->base = register_count;
            code->skip(code->leb());
            break;
          case 0x10:  // expression
          case 0x16:  // val_expression
            set(code->leb(), Rules::other, 0);
            code->skip(code->leb());
            break;
          case 0x11:  // offset_extended_sf
            reg = code->leb();
            set(reg, Rules::saved, code->signed_leb() * common.data_factor);
            break;
          case 0x12:  // def_cfa_sf
            rules->base = static_cast<unsigned>(code->leb());
            rules->base_offset = code->signed_leb() * common.data_factor;
            break;
          case 0x13: rules->base_offset = code->signed_leb() * common.data_factor; break;
          case 0x2e: (void)code->leb(); break;  // GNU_args_size
          default: return false;
        }
    }
    // An advance beyond the instruction: what follows is of later code.
    if (at > instruction) break;
  }
  return code->whole();
}

/// The kernel has laid a ucontext where the stack pointer is when the handler has returned.
Callers::Step Callers::leave_handler() {
  constexpr size_t before = 40;  // uc_flags, uc_link, uc_stack
  // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, flags, segments
  constexpr unsigned order[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, stack_pointer, return_address};
  constexpr uint64_t user_code = 0x33;
  uint64_t saved[19];
  if (!target_->read(value_[stack_pointer] + before, saved, sizeof saved) || (saved[18] & 0xffff) != user_code) return Step::unknown;
  for (unsigned i = 0; i < register_count; ++i) value_[order[i]] = saved[i];
  exact_ = true;
  return Step::interrupted;
}

Callers::Step Callers::next() {
  Rules rules;
  bool signal = false;
  if (++depth_ > deepest || !find_rules(value_[return_address] - (exact_ ? 0 : 1), &rules, &signal)) return Step::unknown;
  if (signal) return leave_handler();
  if (rules.kind[return_address] == Rules::undefined) return Step::end;
  if (rules.base >= return_address || rules.kind[return_address] != Rules::saved) return Step::unknown;
  uint64_t base = value_[rules.base] + static_cast<uint64_t>(rules.base_offset);
  if (base <= value_[stack_pointer]) return Step::unknown;
  for (unsigned reg = 0; reg < register_count; ++reg) {
    if (rules.kind[reg] == Rules::other) return Step::unknown;
    if (rules.kind[reg] == Rules::saved && !target_->read(base + static_cast<uint64_t>(rules.offset[reg]), &value_[reg])) return Step::unknown;
  }
  value_[stack_pointer] = base;
  exact_ = false;
  return value_[return_address] == 0 ? Step::end : Step::caller;
}

}  // namespace cairn::attach
