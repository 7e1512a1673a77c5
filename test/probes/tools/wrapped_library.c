/* Libraries of third parties for wrapped.c, one a macro:
 *   THIRD   defines third_value, and a table of functions
 *   CALLER  calls what THIRD, the program and the C library define; bound when it is loaded, and read-only then (-z now -z relro)
 *   PLUG    is loaded by dlopen: defines plug_value, and calls third_value in its constructor */
#include <string.h>

int toupper(int); /* <ctype.h> would have it inline */
long third_value(long value);
long program_value(long value);

#ifdef THIRD
long third_value(long value) { return value * 10; }
#endif

#ifdef CALLER
long call_third(long value);
long call_program(long value);
long call_toupper(long value);
long call_strlen(const char *text);
long call_by_table(long value);
long call_third(long value) { return third_value(value); }
long call_program(long value) { return program_value(value); }
long call_toupper(long value) { return toupper((int)value); }
long call_strlen(const char *text) { return (long)strlen(text); }
static long (*const table[])(long) = {third_value};
long call_by_table(long value) { return ((long (*const volatile *)(long))table)[0](value); }
#endif

#ifdef PLUG
static long at_load;
__attribute__((constructor)) static void load(void) { at_load = third_value(7); }
long plug_value(long value);
long plug_third(long value);
long plug_at_load(void);
long plug_value(long value) { return value * 3; }
long plug_third(long value) { return third_value(value); }
long plug_at_load(void) { return at_load; }
#endif
