// The plugin `socket`: a checkpoint takes nothing out of queues; what it has to take out of a full TCP connection comes back, after an
// abort, too; sockets are made again with what was in them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "plugin_fake_host.h"

extern "C" const struct cairn_plugin cairn_plugin_socket;
extern "C" const struct cairn_plugin cairn_plugin_passed;
extern "C" const struct cairn_plugin cairn_plugin_pending;

namespace {

using cairn::test::fake;
using cairn::test::fake_host;

struct Offer {
  int fd;
  uint64_t token;
};

void begin() {
  static bool started = false;
  if (!started) {
    ASSERT_EQ(cairn_plugin_socket.init(fake_host(), "{}"), 0);
  }
  started = true;
  fake.virtual_pid = fake.real_pid = getpid();
  cairn::test::names[{CAIRN_NAMES_PROCESS, getpid()}] = getpid();
  fake.failure = "";
  ASSERT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_PRESUSPEND, nullptr), 0);
}

Offer offer(int fd) {
  struct stat status = {};
  fstat(fd, &status);
  cairn_descriptor data = {};
  data.size = sizeof data;
  data.fd = fd;
  data.mode = status.st_mode;
  data.device = status.st_dev;
  data.inode = status.st_ino;
  data.status_flags = static_cast<uint32_t>(fcntl(fd, F_GETFL));
  data.path = "";
  EXPECT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_DESCRIPTOR_SAVE, &data), 1) << fake.failure;
  return {fd, data.token};
}

void checkpoint(const char* last) {
  for (const char* const* name = cairn_plugin_socket.checkpoint_barriers; *name != nullptr; ++name) {
    int32_t result = cairn_plugin_socket.barrier(*name, 0);
    if (result == CAIRN_BARRIER_LAST || std::string(*name) == last) return;
    ASSERT_EQ(result, 0) << *name << ": " << fake.failure;
  }
}

void restart(const std::vector<Offer>& offers) {
  for (const Offer& one : offers) close(one.fd);
  ASSERT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_RESTART, nullptr), 0);
  for (const char* const* name = cairn_plugin_socket.restart_barriers; *name != nullptr; ++name) {
    ASSERT_EQ(cairn_plugin_socket.barrier(*name, 1), 0) << *name << ": " << fake.failure;
  }
  for (const Offer& one : offers) {
    cairn_descriptor data = {};
    data.size = sizeof data;
    data.token = one.token;
    ASSERT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_DESCRIPTOR_RESTORE, &data), 0);
    ASSERT_EQ(data.fd, one.fd);
    ASSERT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_DESCRIPTOR_FILL, &data), 0);
  }
  // What would have been in the way until then.
  ASSERT_EQ(cairn_plugin_passed.barrier("finish", 1), 0);
}

std::string read_all(int fd, size_t size) {
  std::string text(size, 0);
  ssize_t count = recv(fd, text.data(), size, MSG_WAITALL);
  text.resize(count < 0 ? 0 : static_cast<size_t>(count));
  char more;
  EXPECT_EQ(recv(fd, &more, 1, MSG_DONTWAIT), -1) << "there is more";
  return text;
}

void connection(int* ends) {
  struct sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<struct sockaddr*>(&name), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<struct sockaddr*>(&name), &size), 0);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(ends[0], reinterpret_cast<struct sockaddr*>(&name), size), 0);
  ends[1] = accept(listener, nullptr, nullptr);
  close(listener);
}

/// Sends until nothing goes any more: what it sent.
std::string stuff(int fd, unsigned seed) {
  std::string all;
  for (int quiet = 0; quiet < 20;) {
    std::string block(5000, 0);
    for (char& byte : block) byte = static_cast<char>((seed = seed * 1103515245 + 12345) >> 16);
    ssize_t count = send(fd, block.data(), block.size(), MSG_DONTWAIT);
    if (count > 0) {
      all += block.substr(0, static_cast<size_t>(count));
      quiet = 0;
    } else {
      ++quiet;
      usleep(3000);
    }
  }
  return all;
}

