// Checksums of a snapshot's files, for whoever has no XXH3 of its own. Context: restorer, which then restores nothing.
#pragma once

namespace cairn::restore {

/// Of the files from words[2] on, a line each (main.cc); ends the process.
[[noreturn]] void print_checksums(int count, char** words);

}  // namespace cairn::restore
