/*
 * A test bench on the model: sends, steps, receives, and says where it is: `step CYCLE CHECKSUM`, one line for each 100 cycles, and
 * `refused CYCLE` where the device was busy. It ends when the file that it is given as an argument is there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model.h"

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct model *model = model_open(17);
  uint64_t checksum = 0;
  int64_t cycle = 0;
  while (model != NULL && argc == 2 && access(argv[1], F_OK) != 0) {
    unsigned char bytes[32];
    memset(bytes, (int)(cycle & 0xff), sizeof bytes);
    if (model_send(model, bytes, sizeof bytes) < 0) return 1;
    int64_t now = model_step(model, 10);
    if (now < 0) printf("refused %" PRId64 "\n", cycle);
    else cycle = now;
    int32_t count = model_receive(model, bytes, sizeof bytes);
    for (int32_t i = 0; i < count; ++i) checksum = checksum * 31 + bytes[i];
    if (now >= 0 && cycle % 100 == 0) printf("step %" PRId64 " %016" PRIx64 "\n", cycle, checksum);
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
  }
  return model != NULL && argc == 2 ? 0 : 1;
}
