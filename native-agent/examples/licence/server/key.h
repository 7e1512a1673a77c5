// The vendor's key, by which answers are signed (Ed25519). The library has its public half.
#pragma once
#include <string>

#include "../client/protocol.h"

namespace licence {

class Key {
 public:
  Key();  // a new one
  /// False: there is no key in it.
  bool read(const std::string& file);
  bool write(const std::string& file) const;
  /// What the library is compiled with.
  void print_public() const;
  void sign(lic_answer* answer) const;

 private:
  unsigned char public_[32];
  unsigned char secret_[64];
};

}  // namespace licence
