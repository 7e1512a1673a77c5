/*
 * Cairn for Verilog by VPI. A module for Icarus is made by `iverilog-vpi -I INCLUDE cairn_vpi.c` and loaded by `vvp -m cairn_vpi`; other
 * simulators load the shared library in their own way.
 *
 *   $cairn_checkpoint;   $cairn_checkpoint("boot done");   $cairn_checkpoint("boot done", result);
 *   $cairn_forbid("bus lock");  ...  $cairn_allow;
 *
 * `result` is a variable that gets 0: no Cairn, 1: the simulation goes on, 2: it was restarted from a snapshot made here; negative: failed,
 * and why is said by the simulator. Without Cairn all three do nothing. The simulation stands at the call in the snapshot: the statements
 * after it run in each restart.
 */
#include <string.h>
#include <vpi_user.h>

#include "cairn/cairn.h"

/* The first argument as text, "" without one; the second one, or NULL. */
static vpiHandle arguments_of(vpiHandle call, char *text, unsigned capacity) {
  s_vpi_value value;
  vpiHandle arguments = vpi_iterate(vpiArgument, call), argument, second;
  text[0] = 0;
  if (arguments == NULL) return NULL;
  argument = vpi_scan(arguments);
  if (argument == NULL) return NULL; /* then the iterator is gone, too */
  value.format = vpiStringVal;
  vpi_get_value(argument, &value);
  if (value.format == vpiStringVal && value.value.str != NULL) {
    strncpy(text, value.value.str, capacity - 1);
    text[capacity - 1] = 0;
  }
  second = vpi_scan(arguments);
  if (second != NULL) vpi_free_object(arguments);
  return second;
}

static PLI_INT32 checkpoint(PLI_BYTE8 *data) {
  char name[256], why[2048];
  s_vpi_value value;
  vpiHandle variable = arguments_of(vpi_handle(vpiSysTfCall, NULL), name, sizeof name);
  int result = cairn_request_checkpoint(name);
  (void)data;
  if (result < 0) {
    cairn_request_error(why, sizeof why);
    vpi_printf("$cairn_checkpoint: %s\n", why[0] != 0 ? why : "not possible in a critical section ($cairn_forbid)");
  }
  if (variable != NULL) {
    value.format = vpiIntVal;
    value.value.integer = result;
    vpi_put_value(variable, &value, NULL, vpiNoDelay);
  }
  return 0;
}
static PLI_INT32 forbid(PLI_BYTE8 *data) {
  char what[64];
  (void)data;
  arguments_of(vpi_handle(vpiSysTfCall, NULL), what, sizeof what);
  cairn_forbid_checkpoint(what);
  return 0;
}
static PLI_INT32 allow(PLI_BYTE8 *data) {
  (void)data;
  cairn_allow_checkpoint();
  return 0;
}

static void add(const char *name, PLI_INT32 (*function)(PLI_BYTE8 *)) {
  s_vpi_systf_data task;
  memset(&task, 0, sizeof task);
  task.type = vpiSysTask;
  task.tfname = name;
  task.calltf = function;
  vpi_register_systf(&task);
}

static void start(void) {
  add("$cairn_checkpoint", checkpoint);
  add("$cairn_forbid", forbid);
  add("$cairn_allow", allow);
}

void (*vlog_startup_routines[])(void) = {start, 0};
