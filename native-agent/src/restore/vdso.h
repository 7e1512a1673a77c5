// Brings the vdso back to where the program knows it: the program and its libc have stored addresses of its functions.
// The same vdso is moved there; another one (a different kernel) stays where it is, and the old functions jump to it.
// Context: restorer, after everything but itself and the kernel's own mappings was unmapped.
#pragma once
#include "restore/image_file.h"
#include "restore/layout.h"

namespace cairn::restore {

struct KernelPages {
  Range vdso = {0, 0};
  Range vvar[8] = {};
  uint32_t vvar_count = 0;
};

/// True: the kernel's own pages are at the old place now. False: fill the mapping from the image and call redirect_vdso.
bool move_vdso(const Image& image, KernelPages* pages, uint64_t scratch);
/// Moves the kernel's pages out of the way of `image`'s mappings if need be. False: they cannot be moved.
bool make_way(const Image& image, KernelPages* pages, uint64_t scratch);
/// The old vdso's content is back at its place, writable.
void redirect_vdso(const Image& image, const KernelPages& pages);

}  // namespace cairn::restore
