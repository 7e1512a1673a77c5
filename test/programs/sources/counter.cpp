// main() of the counter verilated: time goes on as the design's delays say.
#include <memory>

#include "Vcounter.h"

int main(int argc, char **argv) {
  auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  context->traceEverOn(true);
  auto design = std::make_unique<Vcounter>(context.get());
  while (!context->gotFinish()) {
    design->eval();
    if (!design->eventsPending()) break;
    context->time(design->nextTimeSlot());
  }
  design->final();
  return 0;
}