TEST(SocketPlugin, TakesNothingAndPutsItBack) {
  int ends[2] = {-1, -1};
  begin();
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  ASSERT_EQ(send(ends[0], "one", 3, 0), 3);
  ASSERT_EQ(send(ends[0], "two!", 4, 0), 4);
  std::vector<Offer> offers = {offer(ends[0]), offer(ends[1])};
  checkpoint("refill");
  char text[8];
  ASSERT_EQ(recv(ends[1], text, 8, MSG_DONTWAIT), 3);
  ASSERT_EQ(recv(ends[1], text, 8, MSG_DONTWAIT), 4);
  restart(offers);
  ASSERT_EQ(recv(ends[1], text, 8, MSG_DONTWAIT), 3);
  ASSERT_EQ(recv(ends[1], text, 8, MSG_DONTWAIT), 4);
  ASSERT_EQ(recv(ends[1], text, 8, MSG_DONTWAIT), -1);
  close(ends[0]);
  close(ends[1]);
}

void full(const char* last, bool aborts) {
  int ends[2] = {-1, -1};
  begin();
  connection(ends);
  std::string there = stuff(ends[0], 1), back = stuff(ends[1], 2);
  std::vector<Offer> offers = {offer(ends[0]), offer(ends[1])};
  int lock = 0;
  socklen_t size = sizeof lock;
  checkpoint(last);
  if (aborts) {
    ASSERT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_ABORT, nullptr), 0);
  }
  ASSERT_EQ(getsockopt(ends[0], SOL_SOCKET, 72 /* SO_BUF_LOCK */, &lock, &size), 0);
  EXPECT_EQ(lock, 0) << "the size of a buffer was fixed";
  EXPECT_TRUE(read_all(ends[1], there.size()) == there);
  EXPECT_TRUE(read_all(ends[0], back.size()) == back);
  if (!aborts) {
    restart(offers);
    EXPECT_TRUE(read_all(ends[1], there.size()) == there);
    EXPECT_TRUE(read_all(ends[0], back.size()) == back);
  }
  close(ends[0]);
  close(ends[1]);
}

TEST(SocketPlugin, FullConnectionGoesOnAndComesBack) { full("refill", false); }
TEST(SocketPlugin, FullConnectionSurvivesAnAbortBeforeItIsDrained) { full("peers", true); }
TEST(SocketPlugin, FullConnectionSurvivesAnAbortWhenItIsDrained) { full("drain", true); }

/// A client of a listening socket that has not accepted it, with something sent.
struct Waiting {
  int listener, client;
  uint64_t inode;
};

uint64_t inode_of(int fd) {
  struct stat status = {};
  fstat(fd, &status);
  return status.st_ino;
}

Waiting waiting() {
  struct sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  Waiting one = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0), 0};
  EXPECT_EQ(bind(one.listener, reinterpret_cast<struct sockaddr*>(&name), size), 0);
  EXPECT_EQ(listen(one.listener, 1), 0);
  EXPECT_EQ(getsockname(one.listener, reinterpret_cast<struct sockaddr*>(&name), &size), 0);
  EXPECT_EQ(connect(one.client, reinterpret_cast<struct sockaddr*>(&name), size), 0);
  EXPECT_EQ(send(one.client, "request", 7, 0), 7);
  one.inode = inode_of(one.client);
  return one;
}

