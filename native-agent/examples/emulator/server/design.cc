#include "design.h"

#include <verilated.h>
#include <verilated_save.h>
#include <Vemulated.h>
#include <Vemulated___024root.h>

namespace emulator {
namespace {

constexpr uint32_t words = 8192;
constexpr uint32_t init_loops = 24, work_loops = 400, seed = 1;
constexpr int reset_cycles = 4;
constexpr size_t most_console = 1 << 20;

}  // namespace

Design::Design() { reset(); }
Design::~Design() = default;

void Design::reset() {
  model_.reset();
  context_ = std::make_unique<VerilatedContext>();
  model_ = std::make_unique<Vemulated>(context_.get());
  cycle_ = 0;
  console_.clear();
  model_->init_loops = init_loops;
  model_->work_loops = work_loops;
  model_->seed = seed;
  model_->clk = 0;
  model_->rst = 1;
  for (int i = 0; i < reset_cycles; ++i) {
    half_cycle(true);
    half_cycle(false);
  }
  model_->rst = 0;
}

void Design::half_cycle(bool clock) {
  context_->timeInc(5);
  model_->clk = clock;
  model_->eval();
}

void Design::run(uint64_t cycles) {
  for (; cycles > 0; --cycles, ++cycle_) {
    half_cycle(true);
    if (model_->console_valid && console_.size() < most_console) console_.push_back(static_cast<char>(model_->console_data));
    half_cycle(false);
  }
}

uint64_t Design::position() const {
  return uint64_t{model_->exit_valid} << 40 | uint64_t{model_->exit_status} << 32 | model_->rootp->emulated__DOT__soc__DOT__core__DOT__pc;
}

uint32_t Design::read(uint32_t address) const { return model_->rootp->emulated__DOT__soc__DOT__ram__DOT__mem[address / 4 % words]; }

uint32_t Design::write(uint32_t address, uint32_t value) {
  auto& word = model_->rootp->emulated__DOT__soc__DOT__ram__DOT__mem[address / 4 % words];
  const uint32_t before = word;
  word = value;
  model_->eval();
  return before;
}

uint64_t Design::console() {
  uint64_t bytes = 0;
  unsigned count = 0;
  for (; count < 7 && !console_.empty(); ++count) {
    bytes |= uint64_t{static_cast<uint8_t>(console_.front())} << (8 * count);
    console_.pop_front();
  }
  return bytes | uint64_t{count} << 56;
}

bool Design::save(const std::string& file) const {
  VerilatedSave stream;
  stream.open(file.c_str());
  if (!stream.isOpen()) return false;
  stream << *model_;
  stream.close();
  return true;
}

void Design::load(const std::string& file, uint64_t cycle, const std::string& console) {
  reset();
  VerilatedRestore stream;
  stream.open(file.c_str());
  stream >> *model_;
  stream.close();
  cycle_ = cycle;
  console_.assign(console.begin(), console.end());
}

}  // namespace emulator
