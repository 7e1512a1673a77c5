// The built-in plugin `exec`: programs that the application executes stay in the computation, whatever environment they are given.
// Here: its events; the environment: environment.h; the wrappers: wrap.cc and
// shell.cc. Test: test/probes/processes.
#include "exec/environment.h"
#include "exec/next.h"

namespace cairn::exec {
namespace {

int32_t init(const cairn_host* given, const char*) {
  host = given;
  remember_environment();
  remember_attached(given);
  prepare();
  return publish_streams();
}

int32_t event(uint32_t number, void*) {
  if (number == CAIRN_EVENT_RESTART) remember_settings(host);
  return 0;
}

}  // namespace
}  // namespace cairn::exec

extern "C" const struct cairn_plugin cairn_plugin_exec = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "exec", "1.0", "Cairn", cairn::exec::init,
    cairn::exec::event, nullptr, nullptr, nullptr, nullptr,
};
