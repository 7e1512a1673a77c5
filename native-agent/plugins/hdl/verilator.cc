// Verilator: the next evaluation of a model is entered. It is made first, so that clocked assignments are over and values have settled, and
// then the request is served, in the same time step; what is put is there for all that is evaluated later.
#include "hdl/safe_point.h"
#include "hdl/serving.h"
#include "hdl/signals.h"

namespace cairn::hdl {
namespace {

const Program* program_ = nullptr;
uint32_t number_ = 0;

uint32_t evaluates(cairn_entry* entry, const uint64_t* arguments) {
  const uint32_t number = number_;
  reinterpret_cast<void (*)(void*)>(entry->function)(reinterpret_cast<void*>(static_cast<uintptr_t>(arguments[0])));
  if (!begin_serving(number)) return CAIRN_ENTRY_RETURN;
  if (request().writes) {
    write_signals(*program_);
    answer_writes(*program_);
  } else {
    list_signals(*program_);
  }
  end_serving();
  return CAIRN_ENTRY_RETURN;
}

cairn_entry entries[Program::most_models];

}  // namespace

int32_t arm_verilator(const cairn_host* host, const Program& program) {
  program_ = &program;
  number_ = serving_number();
  cairn_entry* all[Program::most_models];
  for (uint32_t i = 0; i < program.models; ++i) {
    entries[i].size = sizeof(cairn_entry);
    entries[i].function = reinterpret_cast<cairn_function>(program.evaluate[i]);
    entries[i].entered = evaluates;
    all[i] = &entries[i];
  }
  return host->enter(all, program.models, nullptr, nullptr);
}

void disarm_verilator(const cairn_host* host) {
  for (uint32_t i = 0; program_ != nullptr && i < program_->models; ++i) (void)host->leave(&entries[i]);
}

}  // namespace cairn::hdl
