// Starts the emulator: reads its options, listens, says where ("listening on 127.0.0.1:4000"), and serves until it is ended.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "emulator.h"

namespace {

constexpr char usage[] =
    "emulator [--listen 127.0.0.1] [--port 4000] [--slots 2] [--store FOLDER] [--latency US] [--save-time MS] [--load-time MS]\n"
    "         [--fault STEP[@N]=refuse|die|late:MS]...   steps: attach reset load quiesce save release\n";

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "emulator: %s\n%s", what, usage);
  std::exit(2);
}

unsigned long number(const char* text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != 0 || value > 10'000'000) give_up("an option needs a number");
  return value;
}

emulator::Options read_options(int argc, char** argv) {
  emulator::Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) give_up("an option needs a value");
    const char* value = argv[i + 1];
    if (name == "--listen") options.address = value;
    else if (name == "--port") options.port = static_cast<unsigned>(number(value));
    else if (name == "--slots") options.slots = static_cast<unsigned>(number(value));
    else if (name == "--store") options.store = value;
    else if (name == "--latency") options.latency = number(value);
    else if (name == "--save-time") options.save_time = number(value);
    else if (name == "--load-time") options.load_time = number(value);
    else if (name == "--fault") {
      if (!options.faults.add(value)) give_up("a fault reads STEP[@N]=refuse, die or late:MS");
    } else {
      give_up("an option that it does not know");
    }
  }
  if (options.slots < 1 || options.slots > 64 || options.port > 65535) give_up("an option is out of range");
  return options;
}

int listen_at(const emulator::Options& options) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(options.port));
  if (inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1) give_up("--listen needs an address in numbers");
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 16) != 0) {
    std::perror("emulator: it cannot listen there");
    std::exit(1);
  }
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("listening on %s:%u\n", options.address.c_str(), unsigned{ntohs(address.sin_port)});
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  emulator::Options options = read_options(argc, argv);
  const int listening = listen_at(options);
  emulator::Emulator(std::move(options), listening).run();
}
