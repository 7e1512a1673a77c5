// Reaching a coordinator on another host: the file that says where it is, the connection, and the proof by both sides that they know
// the session's secret. The file lies where on the coordinator's own host the socket is, in a folder that only its user enters:
//
//   cairn-coordinator 1
//   ADDRESS PORT          numbers, no names
//   SECRET                64 hexadecimal digits
//
// Proof, before anything else is sent: the coordinator sends "CAIRN/1\n" and 32 random bytes; this side sends the same words, 32 random
// bytes of its own, and HMAC-SHA256(secret, "client" | theirs | ours); the coordinator answers HMAC-SHA256(secret, "server" | theirs | ours).
// As debug-adapter/src/platform/proof.ts. The secret is read for each connection and wiped: it is in no image.
// Context: as Channel. Tests: tests/proof_test.cc, test/protocol/remote.test.ts.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sys/error.h"
#include "sys/text.h"

namespace cairn::wire {

inline constexpr size_t secret_size = 32;

/// Of a file of the form above; -ENOTSOCK: it is none.
sys::Status read_secret(const char* file, uint8_t secret[secret_size]);
/// From 64 hexadecimal digits.
bool parse_secret(sys::Text digits, uint8_t secret[secret_size]);
/// The proof on a connection, from either side; deadline: CLOCK_MONOTONIC in ns. -EACCES: the secrets differ.
sys::Status prove_as_client(int fd, const uint8_t secret[secret_size], uint64_t deadline_ns);
sys::Status prove_as_server(int fd, const uint8_t secret[secret_size], uint64_t deadline_ns);

/// A descriptor of the proven connection, or -errno: -ENOTSOCK: the file is not such a one; -EACCES: the secrets differ.
long connect_remote(const char* file);

}  // namespace cairn::wire