/// Until a checkpoint fails behind this barrier.
void give_up_after(const char* last) {
  begin();
  Waiting one = waiting();
  ASSERT_EQ(cairn_plugin_pending.event(CAIRN_EVENT_PRESUSPEND, nullptr), 0);
  for (const char* const* name = cairn_plugin_pending.checkpoint_barriers; *name != nullptr; ++name) {
    ASSERT_EQ(cairn_plugin_pending.barrier(*name, 0), 0) << *name << ": " << fake.failure;
    if (std::string(*name) == last) break;
  }
  ASSERT_EQ(cairn_plugin_socket.event(CAIRN_EVENT_ABORT, nullptr), 0);
  ASSERT_EQ(cairn_plugin_pending.event(CAIRN_EVENT_ABORT, nullptr), 0);
  bool made_anew = std::string(last) == "accept" || std::string(last) == "connect";
  EXPECT_EQ(inode_of(one.client) == one.inode, !made_anew);
  int reuse = -1;
  socklen_t size = sizeof reuse;
  getsockopt(one.client, SOL_SOCKET, SO_REUSEADDR, &reuse, &size);
  EXPECT_EQ(reuse, 0);
  int accepted = accept4(one.listener, nullptr, nullptr, SOCK_NONBLOCK);
  ASSERT_GE(accepted, 0);
  EXPECT_EQ(read_all(accepted, 7), "request");
  ASSERT_EQ(send(accepted, "answer", 6, 0), 6);
  EXPECT_EQ(read_all(one.client, 6), "answer");
  EXPECT_EQ(fcntl(600, F_GETFD), -1) << "a hidden descriptor is left";
  close(accepted);
  close(one.client);
  close(one.listener);
}

/// A connection to elsewhere that has the same port: the kernel gives a port to several that only connect.
int connect_from(int client, int* other_listener) {
  struct sockaddr_in own = {}, name = {};
  socklen_t size = sizeof own;
  getsockname(client, reinterpret_cast<struct sockaddr*>(&own), &size);
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  *other_listener = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(bind(*other_listener, reinterpret_cast<struct sockaddr*>(&name), size), 0);
  EXPECT_EQ(listen(*other_listener, 1), 0);
  getsockname(*other_listener, reinterpret_cast<struct sockaddr*>(&name), &size);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  uint32_t range = uint32_t{ntohs(own.sin_port)} << 16 | ntohs(own.sin_port);
  bool chosen = setsockopt(fd, IPPROTO_IP, 51 /* IP_LOCAL_PORT_RANGE */, &range, sizeof range) == 0;
  if (chosen && connect(fd, reinterpret_cast<struct sockaddr*>(&name), size) == 0) return fd;
  close(fd);
  return -1;
}

TEST(PendingConnections, KeepAPortThatOthersHaveToo) {
  begin();
  Waiting one = waiting();
  int listener = -1, other = connect_from(one.client, &listener);
  if (other < 0) GTEST_SKIP() << "this kernel does not let a socket choose its port (IP_LOCAL_PORT_RANGE, Linux 6.3)";
  struct sockaddr_in before = {}, now = {};
  socklen_t size = sizeof before;
  getsockname(one.client, reinterpret_cast<struct sockaddr*>(&before), &size);
  ASSERT_EQ(cairn_plugin_pending.event(CAIRN_EVENT_PRESUSPEND, nullptr), 0);
  for (const char* const* name = cairn_plugin_pending.checkpoint_barriers; *name != nullptr; ++name) {
    ASSERT_EQ(cairn_plugin_pending.barrier(*name, 0), 0) << *name << ": " << fake.failure;
  }
  ASSERT_EQ(cairn_plugin_pending.event(CAIRN_EVENT_RESUME, nullptr), 0);
  ASSERT_NE(inode_of(one.client), one.inode);
  getsockname(one.client, reinterpret_cast<struct sockaddr*>(&now), &size);
  EXPECT_EQ(now.sin_port, before.sin_port);
  int accepted = accept4(one.listener, nullptr, nullptr, SOCK_NONBLOCK);
  EXPECT_EQ(read_all(accepted, 7), "request");
  const int all[] = {accepted, one.client, one.listener, other, listener};
  for (int fd : all) close(fd);
}

TEST(PendingConnections, StayWhereNothingWasAccepted) {
  give_up_after("listeners");
  give_up_after("clients");
}

TEST(PendingConnections, AreMadeAnewWhereTheyWereAccepted) { give_up_after("accept"); }

TEST(PendingConnections, WaitAgainWhenTheyWereMadeAnew) { give_up_after("connect"); }

}  // namespace
