#include "hdl/program.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/text.h"

#if !defined(__x86_64__)

namespace cairn::hdl {

const Program* program(const cairn_host* host, int32_t* error, bool quiet) {
  *error = quiet ? -ENOENT : host->fail(-ENOTSUP, "simulation", "simulators of 32 bits cannot be entered");
  return nullptr;
}

}  // namespace cairn::hdl

#else

namespace cairn::hdl {
namespace {

using plugin::begins;
using plugin::same;

using Header = Elf64_Ehdr;
using Section = Elf64_Shdr;
using Segment = Elf64_Phdr;
using Symbol = Elf64_Sym;

Program known;

/// Models of Verilator's by the beginning of their functions' names.
struct Method {
  void (*function)(void* model);
  uint32_t length;
  char of[200];
};

/// What the executable's tables of symbols say.
struct Found {
  Program program;
  Method evaluate[Program::most_models];
  bool symbols = false;  // there is a table of those that are not exported
  bool ghdl = false;
  long error = 0;
};

struct Wanted {
  const char* name;
  void* place;  // of a pointer
};

uint64_t load_address() {
  const auto headers = reinterpret_cast<const Segment*>(getauxval(AT_PHDR));
  for (uint64_t i = 0; i < getauxval(AT_PHNUM); ++i) {
    if (headers[i].p_type == PT_PHDR) return reinterpret_cast<uintptr_t>(headers) - headers[i].p_vaddr;
  }
  return 0;
}

/// Of a line of /proc/PID/maps that has the address in it: the file's name and inode.
bool read_mapping(const char* line, uint64_t address, const char** path, uint64_t* inode) {
  int64_t start = 0, end = 0, ignored = 0, number = 0;
  auto read = [&line](unsigned base, int64_t* value, char behind) { return plugin::read_number(&line, base, value) && *line++ == behind; };
  if (!read(16, &start, '-') || !read(16, &end, ' ')) return false;
  if (address < static_cast<uint64_t>(start) || address >= static_cast<uint64_t>(end)) return false;
  while (*line != 0 && *line != ' ') ++line;  // protection
  if (*line++ != ' ' || !read(16, &ignored, ' ') || !read(16, &ignored, ':') || !read(16, &ignored, ' ') || !read(10, &number, ' ')) return false;
  while (*line == ' ') ++line;
  *path = line;
  *inode = static_cast<uint64_t>(number);
  return *line == '/';
}

/// _ZN, the class, and then the function.
bool read_method(const char* name, const char* function, Method* method) {
  const char* rest = nullptr;
  if (!begins(name, "_ZN", &rest)) return false;
  const size_t length = plugin::length_of(name), end = plugin::length_of(function);
  if (length < end + 3 || length - end > sizeof method->of || !same(name + length - end, function)) return false;
  method->length = static_cast<uint32_t>(length - end);
  memcpy(method->of, name, method->length);
  return true;
}

/// What is entered has its first bytes changed, and what stands behind them must not be.
constexpr uint64_t least_size = 5;

bool is_end(const char* name, Method* method) {
  return read_method(name, "5finalEv", method) || read_method(name, "D0Ev", method) || read_method(name, "D1Ev", method) || read_method(name, "D2Ev", method);
}

bool is_known(const Method* methods, uint32_t count, const Method& one) {
  for (uint32_t i = 0; i < count; ++i) {
    if (methods[i].function == one.function) return true;
  }
  return false;
}

/// Once it is known which classes are models.
void look_at_end(const Method& end, Found* found) {
  Program& program = found->program;
  for (uint32_t model = 0; model < program.models; ++model) {
    const Method& evaluate = found->evaluate[model];
    if (end.length != evaluate.length || memcmp(end.of, evaluate.of, end.length) != 0) continue;
    for (uint32_t i = 0; i < program.ends; ++i) {
      if (program.end[i] == end.function) return;
    }
    if (program.ends < Program::most_ends) program.end[program.ends++] = end.function;
  }
}

void look_at(const Symbol& symbol, const char* name, uint64_t base, const Wanted* wanted, Found* found) {
  const auto type = symbol.st_info & 15;
  if (symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_OBJECT)) return;
  if ((name[0] != 'v' || (name[1] != 'p' && name[1] != 'h')) && name[0] != '_' && name[0] != 'g' && name[0] != 's') return;
  const char* rest = nullptr;
  // The second is all that a stripped one shows.
  if (begins(name, "grt__", &rest) || same(name, "vhpi_register_cb")) found->ghdl = true;
  const auto address = static_cast<uintptr_t>(base + symbol.st_value);
  for (; wanted->name != nullptr; ++wanted) {
    if (same(name, wanted->name)) memcpy(wanted->place, &address, sizeof address);
  }
  if (type != STT_FUNC) return;
  Program& program = found->program;
  Method method;
  memcpy(&method.function, &address, sizeof address);
  if (read_method(name, "9eval_stepEv", &method)) {
    if (program.models == Program::most_models || is_known(found->evaluate, program.models, method)) return;
    program.evaluate[program.models] = method.function;
    found->evaluate[program.models++] = method;
  } else if (symbol.st_size >= least_size && is_end(name, &method)) {
    look_at_end(method, found);
  }
}

void read_symbols(const char* file, uint64_t size, uint64_t base, const Wanted* wanted, Found* found) {
  const auto inside = [size](uint64_t offset, uint64_t length) { return offset <= size && length <= size - offset; };
  if (!inside(0, sizeof(Header))) return;
  const auto& header = *reinterpret_cast<const Header*>(file);
  if (header.e_shentsize != sizeof(Section) || !inside(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Section))) return;
  const auto* sections = reinterpret_cast<const Section*>(file + header.e_shoff);
  for (uint32_t i = 0; i < header.e_shnum; ++i) {
    const Section& table = sections[i];
    if ((table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) || table.sh_link >= header.e_shnum) continue;
    const Section& texts = sections[table.sh_link];
    if (!inside(table.sh_offset, table.sh_size) || !inside(texts.sh_offset, texts.sh_size) || texts.sh_size == 0) continue;
    if (file[texts.sh_offset + texts.sh_size - 1] != 0) continue;
    found->symbols = found->symbols || table.sh_type == SHT_SYMTAB;
    const auto* symbols = reinterpret_cast<const Symbol*>(file + table.sh_offset);
    for (uint64_t at = 0; at < table.sh_size / sizeof(Symbol); ++at) {
      if (symbols[at].st_name < texts.sh_size) look_at(symbols[at], file + texts.sh_offset + symbols[at].st_name, base, wanted, found);
    }
  }
}

