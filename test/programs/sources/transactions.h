// What the verilated lanes and their reference model say to each other.
#pragma once
#include <cstdint>

constexpr uint32_t TRANSACTIONS = 200;
constexpr uint32_t CYCLES = 4;

struct Message {
  uint32_t number;
  uint32_t operands[4];
  uint32_t results[4];
};

inline uint32_t operand(uint32_t number, uint32_t lane) { return (number * 4 + lane) * 2654435761u ^ number; }
