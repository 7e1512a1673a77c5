// The extension "cairn.streams/1", which the plugin `exec` publishes in a program that was attached: popen(3) of a command that becomes a
// member of the computation. libc's own hands on the program's environment, which does not keep it there.
#pragma once
#include <stdint.h>
#include <stdio.h>

namespace cairn::plugin {

struct Streams {
  uint32_t size;
  /// 1: it was for this, and *stream is what popen gives; 0: it is for libc.
  int32_t (*open)(const char* command, const char* mode, FILE** stream);
  /// 1: it was one of these, and *status is what pclose gives.
  int32_t (*close)(FILE* stream, int32_t* status);
};

}  // namespace cairn::plugin
