// The plugins of this process: loads them, dispatches events through their layers, and gives them struct cairn_host.
// Contexts as in cairn/plugin.h. One host a process; its state is part of the image.
#pragma once
#include <cairn/plugin.h>

#include "checkpoint/kept_files.h"
#include "checkpoint/needed_files.h"
#include "events/layers.h"
#include "sys/error.h"

namespace cairn::checkpoint {
class Stop;
}

namespace cairn::events {

/// What the agent knows and plugins may ask; set before plugins run.
struct HostFacts {
  int32_t virtual_pid;
  int32_t real_pid;
  uint32_t thread_count;
  int32_t (*thread)(uint32_t index, int32_t* virtual_tid, int32_t* real_tid);
  int32_t (*thread_call)(uint32_t index, int64_t* number, uint64_t* arguments, uint64_t* stack);  // while a restart is going on; else null
  bool (*set_thread_argument)(uint32_t index, uint32_t argument, uint64_t value);  // likewise
  uint64_t* (*thread_instruction)(uint32_t index);  // likewise: where the thread will go on
  int32_t (*registers)(uint32_t index, cairn_registers* registers);  // while threads stand; else null
  int32_t (*set_registers)(uint32_t index, const cairn_registers* registers);  // likewise
  int32_t (*stop)(cairn_stop* stop);
  checkpoint::KeptFiles* kept_files;
  checkpoint::NeededFiles* needed_files;
  sys::Error* error;  // of the operation in progress
  char snapshot[128];   // id of the one that is being made, or was restarted
  char waits_for[512];  // of the barrier in progress; empty: it is done, or failed
  bool needs_no_later;  // of the barrier in progress: CAIRN_BARRIER_LAST
  void (*log)(uint32_t level, const char* text);
  int32_t (*request_checkpoint)(const char* name);
  int32_t (*request_hold)(const char* what, const char* why);
  int64_t (*in_copy)(int64_t (*job)(void* context, void* result, uint64_t capacity), void* context, void* result, uint64_t capacity);
  int32_t (*forbid_checkpoint)(const char* what);
  int32_t (*allow_checkpoint)();
  void (*aside)(void (*job)(void* context), void* context);
  void (*around_fork)(uint32_t stage);
  int32_t (*answer)(int32_t error, const void* text, uint64_t size);
  /// [running, Cairn's own thread] All threads are stopped while job() runs: what it gives, or -errno.
  int32_t (*while_stopped)(int32_t (*job)(void* context, const checkpoint::Stop& stop), void* context, sys::Error* error);
  bool interposed_late;  // the process was attached: Cairn's functions come first, but were loaded last
};
HostFacts& facts();

/// [init] Initialises the built-in plugins.
void start_builtin_plugins();
/// [init] Loads a library; false: refused, the entry in plugins() says why. restarting: [restoring] by a loader of our own; what
/// it fails at is said there.
bool load_plugin(const char* library, const char* settings, sys::Error* restarting = nullptr);

/// Sends an event through all layers in its direction. False: a plugin failed, facts().error says which and why.
bool send(cairn_event event);
/// Offers a mapping to the plugins; the number of the one that claimed it, or -1.
int32_t claim_mapping(cairn_mapping* mapping);
/// Whether a plugin wants the content of a private mapping of a file in the image.
bool offers_content(const cairn_mapping& mapping);
bool restore_mapping(uint32_t number, cairn_mapping* mapping);
/// "plugin.barrier".
bool run_barrier(sys::Text name, bool restart);
/// All rows of a table, with the plugin that owns them.
void rows(const char* table, void (*emit)(void* context, const cairn_row* row, const char* owner), void* context);

/// Saved with every snapshot; never freed.
void* allocate(uint64_t bytes);
/// A copy, likewise; nullptr: no memory.
const char* keep_text(sys::Text text);
/// To the session's log.
void host_warning(const char* first, const char* second);
/// Grows whenever allocate() made a new mapping.
uint32_t allocated_mappings();
/// Settings replace the earlier ones of the process.
void clear_settings();
bool add_setting(uint32_t kind, sys::Text key, sys::Text value);
/// [running] An option changes while the process runs.
bool replace_option(sys::Text key, sys::Text value);
const char* setting(uint32_t kind, uint32_t index, const char** value);
const void* extension(const char* name);

}  // namespace cairn::events
