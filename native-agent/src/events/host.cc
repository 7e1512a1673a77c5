#include "events/host.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <sys/mman.h>

#include "events/builtin.h"
#include "events/calls.h"
#include "events/entries.h"
#include "events/exchange.h"
#include "events/library.h"
#include "events/names.h"
#include "events/times.h"
#include "events/wraps.h"
#include "sys/own_fds.h"

namespace cairn::events {
namespace {

using sys::call;
using sys::failed;
using sys::Text;

struct Setting {
  Setting* next;
  uint32_t kind;
  const char* key;
  const char* value;
};
struct Extension {
  const char* name;
  const void* functions;
  int32_t publisher;  // number of the plugin; -1: built in
};

constexpr uint64_t chunk_size = 256 * 1024;
constexpr uint32_t max_extensions = 32;

// All of this is in the image: after a restart plugins, settings and extensions are as they were.
HostFacts host_facts;
Extension extensions[max_extensions];
uint32_t extension_count = 0;
Setting* settings = nullptr;
Setting** settings_end = &settings;
char* chunk = nullptr;
uint64_t chunk_left = 0;
uint32_t mappings_made = 0;
/// Descriptors are offered one after the other, and what is against each is told.
bool gathering = false;

long host_syscall(long number, long a, long b, long c, long d, long e, long f) {
  return sys::syscall6(number, a, b, c, d, e, f);
}
void host_log(uint32_t level, const char* text) { host_facts.log(level, text); }
int32_t host_fail(int32_t error, const char* culprit, const char* text) {
  if (host_facts.error == nullptr) return error;
  if (gathering) host_facts.error->also(error, culprit).add(text);
  else host_facts.error->set(error, culprit).add(text);
  return error;
}
int32_t host_virtual_pid() { return host_facts.virtual_pid; }
int32_t host_real_pid() { return host_facts.real_pid; }
int32_t host_thread(uint32_t index, int32_t* virtual_tid, int32_t* real_tid) {
  return index < host_facts.thread_count ? host_facts.thread(index, virtual_tid, real_tid) : 0;
}
int32_t host_thread_call(uint32_t index, int64_t* number, uint64_t* arguments, uint64_t* stack) {
  return index < host_facts.thread_count && host_facts.thread_call != nullptr ? host_facts.thread_call(index, number, arguments, stack) : 0;
}
int32_t host_set_thread_argument(uint32_t index, uint32_t argument, uint64_t value) {
  if (index >= host_facts.thread_count || host_facts.set_thread_argument == nullptr) return -ENOENT;
  return host_facts.set_thread_argument(index, argument, value) ? 0 : -ENOENT;
}
int32_t host_registers(uint32_t index, cairn_registers* registers) {
  if (registers == nullptr || registers->size < sizeof(cairn_registers)) return -EINVAL;
  if (host_facts.registers == nullptr) return -EBUSY;
  return index < host_facts.thread_count ? host_facts.registers(index, registers) : -ENOENT;
}
int32_t host_set_registers(uint32_t index, const cairn_registers* registers) {
  if (registers == nullptr || registers->size < sizeof(cairn_registers)) return -EINVAL;
  if (host_facts.set_registers == nullptr) return -EBUSY;
  return index < host_facts.thread_count ? host_facts.set_registers(index, registers) : -ENOENT;
}
int32_t host_stop(cairn_stop* stop) {
  return stop == nullptr || stop->size < sizeof(cairn_stop) || stop->stopped == nullptr ? -EINVAL : host_facts.stop(stop);
}
int32_t host_wrap(const cairn_wrap* wrap) {
  const LoadedPlugin* caller = calling();
  return caller == nullptr || wrap == nullptr ? -EPERM : add_wrap(number_of(*caller), *wrap);
}
int32_t host_unwrap(const cairn_wrap* wrap) {
  const LoadedPlugin* caller = calling();
  return caller == nullptr || wrap == nullptr ? -EPERM : remove_wrap(number_of(*caller), *wrap);
}
void* host_next(const char* function) {
  void* found = dlsym(RTLD_NEXT, function);
  // dlsym goes by who calls it: had this jumped there, it would be the plugin, behind which comes nothing.
  asm volatile("" : "+r"(found));
  return reinterpret_cast<void*>(below_wraps(reinterpret_cast<uintptr_t>(found)));
}
int32_t host_keep_file(int32_t fd, uint64_t length, uint32_t how) {
  return host_facts.kept_files->keep(fd, length, how == CAIRN_KEEP_NOW, host_facts.error);
}
void host_need_file(const char* path, const char* real, uint64_t size, uint64_t mtime_ns) {
  host_facts.needed_files->add({path, real, size, mtime_ns, CAIRN_FILE_CHECKED});
}
void host_list_file(const char* path, const char* real, uint64_t size, uint64_t mtime_ns, uint32_t how) {
  host_facts.needed_files->add({path, real, size, mtime_ns, how});
}
int32_t host_open_kept(int32_t number) {
  const char* folder = nullptr;
  if (setting(CAIRN_SETTING_SNAPSHOT_FOLDER, 0, &folder) == nullptr) return -ENOENT;
  sys::TextBuffer<4200> path;
  path.add(folder).add("/p").number(host_facts.virtual_pid).add(".files/").number(number);
  return static_cast<int32_t>(call(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC | O_LARGEFILE, 0));
}
int32_t host_own_fd(int32_t fd) { return sys::is_own_fd(fd) ? 1 : 0; }
int32_t host_hide_fd(int32_t fd) { return sys::hide_fd(fd); }
void host_close_fd(int32_t fd) { sys::close_own_fd(fd); }
int32_t host_publish(const char* name, const void* functions) {
  if (extension_count == max_extensions) return -ENOSPC;
  const LoadedPlugin* caller = calling();
  extensions[extension_count++] = {name, functions, caller == nullptr ? -1 : static_cast<int32_t>(number_of(*caller))};
  return 0;
}

int32_t host_request_hold(const char* what, const char* why) { return host_facts.request_hold(what, why); }
int64_t host_in_copy(int64_t (*job)(void*, void*, uint64_t), void* context, void* result, uint64_t capacity) {
  return host_facts.in_copy(job, context, result, capacity);
}
int32_t host_request_checkpoint(const char* name) { return host_facts.request_checkpoint(name); }
int32_t host_forbid_checkpoint(const char* what) { return host_facts.forbid_checkpoint(what); }
int32_t host_allow_checkpoint() { return host_facts.allow_checkpoint(); }

void host_aside(void (*job)(void* context), void* context) {
  if (host_facts.aside != nullptr) host_facts.aside(job, context);
  else job(context);
}

void host_around_fork(uint32_t stage) { host_facts.around_fork(stage); }

int32_t host_answer(int32_t error, const void* text, uint64_t size) { return host_facts.answer(error, text, size); }
int32_t host_enter(cairn_entry* const* entries, uint32_t count, void (*meanwhile)(void* context), void* context) {
  sys::Error ignored;
  return arm_entries(entries, count, meanwhile, context, host_facts.error != nullptr ? host_facts.error : &ignored);
}

int32_t host_waits_for(const char* text) {
  sys::TextBuilder(host_facts.waits_for, sizeof host_facts.waits_for).add(text);
  return CAIRN_BARRIER_WAITS;
}

int32_t host_offer(uint32_t event, void* data) {
  if (event == CAIRN_EVENT_DESCRIPTOR_SAVE) gathering = true;
  CallTimer timer;
  for (uint32_t layer = layer_count(); layer-- > 0;) {
    const LoadedPlugin& entry = in_layer(layer);
    if (entry.error[0] != 0 || entry.plugin->event == nullptr) continue;
    int32_t result = call_event(entry, event, data);
    if (result != 0) timer.by(layer, event);
    if (result == 1) return static_cast<int32_t>(number_of(entry));
    if (result < 0) return result == -1 ? -EPERM : result;
  }
  return -1;
}

/// What it has saved is nobody else's.
int32_t refuse_for_one_taken_out(const LoadedPlugin& entry, uint32_t event) {
  sys::TextBuffer<512> text;
  text.add("plugin ").add(entry.plugin->name).add(" was taken out by this restart, but the snapshot has what only it brings back (event ")
      .add(event_name(event)).add("); restart with it");
  return host_fail(-ENOTSUP, entry.library, text.c_str());
}

int32_t host_deliver(int32_t number, uint32_t event, void* data) {
  if (number < 0 || static_cast<uint32_t>(number) >= plugin_count()) return -EINVAL;
  const LoadedPlugin& entry = plugin(static_cast<uint32_t>(number));
  if (entry.out) return refuse_for_one_taken_out(entry, event);
  if (entry.error[0] != 0 || entry.plugin->event == nullptr) return 0;
  CallTimer timer;
  int32_t result = call_event(entry, event, data);
  timer.by(layer_of(number_of(entry)), event);
  return result;
}

const cairn_host host = {
    sizeof(cairn_host), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0,
    host_syscall, host_log, host_fail, allocate, setting, host_virtual_pid, host_real_pid, host_thread, host_next,
    host_keep_file, host_open_kept, host_own_fd, host_hide_fd, host_close_fd, host_publish, extension,
    set_name, claim_name, get_name, remove_name, next_name, host_offer, host_deliver,
    host_thread_call, host_need_file, host_set_thread_argument, host_list_file,
    tell_hosts, ask_hosts, answer_of_hosts, exchange_folder,
    host_request_checkpoint, host_forbid_checkpoint, host_allow_checkpoint, host_waits_for, host_aside, host_around_fork,
    host_wrap, host_unwrap, host_answer, host_enter, disarm_entry, host_in_copy, host_request_hold,
    host_registers, host_set_registers, host_stop,
};

bool goes_down(cairn_event event) { return event == CAIRN_EVENT_PRESUSPEND || event == CAIRN_EVENT_PRECHECKPOINT; }

bool deliver(const LoadedPlugin& entry, cairn_event event, void* data) {
  if (entry.error[0] != 0 || entry.plugin->event == nullptr) return true;
  CallTimer timer;
  int32_t result = call_event(entry, event, data);
  timer.by(layer_of(number_of(entry)), event);
  if (result >= 0) return true;
  if (host_facts.error != nullptr && !host_facts.error->failed()) {
    host_facts.error->set(result, entry.plugin->name)
        .add("plugin ").add(entry.plugin->name).add(" failed in event ").add(event_name(event)).add(" (error ").number(-result).add(")");
  }
  return false;
}

bool is_taken(const char* name, const LoadedPlugin* but) {
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    const LoadedPlugin& other = plugin(number);
    if (&other != but && other.error[0] == 0 && !other.out && Text(other.plugin->name) == Text(name)) return true;
  }
  return false;
}

bool refuse(LoadedPlugin* entry, const char* first, const char* second) {
  sys::TextBuffer<1024> text;
  text.add(first).add(second);
  entry->error = keep_text(text.text());
  host_log(CAIRN_LOG_ERROR, entry->error);
  return false;
}

}  // namespace

