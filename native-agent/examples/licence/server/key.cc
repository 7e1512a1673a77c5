#include "key.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace licence {

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_BYTES == LIC_SIGNATURE);

Key::Key() { crypto_sign_keypair(public_, secret_); }

bool Key::read(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool whole = ::read(fd, secret_, sizeof secret_) == static_cast<ssize_t>(sizeof secret_);
  close(fd);
  return whole && crypto_sign_ed25519_sk_to_pk(public_, secret_) == 0;
}

bool Key::write(const std::string& file) const {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool whole = ::write(fd, secret_, sizeof secret_) == static_cast<ssize_t>(sizeof secret_);
  return close(fd) == 0 && whole;
}

void Key::print_public() const {
  std::printf("static const unsigned char vendor_key[32] = {");
  for (unsigned i = 0; i < sizeof public_; ++i) std::printf("%s0x%02x", i == 0 ? "" : ", ", public_[i]);
  std::printf("};\n");
}

void Key::sign(lic_answer* answer) const {
  crypto_sign_detached(answer->signature, nullptr, reinterpret_cast<const unsigned char*>(answer), offsetof(lic_answer, signature), secret_);
}

}  // namespace licence
