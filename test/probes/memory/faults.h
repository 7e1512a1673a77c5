// Whether reading a byte faults; the probe sets on_fault as the handler of SIGSEGV, once, so that a restart has to bring it back.
#pragma once
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static void on_fault(int number) {
  (void)number;
  siglongjmp(back, 1);
}
static int faults(volatile char *at) {
  if (sigsetjmp(back, 1)) return 1;
  (void)*at;
  return 0;
}