const char* keep_text(Text text) {
  char* copy = static_cast<char*>(allocate(text.size + 1));
  if (copy == nullptr) return nullptr;
  memcpy(copy, text.data, text.size);
  return copy;
}

void host_warning(const char* first, const char* second) { host_log(CAIRN_LOG_WARNING, sys::TextBuffer<512>().add(first).add(second).c_str()); }

HostFacts& facts() { return host_facts; }

void start_builtin_plugins() {
  for (const cairn_plugin* const* entry = builtin_plugins(); *entry != nullptr; ++entry) {
    LoadedPlugin* place = add_plugin();
    *place = {*entry, "", "", "{}"};
    if ((*entry)->init != nullptr && (*entry)->init(&host, "{}") < 0) refuse(place, "could not start plugin ", (*entry)->name);
  }
}

bool load_plugin(const char* library, const char* settings_text, sys::Error* restarting) {
  LoadedPlugin* place = add_plugin();
  if (place == nullptr) return false;
  static const cairn_plugin unknown = {sizeof(cairn_plugin), 0, 0, 0, "", "", "", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  *place = {&unknown, keep_text(library), "", keep_text(settings_text)};
  void* found = nullptr;
  if (restarting == nullptr) {
    plugin_comes();
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    const auto* map = static_cast<const link_map*>(handle);
    if (map != nullptr) {
      place->base = map->l_addr;
      place->dynamic = map->l_ld;
    }
    plugin_has_come();
    if (handle == nullptr) return refuse(place, "cannot load plugin: ", dlerror());
    found = dlsym(handle, "cairn_plugin_entry");
  } else {
    Library own;
    if (!load_library(library, &own, restarting)) return false;
    found = library_symbol(own, "cairn_plugin_entry");
    place->base = own.base;
    place->dynamic = own.dynamic;
  }
  auto entry = reinterpret_cast<cairn_plugin_entry_function>(found);
  if (entry == nullptr) return refuse(place, library, " is no Cairn plugin: it does not export cairn_plugin_entry");
  const cairn_plugin* plugin = entry(CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR);
  if (plugin == nullptr) return refuse(place, library, " does not work with this version of Cairn (its entry returned nothing)");
  if (plugin->abi_major != CAIRN_PLUGIN_ABI_MAJOR) {
    return refuse(place, library, " was built for another major version of cairn/plugin.h: build it anew");
  }
  if (plugin->size < sizeof(uint32_t) * 4 + 3 * sizeof(char*) || plugin->name == nullptr) {
    return refuse(place, library, " returned a damaged cairn_plugin");
  }
  // Barriers, settings and whoever looks on know it by its name.
  if (is_taken(plugin->name, place)) {
    return refuse(place, library, sys::TextBuffer<256>().add(" has the name of a plugin that is there already: ").add(plugin->name).c_str());
  }
  // What an older plugin does not have is absent for us.
  auto* known = static_cast<cairn_plugin*>(allocate(sizeof(cairn_plugin)));
  if (known == nullptr) return refuse(place, library, ": no memory");
  memcpy(known, plugin, plugin->size < sizeof *known ? plugin->size : sizeof *known);
  place->plugin = known;
  const uint32_t number = number_of(*place);
  wraps_come();
  for (const cairn_wrap* const* wrap = known->wraps; wrap != nullptr && *wrap != nullptr; ++wrap) {
    if (add_wrap(number, **wrap) >= 0) continue;
    remove_wraps(number);
    wraps_have_come();
    return refuse(place, library, " has a damaged cairn_wrap");
  }
  sys::Error at_launch;
  host_facts.error = restarting != nullptr ? restarting : &at_launch;
  bool starts = known->init == nullptr || call_init(*place, &host, settings_text) >= 0;
  const sys::Error& why = *host_facts.error;
  host_facts.error = nullptr;
  if (!starts) remove_wraps(number);
  wraps_have_come();
  if (!starts) {
    if (!why.failed()) return refuse(place, library, " refused to start (its init failed)");
    return refuse(place, library, sys::TextBuffer<1024>().add(" refused to start: ").add(why.message()).c_str());
  }
  return true;
}

bool send(cairn_event event) {
  gathering = false;
  bool ok = true;
  if (goes_down(event)) {
    for (uint32_t layer = layer_count(); layer-- > 0 && ok;) ok = deliver(in_layer(layer), event, nullptr);
    return ok;
  }
  // On the way up everybody is told, even after a failure: an abort must reach all.
  for (uint32_t layer = 0; layer < layer_count(); ++layer) {
    bool delivered = deliver(in_layer(layer), event, nullptr);
    ok = ok && delivered;
    if (!ok && event == CAIRN_EVENT_RESTART) return false;
  }
  return ok;
}

bool offers_content(const cairn_mapping& mapping) {
  cairn_mapping copy = mapping;
  return host_offer(CAIRN_EVENT_MAPPING_CONTENT, &copy) >= 0;
}

int32_t claim_mapping(cairn_mapping* mapping) { return host_offer(CAIRN_EVENT_MAPPING_SAVE, mapping); }

bool restore_mapping(uint32_t number, cairn_mapping* mapping) {
  const LoadedPlugin& entry = plugin(number);
  if (entry.out) return refuse_for_one_taken_out(entry, CAIRN_EVENT_MAPPING_RESTORE) >= 0;
  return deliver(entry, CAIRN_EVENT_MAPPING_RESTORE, mapping);
}

bool run_barrier(Text name, bool restart) {
  gathering = false;
  sys::TextReader reader(name);
  Text owner = reader.until('.');
  sys::TextBuffer<256> barrier;
  barrier.add(reader.rest());
  for (uint32_t layer = 0; layer < layer_count(); ++layer) {
    const LoadedPlugin& entry = in_layer(layer);
    if (entry.error[0] != 0 || !(owner == Text(entry.plugin->name)) || entry.plugin->barrier == nullptr) continue;
    host_facts.waits_for[0] = 0;
    CallTimer timer;
    int32_t result = call_barrier(entry, barrier.c_str(), restart);
    timer.by(layer, 0);
    host_facts.needs_no_later = result == CAIRN_BARRIER_LAST;
    if (result != CAIRN_BARRIER_WAITS) host_facts.waits_for[0] = 0;
    else if (host_facts.waits_for[0] == 0) (void)host_waits_for(sys::TextBuffer<64>().add("plugin ").add(entry.plugin->name).add(" waits").c_str());
    if (result >= 0) return true;
    if (!host_facts.error->failed()) {
      host_facts.error->set(result, entry.plugin->name).add("plugin ").add(entry.plugin->name).add(" failed at barrier ").add(barrier.text()).add(" (error ").number(-result).add(")");
    }
    return false;
  }
  return true;  // this process does not have the plugin
}

void rows(const char* table, void (*emit)(void* context, const cairn_row* row, const char* owner), void* context) {
  struct Owned {
    void (*emit)(void*, const cairn_row*, const char*);
    void* context;
    const char* owner;
  };
  for (uint32_t layer = 0; layer < layer_count(); ++layer) {
    const LoadedPlugin& entry = in_layer(layer);
    if (entry.error[0] != 0 || entry.plugin->rows == nullptr) continue;
    Owned owned = {emit, context, entry.plugin->name};
    call_rows(entry, table, [](void* data, const cairn_row* row) {
      auto* to = static_cast<Owned*>(data);
      to->emit(to->context, row, to->owner);
    }, &owned);
  }
}

uint32_t allocated_mappings() { return mappings_made; }

void* allocate(uint64_t bytes) {
  constexpr uint64_t most = uint64_t{1} << (sizeof(void*) * 8 - 1);  // that rounding up does not make little of it
  if (bytes > most) return nullptr;
  uint64_t size = (bytes + 15) & ~uint64_t{15};
  if (size > chunk_size / 4) {
    int64_t own = call(SYS_mmap, nullptr, sys::page_up(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (failed(own)) return nullptr;
    ++mappings_made;
    return reinterpret_cast<void*>(own);
  }
  if (size > chunk_left) {
    int64_t fresh = call(SYS_mmap, nullptr, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (failed(fresh)) return nullptr;
    ++mappings_made;
    chunk = reinterpret_cast<char*>(fresh);
    chunk_left = chunk_size;
  }
  void* result = chunk;
  chunk += size;
  chunk_left -= size;
  return result;
}

void clear_settings() {
  settings = nullptr;
  settings_end = &settings;
}

bool replace_option(Text key, Text value) {
  for (Setting* entry = settings; entry != nullptr; entry = entry->next) {
    if (entry->kind != CAIRN_SETTING_OPTION || !(Text(entry->key) == key)) continue;
    if (Text(entry->value) == value) return true;
    const char* copy = keep_text(value);
    if (copy != nullptr) entry->value = copy;
    return copy != nullptr;
  }
  return add_setting(CAIRN_SETTING_OPTION, key, value);
}

bool add_setting(uint32_t kind, Text key, Text value) {
  auto* entry = static_cast<Setting*>(allocate(sizeof(Setting)));
  const char* key_copy = keep_text(key);
  const char* value_copy = keep_text(value);
  if (entry == nullptr || key_copy == nullptr || value_copy == nullptr) return false;
  *entry = {nullptr, kind, key_copy, value_copy};
  *settings_end = entry;
  settings_end = &entry->next;
  return true;
}

const char* setting(uint32_t kind, uint32_t index, const char** value) {
  if (kind == CAIRN_SETTING_SNAPSHOT) {
    if (index != 0 || host_facts.snapshot[0] == 0) return nullptr;
    if (value != nullptr) *value = host_facts.snapshot;
    return "";
  }
  for (const Setting* entry = settings; entry != nullptr; entry = entry->next) {
    if (entry->kind != kind || index-- != 0) continue;
    if (value != nullptr) *value = entry->value;
    return entry->key;
  }
  return nullptr;
}

const void* extension(const char* name) {
  for (uint32_t i = 0; i < extension_count; ++i) {
    const Extension& one = extensions[i];
    if (one.publisher >= 0 && plugin(static_cast<uint32_t>(one.publisher)).out) continue;
    if (Text(one.name) == Text(name)) return one.functions;
  }
  return nullptr;
}

}  // namespace cairn::events
