// cairn-remote: a program that is started on another host stays in the computation.
//
//   cairn-remote --near WORDS...                            in place of a launcher (ssh host program...): the plugin `exec` starts it
//   cairn-remote --far ADDRESS PORT NUMBER -- PROGRAM...    there, started by `cairn join`: runs the program
//
// The launcher itself only carries `cairn join` to the other host, as a process outside of the computation that ends when that has
// been done. From then on the two cairn-remote, which are ordinary processes of the computation, stand for it: they have a connection of
// their own, on which both have proven to know the session's secret, and pass input, output and the program's status on. So a
// checkpoint finds nothing that would lead outside, and a restart brings the connection back like any other.
//
// The secret reaches the other host by the launcher's standard input, or in a file that it sees, too; never by a command line.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/invitation.h"
#include "remote/patterns.h"
#include "remote/relay.h"
#include "sys/file.h"
#include "sys/futex.h"
#include "wire/remote.h"
#include "wire/sha256.h"

namespace {

using namespace cairn::remote;

constexpr int failed_status = 255;  // as ssh has it
constexpr uint64_t second_ns = 1'000'000'000;
constexpr uint64_t start_patience_ns = 60 * second_ns;
constexpr uint64_t after_launcher_ns = 20 * second_ns;
constexpr size_t number_size = 16;

using Words = std::vector<std::string>;

std::vector<char*> pointers(const Words& words) {
  std::vector<char*> list;
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

int complain(const std::string& text) {
  fprintf(stderr, "cairn: %s\n", text.c_str());
  return failed_status;
}

std::string own_path() {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  return std::string(path, size > 0 ? static_cast<size_t>(size) : 0);
}

/// As if Cairn were not there.
[[noreturn]] void execute_plain(const Words& words) {
  setenv("CAIRN_LAUNCHER_PLAIN", "1", 1);
  execvp(words[0].c_str(), pointers(words).data());
  fprintf(stderr, "%s: %s\n", words[0].c_str(), strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

int open_socket(const std::string& address, const std::string& port, bool listens) {
  addrinfo hints = {}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(address.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  bool good = fd >= 0 && (listens ? bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 8) == 0
                                  : connect(fd, found->ai_addr, found->ai_addrlen) == 0);
  freeaddrinfo(found);
  if (good) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (good || fd < 0) return fd;
  close(fd);
  return -1;
}

std::string port_of(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  auto* four = reinterpret_cast<sockaddr_in*>(&address);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address);
  return std::to_string(ntohs(address.ss_family == AF_INET ? four->sin_port : six->sin6_port));
}

std::string make_number() {
  uint64_t value = 0;
  (void)!getrandom(&value, sizeof value, 0);
  char text[number_size + 1];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

/// Starts the launcher, outside of the computation, and hands it the secret.
pid_t start_launcher(const Found& found, const Invitation& invitation, const std::string& port, const std::string& number) {
  Words join = {invitation.command, "join", "--coordinator", invitation.coordinator, "--secret-file", invitation.secret_file, "--secret-stdin",
                "--detach", "--", own_path(), "--far", invitation.address, port, number, "--"};
  if (found.shell) join.insert(join.end(), {"/bin/sh", "-c", found.program[0]});
  else join.insert(join.end(), found.program.begin(), found.program.end());
  Words words = found.launcher;
  if (found.shell) {
    std::string line;
    for (const std::string& word : join) line += (line.empty() ? "" : " ") + quoted(word);
    words.push_back(line);
  } else {
    words.insert(words.end(), join.begin(), join.end());
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[0], 0);
    setenv("CAIRN_OUTSIDE", "1", 1);
    unsetenv("LD_PRELOAD");
    execvp(words[0].c_str(), pointers(words).data());
    fprintf(stderr, "%s: %s\n", words[0].c_str(), strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  close(ends[0]);
  std::string line = invitation.secret + "\n";
  signal(SIGPIPE, SIG_IGN);
  (void)!write(ends[1], line.data(), line.size());
  close(ends[1]);
  return child;
}

/// The other side's connection: proven, and with the number of this start; -1: something else.
int accept_far(int listener, const uint8_t* secret, const std::string& number) {
  int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), yes = 1;
  if (fd < 0) return -1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  char text[number_size];
  if (cairn::wire::prove_as_server(fd, secret, cairn::sys::now_ns() + 5 * second_ns) == 0 &&
      recv(fd, text, sizeof text, MSG_WAITALL) == static_cast<ssize_t>(sizeof text) && number == std::string(text, sizeof text)) {
    return fd;
  }
  close(fd);
  return -1;
}

int near_side(const Words& words) {
  const char* patterns = getenv("CAIRN_LAUNCHERS");
  Found found;
  if (patterns == nullptr || !recognise(patterns, words, &found)) execute_plain(words);
  Invitation invitation;
  std::string why = ask_invitation(&invitation);
  if (!why.empty()) {
    complain(words[0] + ": its program runs outside of the computation: " + why);
    execute_plain(words);
  }
  uint8_t secret[cairn::wire::secret_size];
  int listener = open_socket(invitation.address, "0", true);
  if (listener < 0 || !cairn::wire::parse_secret(cairn::sys::Text(invitation.secret.data(), invitation.secret.size()), secret)) {
    return complain("there is no address at which the program on the other host could be connected");
  }
  std::string number = make_number();
  pid_t launcher = start_launcher(found, invitation, port_of(listener), number);
  if (launcher < 0) return complain("cannot start a process");
  int connection = -1, status = 0;
  bool runs = true;
  uint64_t deadline = cairn::sys::now_ns() + start_patience_ns;
  while (connection < 0) {
    pollfd waiting = {listener, POLLIN, 0};
    if (poll(&waiting, 1, 50) > 0) connection = accept_far(listener, secret, number);
    if (runs && waitpid(launcher, &status, WNOHANG) == launcher) {
      runs = false;
      if (status != 0) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      deadline = cairn::sys::now_ns() + after_launcher_ns;
    }
    if (connection < 0 && cairn::sys::now_ns() > deadline) return complain("the program on the other host did not connect in time");
  }
  close(listener);
  cairn::wire::wipe(secret, sizeof secret);
  cairn::wire::wipe(invitation.secret.data(), invitation.secret.size());
  // It ends by itself: what it was for has been done.
  if (runs) signal(SIGCHLD, SIG_DFL);
  int result = relay_terminal(connection);
  if (runs) waitpid(launcher, &status, WNOHANG);
  return result;
}

/// Of the session that this process is in: in the file that says where the coordinator is, or beside its socket.
bool own_secret(uint8_t* secret) {
  const char* socket = getenv("CAIRN_AGENT_SOCKET");
  if (socket == nullptr) return false;
  if (cairn::wire::read_secret(socket, secret) == 0) return true;
  char real[4096], text[128];
  std::string path = realpath(socket, real) != nullptr ? real : socket;
  long size = cairn::sys::read_all((path.substr(0, path.rfind('/')) + "/secret").c_str(), text, sizeof text);
  bool good = size >= 64 && cairn::wire::parse_secret(cairn::sys::Text(text, 64), secret);
  cairn::wire::wipe(text, sizeof text);
  return good;
}

int far_side(const std::string& address, const std::string& port, const std::string& number, char** program) {
  uint8_t secret[cairn::wire::secret_size];
  int connection = open_socket(address, port, false);
  if (connection < 0 || !own_secret(secret)) return complain("where the program was started cannot be reached: " + address);
  bool proven = cairn::wire::prove_as_client(connection, secret, cairn::sys::now_ns() + 10 * second_ns) == 0;
  cairn::wire::wipe(secret, sizeof secret);
  if (!proven || send(connection, number.data(), number.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(number.size())) {
    return complain("where the program was started refuses it: " + address);
  }
  int input[2], output[2], errors[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) return complain("cannot make a pipe");
  pid_t child = fork();
  if (child == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    dup2(errors[1], 2);
    execvp(program[0], program);
    fprintf(stderr, "%s: %s\n", program[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  close(input[0]);
  close(output[1]);
  close(errors[1]);
  if (child < 0) return complain("cannot start a process");
  return relay_program(connection, input[1], output[0], errors[0], child);
}

}  // namespace

int main(int count, char** words) {
  if (count > 2 && strcmp(words[1], "--near") == 0) return near_side(Words(words + 2, words + count));
  if (count > 6 && strcmp(words[1], "--far") == 0 && strcmp(words[5], "--") == 0) return far_side(words[2], words[3], words[4], words + 6);
  fprintf(stderr, "usage: cairn-remote --near LAUNCHER... | --far ADDRESS PORT NUMBER -- PROGRAM...\n");
  return 2;
}
