// What the plugin uses of VPI (IEEE 1800, clauses 36 to 38): numbers and structs as the standard lays them down, and the simulator's functions
// as they were found in the program. Context: the simulation's thread, at its safe point.
#pragma once
#include <stdint.h>

namespace cairn::hdl {

enum : int32_t {
  vpi_integer = 25, vpi_memory = 29, vpi_memory_word = 30, vpi_module = 32, vpi_net = 36, vpi_real = 47, vpi_reg = 48, vpi_time_variable = 63,
  vpi_variables = 100, vpi_internal_scope = 92, vpi_net_array = 114, vpi_reg_array = 116,
  vpi_long_int = 610, vpi_short_int = 611, vpi_int = 612, vpi_byte = 614, vpi_bit = 620,
  vpi_type = 1, vpi_full_name = 3, vpi_size = 4, vpi_definition = 9, vpi_precision = 12, vpi_left_range = 79, vpi_right_range = 83, vpi_automatic = 50,
  vpi_binary = 1, vpi_integer_value = 6, vpi_real_value = 7, vpi_vector = 9,
  vpi_no_delay = 1, vpi_force = 5, vpi_release = 6, vpi_simulated_time = 2,
  vpi_suppressed_time = 3, vpi_suppressed_value = 13,
  callback_value_change = 1, callback_read_write = 6, callback_read_only = 7, callback_next_time = 8, callback_after_delay = 9, callback_end_of_simulation = 12,
};

/// Of vpi_mode_flag, Icarus's, which says what a call of VPI may do.
enum : int32_t { mode_read_write = 4 };

struct VpiObject;
using Handle = VpiObject*;

struct VpiTime {
  int32_t type;
  uint32_t high;
  uint32_t low;
  double real;
};
struct VpiVector {
  uint32_t a;  // with b 0: the bit; with b 1: 1 is x and 0 is z
  uint32_t b;
};
struct VpiValue {
  int32_t format;
  union {
    char* text;
    int32_t integer;
    double real;
    VpiVector* vector;
  };
};
struct VpiCallback {
  int32_t reason;
  int32_t (*function)(VpiCallback* callback);
  Handle object;
  VpiTime* time;
  VpiValue* value;
  int32_t index;
  char* user_data;
};

struct Vpi {
  Handle (*iterate)(int32_t type, Handle object);
  Handle (*scan)(Handle iterator);
  Handle (*by_name)(const char* name, Handle scope);
  Handle (*by_index)(Handle object, int32_t index);
  Handle (*related)(int32_t type, Handle object);
  int32_t (*get)(int32_t property, Handle object);
  char* (*text)(int32_t property, Handle object);
  void (*get_value)(Handle object, VpiValue* value);
  Handle (*put_value)(Handle object, VpiValue* value, VpiTime* time, int32_t flags);
  Handle (*register_callback)(VpiCallback* callback);
  int32_t (*remove_callback)(Handle callback);
  void (*get_time)(Handle object, VpiTime* time);
  int32_t (*free)(Handle object);
};

}  // namespace cairn::hdl
