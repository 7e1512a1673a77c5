// The proof of a session's secret: SHA-256 and HMAC by the vectors of FIPS 180-4 and RFC 4231, and a connection to a coordinator that
// knows the secret, one that does not, and things that are none.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "wire/remote.h"
#include "wire/sha256.h"

namespace cairn::wire {
namespace {

std::string hex(const uint8_t* digest) {
  std::string text;
  for (size_t i = 0; i < digest_size; ++i) {
    char pair[3];
    snprintf(pair, sizeof pair, "%02x", digest[i]);
    text += pair;
  }
  return text;
}

std::string sum(const std::string& text, size_t piece) {
  Sha256 sha;
  for (size_t at = 0; at < text.size(); at += piece) sha.add(text.data() + at, std::min(piece, text.size() - at));
  uint8_t digest[digest_size];
  sha.finish(digest);
  return hex(digest);
}

std::string hmac(const std::string& key, const std::string& text) {
  uint8_t digest[digest_size];
  hmac_sha256(key.data(), key.size(), text.data(), text.size(), digest);
  return hex(digest);
}

TEST(Sha256, Vectors) {
  EXPECT_EQ(sum("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sum("abc", 1), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 7), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sum(std::string(1000000, 'a'), 999), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hmac, Vectors) {
  EXPECT_EQ(hmac(std::string(20, '\x0b'), "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac("Jefe", "what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/// Takes one connection, greets, and answers as `answer` says with what came.
class Peer {
 public:
  explicit Peer(std::function<std::string(const std::string& nonce, const std::string& received)> answer) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 1);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    file_ = testing::TempDir() + "coordinator." + std::to_string(getpid());
    std::ofstream(file_) << "cairn-coordinator 1\n127.0.0.1 " << ntohs(address.sin_port) << "\n" << std::string(64, 'a') << "\n";
    thread_ = std::thread([this, answer] {
      int fd = accept(listener_, nullptr, nullptr);
      std::string nonce(32, 'n'), greeting = "CAIRN/1\n" + nonce;
      (void)!write(fd, greeting.data(), greeting.size());
      char bytes[72];
      (void)!recv(fd, bytes, sizeof bytes, MSG_WAITALL);
      std::string reply = answer(nonce, std::string(bytes, sizeof bytes));
      (void)!write(fd, reply.data(), reply.size());
      close(fd);
    });
  }
  ~Peer() {
    thread_.join();
    close(listener_);
    unlink(file_.c_str());
  }
  const char* file() { return file_.c_str(); }

 private:
  int listener_;
  std::string file_;
  std::thread thread_;
};

std::string proof(char secret_byte, const std::string& side, const std::string& theirs, const std::string& ours) {
  std::string key(32, secret_byte), text = side + theirs + ours, result(32, 0);
  hmac_sha256(key.data(), key.size(), text.data(), text.size(), reinterpret_cast<uint8_t*>(result.data()));
  return result;
}

TEST(Remote, ConnectsWhereBothKnowTheSecret) {
  bool proven = false;
  Peer peer([&](const std::string& nonce, const std::string& received) {
    std::string ours = received.substr(8, 32);
    proven = received.substr(0, 8) == "CAIRN/1\n" && received.substr(40) == proof('\xaa', "client", nonce, ours);
    return proof('\xaa', "server", nonce, ours);
  });
  long fd = connect_remote(peer.file());
  EXPECT_GE(fd, 0);
  EXPECT_TRUE(proven);
  if (fd >= 0) close(static_cast<int>(fd));
}

TEST(Remote, RefusesACoordinatorWithoutTheSecret) {
  Peer peer([](const std::string& nonce, const std::string& received) { return proof('\xbb', "server", nonce, received.substr(8, 32)); });
  EXPECT_EQ(connect_remote(peer.file()), -EACCES);
}

TEST(Remote, RefusesItsOwnProof) {
  Peer peer([](const std::string&, const std::string& received) { return received.substr(40); });
  EXPECT_EQ(connect_remote(peer.file()), -EACCES);
}

TEST(Remote, AFileThatIsNoneIsNone) {
  std::string file = testing::TempDir() + "none." + std::to_string(getpid());
  for (const char* text : {"", "cairn-coordinator 1\n", "cairn-coordinator 1\nhost.example 5\naa\n", "cairn-coordinator 1\n1.2.3.4 99999\naa\n"}) {
    std::ofstream(file) << text;
    EXPECT_EQ(connect_remote(file.c_str()), -ENOTSOCK) << text;
  }
  unlink(file.c_str());
  EXPECT_EQ(connect_remote(file.c_str()), -ENOENT);
}

}  // namespace
}  // namespace cairn::wire
