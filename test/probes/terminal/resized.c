// The program hears of a new size of its terminal after the checkpoint, and job-control signals stop and continue it.
// needs: pty
// resize: 90 20
// sabotage: call rt_sigaction 28 @default 0 8
#include "../probe.h"
#include <sys/ioctl.h>

static volatile int resized;
static void on_resize(int number) { (void)number, resized++; }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static uint64_t kernel_default[4];
  probe_note("default", (uint64_t)(uintptr_t)kernel_default);
  struct sigaction action = {.sa_handler = on_resize, .sa_flags = SA_RESTART};
  sigaction(SIGWINCH, &action, NULL);
  probe_hold();
  struct winsize size = {0};
  for (int i = 0; i < 500 && size.ws_col != 90; i++) {
    CHECK(ioctl(0, TIOCGWINSZ, &size) == 0, "TIOCGWINSZ");
    probe_sleep_ms(5);
  }
  CHECK(size.ws_col == 90 && size.ws_row == 20, "size is %d x %d", size.ws_col, size.ws_row);
  for (int i = 0; i < 200 && !resized; i++) probe_sleep_ms(5);
  CHECK(resized > 0, "SIGWINCH did not come");
  return probe_ok();
}
