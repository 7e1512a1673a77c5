// What a program that is started on another host needs to join: asked of the coordinator, by an ordinary program of the computation.
#pragma once
#include <string>

namespace cairn::remote {

struct Invitation {
  std::string coordinator;  // ADDRESS:PORT
  std::string secret;       // hexadecimal
  std::string secret_file;
  std::string command;      // `cairn` of this installation
  std::string address;      // of this host, for the other
};

/// Empty: done; else why not.
std::string ask_invitation(Invitation* invitation);

}  // namespace cairn::remote
