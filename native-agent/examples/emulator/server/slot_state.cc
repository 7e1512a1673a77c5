// A slot's state on disk: one file in the store, STORE/NAME.state, that appears under its name when it is whole: the model's state as
// Verilator writes it, a line of text with all else, and a footer with the line's length and a checksum over everything before it.
#include <unistd.h>

#include <cctype>
#include <cstring>
#include <fstream>
#include <sstream>

#include "slot.h"

namespace emulator {
namespace {

struct Footer {
  uint64_t line;
  uint64_t checksum;
  char mark[8];
};
constexpr char mark[] = "emu-st1";
/// Of the sources, from the Makefile: Verilator's own check would end the emulator.
constexpr uint64_t design = DESIGN;

uint64_t checksum(const std::string& bytes) {
  uint64_t sum = 14695981039346656037u;  // FNV-1a
  for (const unsigned char byte : bytes) sum = (sum ^ byte) * 1099511628211u;
  return sum;
}

bool read_file(const std::string& file, std::string* content) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  *content = bytes.str();
  return in.good();
}

std::string file_of(const std::string& store, const std::string& name) { return store + "/" + name + ".state"; }

}  // namespace

bool Slot::valid_name(const std::string& name) {
  if (name.empty() || name.size() > 100 || name[0] == '.') return false;
  for (const unsigned char c : name) {
    if (std::isalnum(c) == 0 && std::strchr("._-", c) == nullptr) return false;
  }
  return true;
}

std::string Slot::describe() const {
  std::ostringstream line;
  line << design << ' ' << design_.cycle() << ' ' << ports_.size();
  for (const Port& port : ports_) line << ' ' << port.open << ' ' << port.time << ' ' << port.done;
  const std::string console = design_.console_waiting();
  line << ' ' << console.size() << ' ' << console;
  return line.str();
}

std::string Slot::save(const std::string& store, const std::string& name) const {
  const std::string partial = store + "/." + name + "." + std::to_string(getpid());
  const auto fails = [&partial](const char* what) {
    const std::string why = std::string(what) + ": " + std::strerror(errno);
    unlink(partial.c_str());
    return why;
  };
  std::string bytes;
  if (!design_.save(partial) || !read_file(partial, &bytes)) return fails("the state cannot be written into the store");
  const std::string line = describe();
  bytes += line;
  Footer footer = {line.size(), checksum(bytes), {}};
  std::memcpy(footer.mark, mark, sizeof footer.mark);
  std::ofstream out(partial, std::ios::binary | std::ios::app);
  out << line;
  out.write(reinterpret_cast<const char*>(&footer), sizeof footer);
  out.close();
  if (!out.good()) return fails("the state cannot be written into the store");
  if (rename(partial.c_str(), file_of(store, name).c_str()) != 0) return fails("the state does not get its name");
  return "";
}

std::string Slot::load(const std::string& store, const std::string& name) {
  const std::string file = file_of(store, name);
  std::string bytes;
  if (!read_file(file, &bytes)) return "it has no state " + name;
  Footer footer = {};
  if (bytes.size() >= sizeof footer) {
    std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
    bytes.resize(bytes.size() - sizeof footer);
  }
  if (std::memcmp(footer.mark, mark, sizeof footer.mark) != 0 || footer.line > bytes.size() || checksum(bytes) != footer.checksum) {
    return "the state " + name + " is damaged";
  }
  std::istringstream line(bytes.substr(bytes.size() - footer.line));
  uint64_t of_design = 0, cycle = 0;
  size_t count = 0, console_size = 0;
  line >> of_design >> cycle >> count;
  if (of_design != design) return "the state " + name + " is of another design";
  std::vector<Port> ports(count);
  for (Port& port : ports) line >> port.open >> port.time >> port.done;
  line >> console_size;
  line.get();
  std::string console(console_size, '\0');
  line.read(console.data(), static_cast<std::streamsize>(console_size));
  design_.load(file, cycle, console);
  ports_ = std::move(ports);
  quiet_ = false;
  return "";
}

}  // namespace emulator
