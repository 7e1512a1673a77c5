#include "wire/sha256.h"

#include <string.h>

namespace cairn::wire {
namespace {

constexpr uint32_t round_words[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
constexpr uint32_t first_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr size_t block_size = 64;

uint32_t rotate(uint32_t word, unsigned bits) { return (word >> bits) | (word << (32 - bits)); }
uint32_t big_endian(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | uint32_t{at[3]};
}

}  // namespace

Sha256::Sha256() { memcpy(state_, first_state, sizeof state_); }

void Sha256::block(const uint8_t* bytes) {
  uint32_t words[64];
  for (unsigned i = 0; i < 16; ++i) words[i] = big_endian(bytes + 4 * i);
  for (unsigned i = 16; i < 64; ++i) {
    uint32_t early = words[i - 15], late = words[i - 2];
    uint32_t small = rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3);
    uint32_t large = rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10);
    words[i] = words[i - 16] + small + words[i - 7] + large;
  }
  uint32_t now[8];
  memcpy(now, state_, sizeof now);
  auto& [a, b, c, d, e, f, g, h] = now;
  for (unsigned i = 0; i < 64; ++i) {
    uint32_t one = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + round_words[i] + words[i];
    uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + one;
    d = c;
    c = b;
    b = a;
    a = one + two;
  }
  for (unsigned i = 0; i < 8; ++i) state_[i] += now[i];
}

void Sha256::add(const void* data, size_t size) {
  auto* bytes = static_cast<const uint8_t*>(data);
  while (size > 0) {
    size_t filled = size_ % block_size;
    size_t part = block_size - filled < size ? block_size - filled : size;
    memcpy(rest_ + filled, bytes, part);
    size_ += part;
    bytes += part;
    size -= part;
    if (size_ % block_size == 0) block(rest_);
  }
}

void Sha256::finish(uint8_t digest[digest_size]) {
  uint64_t bits = size_ * 8;
  const uint8_t one = 0x80, zero = 0;
  add(&one, 1);
  while (size_ % block_size != block_size - 8) add(&zero, 1);
  uint8_t length[8];
  for (unsigned i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  add(length, sizeof length);
  for (unsigned i = 0; i < digest_size; ++i) digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
}

void hmac_sha256(const void* key, size_t key_size, const void* data, size_t size, uint8_t digest[digest_size]) {
  uint8_t pad[block_size] = {};
  if (key_size > block_size) {
    Sha256 shortened;
    shortened.add(key, key_size);
    shortened.finish(pad);
  } else {
    memcpy(pad, key, key_size);
  }
  for (uint8_t& byte : pad) byte ^= 0x36;
  Sha256 inner;
  inner.add(pad, sizeof pad);
  inner.add(data, size);
  inner.finish(digest);
  for (uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  Sha256 outer;
  outer.add(pad, sizeof pad);
  outer.add(digest, digest_size);
  outer.finish(digest);
  wipe(pad, sizeof pad);
}

bool same_digest(const uint8_t* one, const uint8_t* other) {
  uint8_t difference = 0;
  for (size_t i = 0; i < digest_size; ++i) difference |= one[i] ^ other[i];
  return difference == 0;
}

void wipe(void* data, size_t size) {
  auto* bytes = static_cast<volatile uint8_t*>(data);
  for (size_t i = 0; i < size; ++i) bytes[i] = 0;
}

}  // namespace cairn::wire
