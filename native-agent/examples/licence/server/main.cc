// Starts the daemon: reads its options, listens, says where ("listening on 127.0.0.1:4000"), and serves until it is ended.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "daemon.h"

namespace {

constexpr char usage[] =
    "licenced --key FILE [--listen 127.0.0.1] [--port 4000] --feature NAME:SEATS:session|host... [--lease-ms 30000]\n"
    "         [--fault STEP[@N]=refuse|die|forge|late:MS]...   steps: checkout renew pause return status\n"
    "licenced --new-key FILE   makes the vendor's key; prints its public half, which the library is compiled with\n";

struct Options {
  std::string key, address = "127.0.0.1";
  unsigned port = 0;
  uint64_t lease_ms = 30000;
  std::vector<std::string> features;
  licence::Faults faults;
};

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "licenced: %s\n%s", what, usage);
  std::exit(2);
}

unsigned long number(const char* text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != 0 || value > 1'000'000'000) give_up("an option needs a number");
  return value;
}

[[noreturn]] void make_key(const char* file) {
  const licence::Key key;
  if (!key.write(file)) {
    std::perror("licenced: the key cannot be written");
    std::exit(1);
  }
  key.print_public();
  std::exit(0);
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) give_up("an option needs a value");
    const char* value = argv[i + 1];
    if (name == "--new-key") make_key(value);
    else if (name == "--key") options.key = value;
    else if (name == "--listen") options.address = value;
    else if (name == "--port") options.port = static_cast<unsigned>(number(value));
    else if (name == "--feature") options.features.push_back(value);
    else if (name == "--lease-ms") options.lease_ms = number(value);
    else if (name == "--fault") {
      if (!options.faults.add(value)) give_up("a fault reads STEP[@N]=refuse, die, forge or late:MS");
    } else {
      give_up("an option that it does not know");
    }
  }
  if (options.port > 65535 || options.lease_ms < 100 || options.features.empty()) give_up("an option is missing, or out of range");
  return options;
}

int listen_at(const Options& options) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(options.port));
  if (inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1) give_up("--listen needs an address in numbers");
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 64) != 0) {
    std::perror("licenced: it cannot listen there");
    std::exit(1);
  }
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("listening on %s:%u\n", options.address.c_str(), unsigned{ntohs(address.sin_port)});
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (sodium_init() < 0) return 1;
  Options options = read_options(argc, argv);
  licence::Key key;
  if (!key.read(options.key)) give_up("--key needs a file that --new-key has made");
  licence::Seats seats(options.lease_ms);
  for (const std::string& one : options.features) {
    if (!seats.add_feature(one)) give_up("a feature reads NAME:SEATS:session or NAME:SEATS:host");
  }
  const int listening = listen_at(options);
  licence::Daemon(std::move(seats), key, std::move(options.faults), listening).run();
}
