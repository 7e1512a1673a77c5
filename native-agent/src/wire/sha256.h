// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104), for proofs of a session's secret: short texts, once a connection.
// Context: any; no allocation. Test: tests/proof_test.cc, with the standards' vectors.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::wire {

inline constexpr size_t digest_size = 32;

class Sha256 {
 public:
  Sha256();
  void add(const void* data, size_t size);
  void finish(uint8_t digest[digest_size]);

 private:
  void block(const uint8_t* bytes);

  uint32_t state_[8];
  uint8_t rest_[64];
  uint64_t size_ = 0;
};

void hmac_sha256(const void* key, size_t key_size, const void* data, size_t size, uint8_t digest[digest_size]);

/// Looks at all bytes, whatever they are.
bool same_digest(const uint8_t* one, const uint8_t* other);
/// For secrets: not removed by the compiler.
void wipe(void* data, size_t size);

}  // namespace cairn::wire
