// How a terminal's number and device are shown: the plugin pty knows (cairn.terminals/1). [any] After a restart only.
#pragma once
#include "pid/host.h"

namespace cairn::pid {

inline int32_t shown_terminal(int32_t real_number) {
  auto* terminals = static_cast<const cairn_terminals*>(host->extension("cairn.terminals/1"));
  return terminals != nullptr ? terminals->to_virtual(real_number) : real_number;
}

/// As the kernel writes a device's number into 32 bits: the minor's higher bits above the major.
inline uint32_t shown_terminal_device(uint32_t device) {
  constexpr uint32_t pty_major = 136;
  if ((device >> 8 & 0xfff) != pty_major) return device;
  auto number = static_cast<uint32_t>(shown_terminal(static_cast<int32_t>((device & 0xff) | (device >> 12 & 0xfff00))));
  return (number & 0xff) | (pty_major << 8) | ((number & 0xfff00) << 12);
}

}  // namespace cairn::pid
