// Commands that start a program on another host, as CAIRN_LAUNCHERS lists them, one a line; see debug-adapter/src/model/launcher.ts:
//
//   ssh {options:BbcDEeFIiJLlmOoPpQRSWw} {host} {shell}     options first; those with these letters take a value
//   ip netns exec {host} {command}
//
// Context: an ordinary program. Test: test/hosts (launchers).
#pragma once
#include <string>
#include <vector>

namespace cairn::remote {

/// A command that was recognised, in three parts.
struct Found {
  std::vector<std::string> launcher;  // up to the program: with options and host
  std::vector<std::string> program;   // {shell}: one word, for a shell
  bool shell = false;
};

/// False: the words are no such command, or one without a program.
bool recognise(const std::string& patterns, const std::vector<std::string>& words, Found* found);

/// One word that a shell reads as exactly `word`.
std::string quoted(const std::string& word);

}  // namespace cairn::remote
