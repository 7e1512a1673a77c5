// What apply.cc notes for rows.cc. Written only while no thread of the application runs; part of the image.
#pragma once
#include "environment.h"

namespace cairn::env {

struct Changes {
  Change *list;
  uint32_t count;
  bool restarted;
};
extern Changes changes;

}  // namespace cairn::env
