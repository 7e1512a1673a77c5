/*
 * Cairn for SystemVerilog by DPI. Compile this file with the design (Verilator: name it on the command line), and import:
 *
 *   import "DPI-C" function int  cairn_checkpoint(input string name);   // 0: no Cairn, 1: goes on, 2: restarted; negative: failed
 *   import "DPI-C" function int  cairn_forbid(input string what);       // a critical section begins
 *   import "DPI-C" function int  cairn_allow();                         // and ends
 *
 * Without Cairn all three do nothing and give 0. A failed request says why on stderr. cairn.h has the details.
 */
#include <stdio.h>

#include "cairn/cairn.h"

#ifdef __cplusplus
extern "C" {
#endif

int cairn_checkpoint(const char *name) {
  int result = cairn_request_checkpoint(name);
  if (result < 0) {
    char why[2048];
    cairn_request_error(why, sizeof why);
    fprintf(stderr, "cairn_checkpoint: %s\n", why[0] != 0 ? why : "this thread is in a critical section (cairn_forbid)");
  }
  return result;
}
int cairn_forbid(const char *what) { return cairn_forbid_checkpoint(what); }
int cairn_allow(void) { return cairn_allow_checkpoint(); }

#ifdef __cplusplus
}
#endif
