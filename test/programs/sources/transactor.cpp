// The verilated lanes with two threads, driven by transactions over TCP: a request has the operands and what the design made of the
// ones before; the reference model answers with what it expects. Up to eight requests are under way; every answer is compared.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>

#include "Vlanes.h"
#include "transactions.h"

static Message transact(Vlanes &design, VerilatedContext &context, uint32_t number) {
  Message message = {number, {}, {}};
  for (uint32_t lane = 0; lane < 4; lane++) message.operands[lane] = operand(number, lane);
  for (uint32_t cycle = 0; cycle < CYCLES; cycle++) {
    design.load = cycle == 0;
    for (uint32_t lane = 0; lane < 4; lane++) design.operands[lane] = message.operands[lane];
    for (uint8_t level = 0; level < 2; level++) {
      design.clock = level;
      design.eval();
      context.timeInc(5);
    }
  }
  for (uint32_t lane = 0; lane < 4; lane++) message.results[lane] = design.results[lane];
  return message;
}

int main(int argc, char **argv) {
  auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  auto design = std::make_unique<Vlanes>(context.get());
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
    perror("connect");
    return 1;
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);
  printf("begun, %u threads\n", context->threads());
  std::deque<Message> under_way;
  uint32_t digest = 0;
  for (uint32_t sent = 0, answered = 0; answered < TRANSACTIONS;) {
    if (sent < TRANSACTIONS && under_way.size() < 8) {
      Message message = transact(*design, *context, sent++);
      if (write(connection, &message, sizeof message) != sizeof message) return 2;
      under_way.push_back(message);
      continue;
    }
    Message answer;
    if (recv(connection, &answer, sizeof answer, MSG_WAITALL) != sizeof answer) return 3;
    if (memcmp(&answer, &under_way.front(), sizeof answer) != 0) {
      printf("answer %u to transaction %u differs\n", answer.number, answered);
      for (uint32_t lane = 0; lane < 4; lane++) {
        printf("lane %u: %08x gave %08x instead of %08x\n", lane, answer.operands[lane], under_way.front().results[lane], answer.results[lane]);
      }
      return 4;
    }
    under_way.pop_front();
    answered++;
    for (uint32_t result : answer.results) digest = digest * 31 + result;
    if (answered % 4 == 0) printf("%u transactions at %llu: %08x\n", answered, (unsigned long long)context->time(), digest);
  }
  // The clock runs on until somebody has made a checkpoint.
  while (access("checkpointed", F_OK) != 0) {
    design->clock = !design->clock;
    design->eval();
    usleep(5000);
  }
  shutdown(connection, SHUT_WR);
  char rest;
  return read(connection, &rest, 1) == 0 ? 0 : 5;
}
