// A function that plugins from outside wrap: where it is, its layers, and the places that lead to it. Part of events/wraps.h, which says how
// this fits together and holds the lock; nobody else uses it.
#pragma once
#include "events/modules.h"

namespace cairn::events {

struct Wrap;

/// A definition that is wrapped.
struct Function {
  Module module;               // that has it; dynamic nullptr: this is not in use
  ElfW(Sym)* symbols[4];       // its names: versions that are one function
  uint32_t symbol_count;
  uint32_t resolver;           // of `resolvers`, where the library chooses it by processor; else none
  uintptr_t value;             // as the symbols had it
  uintptr_t original;          // its address
  const char* name;
  char below[64];              // the library that has it, below Cairn's own; a copy, since that may be unloaded while this is read
  bool own;                    // Cairn's own wrapper
  Wrap* top;                   // highest layer first
};

struct Wrap {
  Wrap* following;             // of all, as they came
  Wrap* below;                 // in the function's layers
  Function* at;                // null: nobody defines it
  uint32_t plugin;             // its number
  bool out;                    // removed; threads may still be in it
  const char* function;
  const char* library;         // null: any
  uintptr_t wrapper;
  uintptr_t* next;
  const uint64_t* calls;
  uint32_t number;             // of all, as they came
  Function memory;             // for the first wrap of a function: in the loader's notice nothing can be allocated
};

/// The first that has what a wrap is for, as the program would find it; Cairn's own in front of the C library's. False: nobody has it.
bool find_function(const Wrap& wrap, Function* found);
/// Fills in what has been found. bound: the libraries are, so that one may be asked which function it chooses.
bool note_function(Function* function, bool bound);

/// Whether callers are led to a wrapper by its entry (events/traced_calls.h); and where to.
extern bool calls_are_traced;
uintptr_t entry_of(const Wrap& wrap);
/// Where its callers are led to.
uintptr_t entry_of(const Function& function);
/// Into and out of its layers; and when what leads to wrappers has changed.
void put_in(Wrap* wrap, Function* function);
void take_out(Wrap* wrap);
void link_again(Function* function);
/// In its library's table of symbols. False: this system forbids it.
bool publish(Function* function);
/// All places that are bound to functions of these wraps. False: this system forbids some.
bool bind_places(const Wrap* wraps);

}  // namespace cairn::events