/// The file that the program's code was mapped from: the inode decides, since some file systems have another device in the kernel's list of
/// mappings than for whoever opens the file.
void read_file(const cairn_host* host, const char* path, uint64_t inode, uint64_t base, const Wanted* wanted, Found* found) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY | O_CLOEXEC, 0, 0, 0);
  // The kernel's, since ours show the application other numbers.
  struct stat status = {};
  found->error = fd < 0 ? fd : 0;
  if (fd < 0) return;
  const long looked = host->syscall(SYS_fstat, fd, reinterpret_cast<long>(&status), 0, 0, 0, 0);
  if (looked < 0 || status.st_ino != inode) {
    found->error = -ESTALE;
  } else {
    const long file = host->syscall(SYS_mmap, 0, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file < 0 && file > -4096) found->error = -ENOMEM;
    else {
      // Twice, since a model's end may stand before what tells that it is one.
      for (uint32_t round = 0; round < 2; ++round) {
        read_symbols(reinterpret_cast<const char*>(file), static_cast<uint64_t>(status.st_size), base, wanted, found);
      }
      host->syscall(SYS_munmap, file, status.st_size, 0, 0, 0, 0);
    }
  }
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

void find_file(const cairn_host* host, uint64_t base, const Wanted* wanted, Found* found) {
  plugin::Text<64> maps;
  maps.add("/proc/").add(host->real_pid()).add("/maps");
  // The program is among the first lines.
  static char text[16384];
  found->error = plugin::read_file(host, maps.text(), text, sizeof text);
  if (found->error < 0 && found->error != -EFBIG) return;
  found->error = -ENOENT;
  const uint64_t headers = getauxval(AT_PHDR);
  for (char* line = text; *line != 0;) {
    char* end = line;
    while (*end != 0 && *end != '\n') ++end;
    const bool last = *end == 0;
    *end = 0;
    const char* path = nullptr;
    uint64_t inode = 0;
    if (read_mapping(line, headers, &path, &inode)) return read_file(host, path, inode, base, wanted, found);
    if (last) return;
    line = end + 1;
  }
}

