/* Checks layout.inc while it is compiled: sizes, places, values, and in C++ also the types of members. Compiled as C11, C++17 and C++20,
 * for 64 and for 32 bits, with all warnings: so the header also has to be plain in each of these. */
#include <cairn/plugin.h>

#include <assert.h>
#include <stddef.h>
#ifdef __cplusplus
#include <type_traits>
#define HAS_TYPE(structure, member, ...) \
  static_assert(std::is_same<decltype(structure::member), __VA_ARGS__>::value, #member " has another type");
#else
#define HAS_TYPE(structure, member, ...)
#endif

#define FOR_BITS(at64, at32) (sizeof(void *) == 8 ? (at64) : (at32))
#define SIZE(structure, at64, at32) \
  static_assert(sizeof(struct structure) == FOR_BITS(at64, at32), "struct " #structure " has another size: is its last member in layout.inc?");
#define MEMBER(structure, member, at64, at32, ...) \
  static_assert(offsetof(struct structure, member) == FOR_BITS(at64, at32), #structure "." #member " has moved"); \
  HAS_TYPE(structure, member, __VA_ARGS__)
#define VALUE(name, value) static_assert(name == (value), #name " has another value");

#include "layout.inc"

int cairn_plugin_layout_is_checked(void);
int cairn_plugin_layout_is_checked(void) { return 0; }
