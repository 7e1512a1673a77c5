// The reference model of the lanes, a TCP server for one client: what the design should have made of each request's operands.
// It prints its port into the file that is named, and at the end how many it has answered.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "transactions.h"

struct Lane {
  uint32_t state, seen = 0;
  std::vector<uint32_t> memory;
  uint8_t place = 0;

  explicit Lane(uint32_t number) : state(0x9e3779b9 + number) {
    for (uint32_t i = 0; i < 256; i++) memory.push_back(i * (number + 1));
  }
  void clock(bool load, uint32_t operand) {
    seen = state;
    if (load) {
      state ^= operand;
      return;
    }
    uint32_t product = state * 1664525 + memory[place];
    memory[place] = product ^ (state << 16 | state >> 16);
    state = product + 1013904223;
    place = static_cast<uint8_t>(place + (product >> 24));
  }
};

int main(int, char **argv) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr *>(&address), size) != 0 || listen(listener, 1) != 0) return 1;
  getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size);
  std::string name = argv[1];
  FILE *file = fopen((name + ".partial").c_str(), "w");
  if (file == nullptr) return 1;
  fprintf(file, "%d\n", ntohs(address.sin_port));
  fclose(file);
  rename((name + ".partial").c_str(), name.c_str());
  int connection = accept(listener, nullptr, nullptr);

  std::vector<Lane> lanes;
  for (uint32_t lane = 0; lane < 4; lane++) lanes.emplace_back(lane);
  Message message;
  uint32_t answered = 0, wrong = 0;
  while (recv(connection, &message, sizeof message, MSG_WAITALL) == sizeof message) {
    Message expected = message;
    for (uint32_t lane = 0; lane < 4; lane++) {
      for (uint32_t cycle = 0; cycle < CYCLES; cycle++) lanes[lane].clock(cycle == 0, message.operands[lane]);
      expected.results[lane] = lanes[lane].seen;
    }
    if (memcmp(&expected, &message, sizeof message) != 0) wrong++;
    if (write(connection, &expected, sizeof expected) != sizeof expected) return 2;
    usleep(1000);
    answered++;
  }
  printf("the reference model answered %u, %u of them other than the design\n", answered, wrong);
  return wrong == 0 ? 0 : 3;
}
