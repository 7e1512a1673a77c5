// The design in a run slot: the Verilated SoC, its clock, its memory by back door, its console, and its state on disk. One thread.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

class VerilatedContext;
class Vemulated;

namespace emulator {

class Design {
 public:
  Design();
  ~Design();

  /// As after power-on, with these parameters of the program.
  void reset();
  /// Advances the clock by this many cycles.
  void run(uint64_t cycles);
  uint64_t cycle() const { return cycle_; }

  /// What the core is about to do, with the end of the simulation in the highest bits.
  uint64_t position() const;
  /// Addresses wrap around the memory.
  uint32_t read(uint32_t address) const;
  /// Gives the content before.
  uint32_t write(uint32_t address, uint32_t value);
  /// Takes up to seven bytes of what came over the serial line; how many is in the highest byte.
  uint64_t console();

  /// Writes the model's state into a new file. False: it cannot be written.
  bool save(const std::string& file) const;
  /// From a file that `save` has written: whether it is whole is for the caller to know.
  void load(const std::string& file, uint64_t cycle, const std::string& console);
  std::string console_waiting() const { return {console_.begin(), console_.end()}; }

 private:
  void half_cycle(bool clock);

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vemulated> model_;
  uint64_t cycle_ = 0;
  std::deque<char> console_;
};

}  // namespace emulator
