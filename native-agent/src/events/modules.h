// The program and the libraries that libc's loader has bound, or ours (events/library.h), read from memory: symbols, relocations, segments.
// Context: any. Nothing is locked: between a library's mapping and its unmapping what is read here does not change, and a restart finds
// the list whole, since the loader puts a library in when it is complete. Test: test/probes/interposition.test.ts, runs.test.ts.
#pragma once
#include <link.h>
#include <stdint.h>

#include "sys/elf.h"

namespace cairn::events {

struct Module {
  uint64_t base = 0;
  const ElfW(Dyn)* dynamic = nullptr;  // by which it is known
  const ElfW(Sym)* symbols = nullptr;
  const char* strings = nullptr;
  const uint32_t* gnu_hash = nullptr;
  const uint32_t* hash = nullptr;
  const uint16_t* versions = nullptr;
  const char* name = "";  // DT_SONAME
  const sys::elf::Relocation* relocations[2] = {};
  uint64_t relocation_bytes[2] = {};
};

/// Of a library that libc has loaded the addresses in its dynamic section are absolute; of ours, offsets.
Module read_module(uint64_t base, const ElfW(Dyn)* dynamic);

/// Not so where a thread was stopped between the moments at which the loader unmaps a library and takes it out of its list.
bool is_mapped(const link_map* map);

/// The default version of what it defines; nullptr: nothing.
const ElfW(Sym)* find_symbol(const Module& module, const char* name);
/// All versions of it: visit(context, symbol).
void for_each_version(const Module& module, const char* name, void (*visit)(void* context, const ElfW(Sym)* symbol), void* context);

/// Where it is; of a function with versions for different processors, the one for this one, which the library chooses: it must be bound.
uint64_t address_of(const Module& module, const ElfW(Sym)& symbol);

/// PROT_… of a byte of the module, as it is once the module is bound; PROT_NONE: it has no such byte.
int protection_of(const Module& module, uint64_t address);

}  // namespace cairn::events
