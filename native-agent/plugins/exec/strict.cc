#include "exec/strict.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/kernel.h"
#include "common/text.h"
#include "exec/environment.h"
#include "exec/next.h"

extern "C" char** environ;

namespace cairn::exec {
namespace {

constexpr int most_scripts = 4;

template <typename... Arguments>
int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
long pointer(const void* address) { return reinterpret_cast<long>(address); }

template <typename Header, typename Segment>
bool has_loader(int fd, const Header& header) {
  for (unsigned i = 0; i < header.e_phnum && i < 64; ++i) {
    Segment segment;
    long at = static_cast<long>(header.e_phoff + i * sizeof segment);
    if (sys(SYS_pread64, fd, pointer(&segment), sizeof segment, at) != sizeof segment) break;
    if (segment.p_type == PT_INTERP) return true;
  }
  return false;
}

/// A program of this kind, by its first bytes, which are fewer than the header's where it is none.
template <typename Header, typename Segment>
const char* why_not_of(int fd, const char* bytes, bool wide) {
  Header header;
  memcpy(&header, bytes, sizeof header);
  if (!has_loader<Header, Segment>(fd, header)) return "it is statically linked";
  if (has_agent_for(wide)) return nullptr;
  return wide ? "it is a 64-bit program, for which there is no agent here" : "it is a 32-bit program, for which there is no agent here";
}

/// nullptr: nothing is against it, or it is no program at all, which execve(2) will say.
const char* why_not(int fd, int scripts) {
  struct stat64 status = {};
  alignas(Elf64_Ehdr) char header[sizeof(Elf64_Ehdr)] = {};
  if (sys(SYS_fstat, fd, pointer(&status)) < 0) return nullptr;
  long size = sys(SYS_pread64, fd, pointer(header), sizeof header, 0);
  if (size >= 2 && memcmp(header, "#!", 2) == 0 && scripts < most_scripts) {
    char line[256] = {};
    sys(SYS_pread64, fd, pointer(line), sizeof line - 1, 2);
    char* start = line;
    while (*start == ' ' || *start == '\t') ++start;
    start[strcspn(start, " \t\n")] = 0;
    long interpreter = sys(SYS_openat, AT_FDCWD, pointer(start), O_RDONLY | O_CLOEXEC);
    const char* why = interpreter < 0 ? nullptr : why_not(static_cast<int>(interpreter), scripts + 1);
    if (interpreter >= 0) sys(SYS_close, interpreter);
    return why;
  }
  if (size < static_cast<long>(sizeof header) || memcmp(header, ELFMAG, SELFMAG) != 0) return nullptr;
  char capabilities[64];
  if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) return "it runs with another user's or group's rights (set-id)";
  if (sys(SYS_fgetxattr, fd, pointer("security.capability"), pointer(capabilities), sizeof capabilities) > 0) return "it has capabilities of its own";
  uint16_t machine;
  memcpy(&machine, header + offsetof(Elf64_Ehdr, e_machine), sizeof machine);  // the same place in both kinds
  if (header[EI_CLASS] == ELFCLASS64 && machine == EM_X86_64) return why_not_of<Elf64_Ehdr, Elf64_Phdr>(fd, header, true);
  if (header[EI_CLASS] == ELFCLASS32 && machine == EM_386) return why_not_of<Elf32_Ehdr, Elf32_Phdr>(fd, header, false);
  return "it is not an x86 program";
}

bool is_strict() { return host != nullptr && plugin::option(host, "strict") != nullptr; }

}  // namespace

bool refuses(const char* path, int fd) {
  if (!is_strict() || (path == nullptr && fd < 0)) return false;
  long opened = fd >= 0 ? fd : sys(SYS_openat, AT_FDCWD, pointer(path), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return false;
  const char* why = why_not(static_cast<int>(opened), 0);
  if (fd < 0) sys(SYS_close, opened);
  if (why == nullptr) return false;
  plugin::Text<PATH_MAX + 256> text;
  text.add("cairn: ").add(path == nullptr ? "a program" : path).add(" is not executed: ").add(why).add(", and Cairn could not checkpoint it (--strict)\n");
  sys(SYS_write, 2, pointer(text.text()), static_cast<long>(strlen(text.text())));
  errno = EPERM;
  return true;
}

bool refuses_found(const char* file) {
  if (!is_strict() || file == nullptr) return false;
  if (strchr(file, '/') != nullptr) return refuses(file);
  const char* list = "/bin:/usr/bin";
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (strncmp(*entry, "PATH=", 5) == 0) list = *entry + 5;
  }
  for (const char* at = list;; ++at) {
    const char* end = strchrnul(at, ':');
    plugin::Text<PATH_MAX> candidate;
    char folder[PATH_MAX];
    size_t length = static_cast<size_t>(end - at);
    if (length + strlen(file) + 2 < sizeof folder) {
      memcpy(folder, at, length);
      folder[length] = 0;
      candidate.add(length == 0 ? "." : folder).add("/").add(file);
      if (sys(SYS_faccessat, AT_FDCWD, pointer(candidate.text()), X_OK) == 0) return refuses(candidate.text());
    }
    if (*end == 0) return false;
    at = end;
  }
}

}  // namespace cairn::exec