bool has_vpi(const Vpi& vpi) {
  return vpi.iterate != nullptr && vpi.scan != nullptr && vpi.by_name != nullptr && vpi.by_index != nullptr && vpi.related != nullptr &&
         vpi.get != nullptr && vpi.text != nullptr && vpi.get_value != nullptr && vpi.put_value != nullptr && vpi.register_callback != nullptr && vpi.remove_callback != nullptr &&
         vpi.get_time != nullptr && vpi.free != nullptr;
}

int32_t refuse(const cairn_host* host, const Found& found, bool quiet) {
  const Program& program = found.program;
  const char* why = "this program is no simulation that Cairn can enter: it has neither VPI nor a model of Verilator's";
  int32_t error = -ENOTSUP;
  if (found.error == -ESTALE) why = "the program's file has been replaced since it was started, and its symbols with it: start it anew";
  else if (found.error < 0) why = "the program's file cannot be read, so that its symbols are not known";
  else if (program.models > 0) why = "this model of Verilator's was built without VPI: verilate it with --vpi --public-flat-rw (and --no-inline where names are missing), and do not strip it";
  else if (found.ghdl) why = "GHDL shows its signals only to what it has loaded at its start, and holds for good what that puts: not supported. What of the design can be synthesised can be had as Verilog (ghdl --synth --out=verilog UNIT), whose signals are read and written in Icarus's vvp and in models of Verilator's";
  else if (!found.symbols && has_vpi(program.vpi)) why = "the program has VPI, but was stripped of the symbols by which its simulation can be entered: build it without -s and do not strip it";
  else if (!found.symbols) why = "the program was stripped of its symbols: if it is a model of Verilator's, build it without -s, with --vpi --public-flat-rw, and do not strip it";
  else if (has_vpi(program.vpi)) why = "the program has VPI, but is neither Icarus's vvp nor a model of Verilator's: Cairn does not know where its simulation can be entered";
  else error = -ENOENT;
  // Of a helper that nobody can look into, as a stripped shell, nothing says that it is a simulation.
  const bool simulates = has_vpi(program.vpi) || program.models > 0 || found.ghdl;
  return quiet && !simulates ? -ENOENT : host->fail(error, "simulation", why);
}

}  // namespace

const Program* program(const cairn_host* host, int32_t* error, bool quiet) {
  if (known.simulator != Simulator::unknown) return &known;
  static Found found;
  found = Found();
  Program& to = found.program;
  const Wanted wanted[] = {
      {"vpi_iterate", &to.vpi.iterate}, {"vpi_scan", &to.vpi.scan}, {"vpi_handle_by_name", &to.vpi.by_name},
      {"vpi_handle_by_index", &to.vpi.by_index}, {"vpi_handle", &to.vpi.related}, {"vpi_get", &to.vpi.get}, {"vpi_get_str", &to.vpi.text},
      {"vpi_get_value", &to.vpi.get_value}, {"vpi_put_value", &to.vpi.put_value}, {"vpi_register_cb", &to.vpi.register_callback},
      {"vpi_remove_cb", &to.vpi.remove_callback},
      {"vpi_get_time", &to.vpi.get_time}, {"vpi_free_object", &to.vpi.free},
      {"_Z12stop_handleri", &to.stop_handler}, {"_Z13schedule_stopi", &to.schedule_stop}, {"_Z16schedule_stoppedv", &to.schedule_stopped},
      {"signals_handler", &to.signals_handler},
      {"vpi_mode_flag", &to.mode_flag},
      {"_ZNK16VerilatedContext9scopeFindEPKc", &to.find_scope}, {"_ZNK14VerilatedScope7varFindEPKc", &to.find_variable},
      {"_ZN9Verilated14threadContextpEv", &to.thread_context}, {"_ZN9Verilated14s_lastContextpE", &to.last_context},
      {"_ZN16VerilatedContext12scopeNameMapEv", &to.scope_names}, {nullptr, nullptr},
  };
  const uint64_t base = load_address();
  plugin::aside(host, [&] { find_file(host, base, wanted, &found); });
  if (found.error == 0 && has_vpi(to.vpi)) {
    const bool icarus = to.stop_handler != nullptr && to.schedule_stop != nullptr && to.schedule_stopped != nullptr && to.mode_flag != nullptr;
    if (icarus) to.simulator = Simulator::icarus;
    else if (to.models > 0) to.simulator = Simulator::verilator;
  }
  if (to.simulator == Simulator::unknown) {
    *error = refuse(host, found, quiet);
    return nullptr;
  }
  known = to;
  return &known;
}

}  // namespace cairn::hdl

#endif
