#include "agent/agent.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <gnu/libc-version.h>

#include "agent.pb.h"
#include "agent/altstack.h"
#include "agent/application_calls.h"
#include "agent/aside.h"
#include "agent/attached.h"
#include "agent/handshake.h"
#include "agent/interposition.h"
#include "agent/log.h"
#include "agent/descriptor_calls.h"
#include "agent/memory_calls.h"
#include "agent/operation.h"
#include "agent/restarted_thread.h"
#include "agent/stopped_threads.h"
#include "agent/tables.h"
#include "agent/thread_settings.h"
#include "agent/traced_calls.h"
#include "checkpoint/fork_advice.h"
#include "checkpoint/simulated_time.h"
#include "events/entries.h"
#include "events/host.h"
#include "events/names.h"
#include "events/own_processes.h"
#include "events/plugin_changes.h"
#include "events/wraps.h"
#include "sys/futex.h"
#include "sys/own_fds.h"
#include "sys/proc.h"

#ifndef CAIRN_BUILD_ID
#error "the build defines CAIRN_BUILD_ID"
#endif

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::processor::thread_pointer;
using sys::Text;

constexpr size_t arena_size = 64 << 20;
constexpr size_t agent_stack = 512 * 1024;
constexpr uint64_t retry_ns = 1'000'000'000;  // between attempts to find a lost coordinator
constexpr long continue_look_ns = 20'000'000;  // while a stopped process is let run for an operation
constexpr long cancel_look_ns = 200'000'000;   // while a restart goes on
constexpr int giving_up[] = {SIGINT, SIGTERM};  // by these its user cancels it
constexpr uint64_t last_word_ns = 10'000'000'000;  // for a coordinator that hangs
constexpr uint64_t exit_patience_ns = 600'000'000'000;

[[gnu::init_priority(200)]] Agent agent;
[[gnu::init_priority(200)]] Operation operation(&agent);

/// The value of "NAME=" in strings that end with an empty one; nullptr: it is not there.
const char* variable(const char* strings, const char* name) {
  size_t length = strlen(name);
  for (; *strings != 0; strings += strlen(strings) + 1) {
    if (strncmp(strings, name, length) == 0) return strings + length;
  }
  return nullptr;
}

void copy_text(char* target, size_t capacity, const char* text) { sys::TextBuilder(target, capacity).add(text ? text : ""); }

/// Of those by which a restart is cancelled.
uint64_t ignored_now() {
  uint64_t ignored = 0;
  for (int number : giving_up) {
    uintptr_t action[8] = {};  // of any processor: its handler comes first
    if (failed(call(SYS_rt_sigaction, number, nullptr, action, 8)) || action[0] != reinterpret_cast<uintptr_t>(SIG_IGN)) continue;
    ignored |= uint64_t{1} << (number - 1);
  }
  return ignored;
}

uint64_t own_start_time() { return sys::stat_field("/proc/self/stat", sys::stat_start_time); }

/// A thread control block for a thread that libc did not make: errno and thread-local variables work on it.
void* make_tls() {
  auto allocate = reinterpret_cast<void* (*)(void*)>(dlsym(RTLD_DEFAULT, "_dl_allocate_tls"));
  auto* block = allocate != nullptr ? static_cast<uintptr_t*>(allocate(nullptr)) : nullptr;
  if (block != nullptr) sys::processor::copy_descriptor(block);
  return block;
}

/// Below the agent's stack, which is at the arena's beginning: a plugin that needs more than there is meets this, and not somebody's memory.
void guard_stack(uint64_t arena) { call_unchecked(SYS_mprotect, arena, sys::page_size, PROT_NONE); }

/// Plugins that could not be loaded, to whoever looks at the computation's first process: those that it starts have the same ones.
void tell_of_plugins(int32_t virtual_parent) {
  int64_t parent = 0;
  if (events::get_name(CAIRN_NAMES_PROCESS, virtual_parent, &parent) == 0) return;
  for (uint32_t layer = 0; layer < events::plugin_count(); ++layer) {
    const events::LoadedPlugin& plugin = events::plugin(layer);
    if (plugin.library[0] == 0 || plugin.error[0] == 0) continue;
    sys::TextBuffer<1200> text;
    text.add("cairn: ").add(plugin.error).add("; this process runs on, but cannot be checkpointed\n");
    (void)sys::write_all(2, text.c_str(), text.size());
  }
}

void thread_entry(void*) { agent.run(); }
/// What is left of a process whose first thread has ended.
struct Remaining {
  int32_t process;
  int32_t agent_tid;
  uint32_t threads;  // the application's
  uint64_t code;     // of the first thread
};

void look_for_remaining(void* context) {
  auto* remaining = static_cast<Remaining*>(context);
  remaining->threads = 0;
  sys::TextBuffer<64> tasks, stat;
  tasks.add("/proc/").number(remaining->process).add("/task");
  stat.add("/proc/").number(remaining->process).add("/stat");
  sys::Status listed = sys::for_each_entry(tasks.c_str(), [&](Text name) {
    uint64_t tid = 0;
    bool known = sys::TextReader(name).number(&tid) &&
                 (tid == static_cast<uint64_t>(remaining->process) || tid == static_cast<uint64_t>(remaining->agent_tid));
    if (!known) ++remaining->threads;
    return true;
  });
  if (listed != 0) remaining->threads = 1;  // not known
  remaining->code = sys::stat_field(stat.c_str(), sys::stat_exit_code);
}

void prepare_fork() { agent.before_fork(); }
void fork_done() { agent.after_fork_in_parent(); }
void fork_child() { agent.start_after_fork(); }
void aside(void (*job)(void*), void* context) { agent.aside(job, context); }
int32_t answer(int32_t error, const void* text, uint64_t size) { return agent.answer(error, text, size); }
int32_t while_stopped(int32_t (*job)(void*, const checkpoint::Stop&), void* context, sys::Error* error) {
  return operation.while_stopped(job, context, error);
}
int32_t stop(cairn_stop* asked) {
  int32_t result = ask_stop(asked);
  if (result == 0) agent.look_now();
  return result;
}
int32_t request_hold(const char* what, const char* why) { return agent.request_hold(sys::processor::thread_pointer(), what, why); }
int64_t in_copy(int64_t (*job)(void*, void*, uint64_t), void* context, void* result, uint64_t capacity) {
  return operation.in_copy(job, context, result, capacity);
}
void around_fork(uint32_t stage) {
  if (stage == CAIRN_FORK_BEFORE) agent.before_fork();
  else if (stage == CAIRN_FORK_IN_PARENT) agent.after_fork_in_parent();
  else agent.start_after_fork();
}

}  // namespace

Agent& instance() { return agent; }

void Agent::set_facts() {
  identity_.virtual_pid = static_cast<int32_t>(call(SYS_getpid));
  identity_.virtual_parent = static_cast<int32_t>(call(SYS_getppid));
  identity_.start_time = own_start_time();
  (void)sys::read_link("/proc/self/exe", identity_.executable, sizeof identity_.executable);
  facts_.build_id = CAIRN_BUILD_ID;
  facts_.libc_version = gnu_get_libc_version();
  facts_.executable = Text(identity_.executable);
  facts_.virtual_pid = identity_.virtual_pid;
  facts_.agent_entry = reinterpret_cast<uintptr_t>(restarted_agent_entry);
  facts_.thread_entry = reinterpret_cast<uintptr_t>(restarted_thread_entry);
  events::HostFacts& host = events::facts();
  host.virtual_pid = host.real_pid = identity_.virtual_pid;
  host.log = log;
  host.request_checkpoint = cairn_agent_request_checkpoint;
  host.request_hold = agent::request_hold;
  host.in_copy = agent::in_copy;
  host.forbid_checkpoint = cairn_agent_forbid_checkpoint;
  host.allow_checkpoint = cairn_agent_allow_checkpoint;
  host.aside = agent::aside;
  host.around_fork = agent::around_fork;
  host.answer = agent::answer;
  host.while_stopped = agent::while_stopped;
  host.stop = agent::stop;
}

void Agent::aside(void (*job)(void* context), void* context) {
  bool threads_run = !operation.holds_threads() && handoff_ == nullptr;
  if (threads_run && static_cast<int32_t>(call(SYS_gettid)) == agent_tid_) run_aside(&arena_, job, context);
  else job(context);
}

void Agent::start() {
  const char* socket = getenv("CAIRN_AGENT_SOCKET");
  if (socket == nullptr || socket[0] == 0 || !is_preloaded()) return;
  copy_text(identity_.socket, sizeof identity_.socket, socket);
  copy_text(identity_.computation, sizeof identity_.computation, getenv("CAIRN_COMPUTATION"));
  if (!prepare()) return;
  pthread_atfork(prepare_fork, fork_done, fork_child);
  sys::Error error;
  if (tls_ == nullptr || !connect(&error)) {
    log(CAIRN_LOG_WARNING, "no coordinator yet");
    // Plugins that the session asks for can only be loaded here.
  }
  tell_of_plugins(identity_.virtual_parent);
  (void)events::send(CAIRN_EVENT_STARTED);
  if (error.number() == -ESHUTDOWN) return;
  if (error.number() == -ECONNREFUSED && !error.message().empty() && error.culprit() == Text("coordinator")) {
    sys::TextBuffer<1200> text;
    text.add("cairn: ").add(error.message()).add("; this process runs on, but cannot be checkpointed\n");
    (void)sys::write_all(2, text.c_str(), text.size());
    return;
  }
  start_thread();
}

bool Agent::prepare() {
  int64_t memory = call(SYS_mmap, nullptr, arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(memory)) return false;
  (void)events::map_names(identity_.socket);  // without them this process knows of itself alone
  set_facts();
  facts_.arena_start = static_cast<uint64_t>(memory);
  facts_.arena_size = arena_size;
  guard_stack(facts_.arena_start);
  uint64_t tid_address = 0;
  if (!failed(call(SYS_prctl, PR_GET_TID_ADDRESS, &tid_address, 0, 0, 0)) && tid_address > thread_pointer()) {
    facts_.tid_offset = tid_address - thread_pointer();
  }
  facts_.altstack_offset = altstack_offset();
  tls_ = make_tls();
  pointers_ = sys::processor::pointers_to(tls_);
  read_thread_settings();
  arena_.use(reinterpret_cast<void*>(memory), arena_size, agent_stack);
  channel_.use_buffers(arena_.array<char>(wire::max_frame + 4), arena_.array<char>(wire::max_frame + 4));
  find_memory_calls();
  find_descriptor_calls();
  checkpoint::prepare_fork_advice();
  checkpoint::find_simulated_time();
  events::start_builtin_plugins();
  // After exec in a restarted computation the kernel's number is not the process's name.
  take_virtual_pid(virtual_id(identity_.virtual_pid));
  identity_.virtual_parent = virtual_id(identity_.virtual_parent);
  return true;
}

bool Agent::attach(const char* variables, sys::Error* error) {
  auto fail = [error](sys::Status number, const char* text) {
    error->set(number, "attach").add(text);
    return false;
  };
  if (attached_ != 0 || facts_.arena_size != 0) return fail(-EEXIST, "Cairn is in it already, from a session that it was refused by; it cannot get in a second time");
  // First what may fail, as long as nothing has changed.
  const char* socket = variable(variables, "CAIRN_AGENT_SOCKET=");
  if (socket == nullptr) return fail(-EINVAL, "cairn-attach is of another version than libcairn.so");
  copy_text(identity_.socket, sizeof identity_.socket, socket);
  copy_text(identity_.computation, sizeof identity_.computation, variable(variables, "CAIRN_COMPUTATION="));
  wire::Channel probe;
  if (probe.connect(socket) != 0) return fail(-ECONNREFUSED, "it cannot reach the coordinator");
  probe.close();
  attached_ = 1;
  if (!tell_plugins(variables) || !prepare() || tls_ == nullptr) return fail(-ENOMEM, "it has no memory for Cairn");
  record_own_altstack();
  if (!interpose(error)) return false;
  checkpoint::look_for_fork_advice();
  events::facts().interposed_late = true;
  pthread_atfork(prepare_fork, fork_done, fork_child);
  if (!connect(error) || !start_thread()) {
    channel_.close();
    identity_.socket[0] = 0;  // its children are none of ours either
    return error->failed() ? false : fail(-EAGAIN, "it may start no thread");
  }
  // By its name the thread is known from outside.
  sys::wait_while(&named_, 0, sys::now_ns() + 1'000'000'000);
  return true;
}

void Agent::take_virtual_pid(int32_t virtual_pid) {
  identity_.virtual_pid = facts_.virtual_pid = events::facts().virtual_pid = virtual_pid;
  (void)events::set_name(CAIRN_NAMES_PROCESS, virtual_pid, events::facts().real_pid);
  events::forget_own_process(events::facts().real_pid);
}

bool Agent::connect(sys::Error* error) {
  sys::Status status = channel_.connected() ? 0 : channel_.connect(identity_.socket);
  if (status != 0) {
    error->set(status, identity_.socket).add("cannot reach the coordinator");
    return false;
  }
  Handshake::Occasion occasion = connected_once_ != 0 ? Handshake::reconnected
                                 : handoff_ != nullptr ? Handshake::restarted
                                 : forked_ != 0        ? Handshake::forked
                                                       : Handshake::launched;
  if (!Handshake(this).run(occasion, error)) {
    // Whoever waits for a restart is to learn why this process does not take part in it.
    if (occasion == Handshake::restarted) {
      log(CAIRN_LOG_ERROR, sys::TextBuffer<1024>().add(error->message()).c_str());
      send_log(&channel_);
    }
    channel_.close();
    return false;
  }
  connected_once_ = 1;
  return true;
}

bool Agent::start_thread() {
  requests_.open();
  // All signals are blocked in it: the application's are for the application's threads. A debugger does not learn of it.
  uint64_t all = ~uint64_t{0}, before = 0;
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
  uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_UNTRACED;
  char* stack = reinterpret_cast<char*>(arena_.start());
  long tid = sys::processor::clone_with_stack(flags, stack + agent_stack, thread_entry, nullptr, &pointers_);
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, 8);
  return !failed(tid);
}

void Agent::run() {
  agent_tid_ = static_cast<int32_t>(call(SYS_gettid));
  call_unchecked(SYS_prctl, PR_SET_NAME, "cairn-agent", 0, 0, 0);
  sys::store_and_wake(&named_, 1);
  serve();
  __builtin_unreachable();
}

void Agent::serve() {
  numbers_.lock();
  for (;;) {
    if (!channel_.connected() || connected_once_ == 0) {
      sys::Error error;
      fork_gate_.close();
      if (!connect(&error)) {
        log(CAIRN_LOG_DEBUG, "still no coordinator");
        requests_.lost();
      }
      fork_gate_.open();
    }
    send_log(&channel_);
    send_request();
    const uint64_t request_ns = plugin_requests_.look(&channel_);
    const uint64_t stop_ns = operation.holds_threads() || handoff_ != nullptr ? 0 : look_for_stops();
    struct pollfd waiting[3] = {{channel_.fd(), POLLIN, 0}, {save_.watch_fd(), POLLIN, 0}, {requests_.fd(), POLLIN, 0}};
    operation.look_for_continue();
    if (!operation.holds_threads() && handoff_ == nullptr) look_for_end_of_trace();
    struct timespec pause = {retry_ns / 1'000'000'000, 0};
    if (request_ns != 0 && request_ns < retry_ns) pause = {0, static_cast<long>(request_ns)};
    if (stop_ns != 0 && stop_ns < retry_ns && (request_ns == 0 || stop_ns < request_ns)) pause = {0, static_cast<long>(stop_ns)};
    if (operation.awaits_continue()) pause = {0, continue_look_ns};
    if (handoff_ != nullptr) {
      look_for_cancel();
      pause = {0, cancel_look_ns};
    }
    if (!channel_.has_input()) {
      const uint32_t before = numbers_.changes();
      numbers_.unlock();
      long come = call(SYS_ppoll, waiting, 3, &pause, nullptr, 8);
      numbers_.lock();
      if (come == 0) end_with_last_thread();
      if (numbers_.changes() != before) continue;
    }
    if (waiting[1].revents != 0) report_save();
    if (!channel_.connected() || (waiting[0].revents == 0 && !channel_.has_input())) continue;
    wire::Envelope envelope;
    sys::Status status = channel_.receive(&envelope, 0);
    if (status == 0) handle(envelope);
    // What was asked in one go is answered in one go.
    if (status == 0 && channel_.connected() && !channel_.has_input()) status = channel_.flush();
    if (status != 0) lost_coordinator();
    end_save();
  }
}

void Agent::handle(const wire::Envelope& envelope) {
  switch (envelope.field) {
    case cairn_agent_Message_plugin_request_tag:
      plugin_requests_.take(&channel_, envelope.id, envelope.body, operation.holds_threads());
      return;
    case cairn_agent_Message_phase_request_tag:
      // What was asked while the threads are held is for when they go on.
      if (!operation.holds_threads() && !operation.awaits_running()) plugin_requests_.give_up(CAIRN_REQUEST_OPERATION, &channel_);
      operation.handle(envelope.id, envelope.body);
      return;
    case cairn_agent_Message_table_request_tag:
      fork_gate_.close();
      Tables(this).answer(envelope.id, envelope.body);
      if (!operation.holds_threads()) fork_gate_.open();
      return;
    case cairn_agent_Message_setting_tag: {
      Text key, value;
      cairn_agent_Setting setting = cairn_agent_Setting_init_zero;
      setting.key = wire::decode_text(&key);
      setting.value = wire::decode_text(&value);
      bool read = wire::decode(envelope.body, cairn_agent_Setting_fields, &setting);
      if (read && setting.kind == cairn_agent_SettingKind_SETTING_OPTION) (void)events::replace_option(key, value);
      return;
    }
    case cairn_agent_Message_plugin_settings_tag:
      fork_gate_.close();
      change_plugin_settings(envelope);
      if (!operation.holds_threads()) fork_gate_.open();
      return;
    case cairn_agent_Message_plugin_gift_tag:
      fork_gate_.close();
      take_plugin_gift(envelope);
      if (!operation.holds_threads()) fork_gate_.open();
      return;
    case cairn_agent_Message_trace_request_tag: {
      fork_gate_.close();
      uint32_t untraced = take_trace_request(envelope.body);
      if (!operation.holds_threads()) fork_gate_.open();
      tell_traced_calls(&channel_, envelope.id, untraced);
      return;
    }
    case cairn_agent_Message_checkpoint_reply_tag:
      if (envelope.id == request_id_) answer_request(envelope.body);
      return;
    case cairn_agent_Message_refusal_tag:
      if (envelope.id == request_id_) requests_.answer("the session's coordinator does not know such a request");
      return;
    default:
      if (envelope.id == 0) return;
      Text reason("unknown request");
      cairn_agent_Refusal refusal = cairn_agent_Refusal_init_zero;
      refusal.reason = wire::encode_text(&reason);
      (void)channel_.send(envelope.id, cairn_agent_Message_refusal_tag, cairn_agent_Refusal_fields, &refusal);
  }
}

void Agent::change_plugin_settings(const wire::Envelope& envelope) {
  Text library, settings;
  cairn_agent_PluginSettings request = cairn_agent_PluginSettings_init_zero;
  request.library = wire::decode_text(&library);
  request.settings = wire::decode_text(&settings);
  sys::Error error;
  if (!wire::decode(envelope.body, cairn_agent_PluginSettings_fields, &request)) error.set(-EPROTO, "coordinator").add("the request could not be read");
  else (void)events::change_live_settings(library, settings, &error);
  end_plugin_change(envelope.id, error);
}

void Agent::take_plugin_gift(const wire::Envelope& envelope) {
  Text library, settings;
  cairn_agent_PluginGift gift = cairn_agent_PluginGift_init_zero;
  gift.library = wire::decode_text(&library);
  gift.settings = wire::decode_text(&settings);
  sys::Error error;
  if (!wire::decode(envelope.body, cairn_agent_PluginGift_fields, &gift)) error.set(-EPROTO, "coordinator").add("the request could not be read");
  else if (!operation.holds_threads()) error.set(-EBUSY, library).add("its threads are not stopped");
  else if (gift.take_out) events::take_plugin_back(library);
  else (void)events::give_plugin(library, settings, &error);
  sys::Error unsaid;  // The connection's end says more.
  (void)Handshake(this).describe_plugins(&unsaid);
  end_plugin_change(envelope.id, error);
}

void Agent::end_plugin_change(uint64_t id, const sys::Error& error) {
  Text why = error.message();
  cairn_agent_PluginSettingsEnd end = cairn_agent_PluginSettingsEnd_init_zero;
  end.error = wire::encode_text(&why);
  (void)channel_.send(id, cairn_agent_Message_plugin_settings_end_tag, cairn_agent_PluginSettingsEnd_fields, &end);
}

int32_t Agent::request(uint64_t thread, const char* name) { return would_wait_for_itself(thread) ? -EDEADLK : requests_.ask(name); }

int32_t Agent::request_hold(uint64_t thread, const char* what, const char* why) {
  return would_wait_for_itself(thread) ? -EDEADLK : requests_.ask_hold(what, why);
}

bool Agent::would_wait_for_itself(uint64_t thread) {
  if (!sections_.open_in(thread) && static_cast<int32_t>(call(SYS_gettid)) != agent_tid_) return false;
  requests_.refuse("this thread is in a critical section, or Cairn's own, and would wait for itself");
  return true;
}

int32_t Agent::answer(int32_t error, const void* text, uint64_t size) {
  bool wake = false;
  int32_t result = plugin_requests_.answer(error, text, size, &wake);
  if (!wake) return result;
  requests_.wake();
  if (static_cast<int32_t>(call(SYS_gettid)) != agent_tid_) plugin_requests_.await_sent();
  return result;
}

void Agent::send_request() {
  Text name, why;
  if (!channel_.connected() || !requests_.take(&name, &why)) return;
  request_id_ += 2;
  if (requests_.is_hold()) {
    cairn_agent_HoldRequest hold = cairn_agent_HoldRequest_init_zero;
    hold.what = wire::encode_text(&name);
    hold.why = wire::encode_text(&why);
    if (channel_.send(request_id_, cairn_agent_Message_hold_request_tag, cairn_agent_HoldRequest_fields, &hold) != 0) lost_coordinator();
    return;
  }
  cairn_agent_CheckpointRequest request = cairn_agent_CheckpointRequest_init_zero;
  request.name = wire::encode_text(&name);
  if (channel_.send(request_id_, cairn_agent_Message_checkpoint_request_tag, cairn_agent_CheckpointRequest_fields, &request) != 0) lost_coordinator();
}

void Agent::answer_request(Text body) {
  Text error, snapshot;
  cairn_agent_CheckpointReply reply = cairn_agent_CheckpointReply_init_zero;
  reply.error = wire::decode_text(&error);
  reply.snapshot = wire::decode_text(&snapshot);
  if (!wire::decode(body, cairn_agent_CheckpointReply_fields, &reply)) error = Text("the coordinator's answer could not be read");
  requests_.answer(error);
}

namespace {

bool write_files(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  auto* result = static_cast<const checkpoint::SaveResult*>(*argument);
  for (uint32_t i = 0; i < result->file_count; ++i) {
    Text name(result->files[i].name);
    cairn_agent_SavedFile file = cairn_agent_SavedFile_init_zero;
    file.name = wire::encode_text(&name);
    file.size = result->files[i].size;
    file.checksum = result->files[i].checksum;
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_submessage(stream, cairn_agent_SavedFile_fields, &file)) return false;
  }
  return true;
}

}  // namespace

void Agent::report_save() {
  const checkpoint::SaveResult* result = save_.result();
  send_save_done(result != nullptr ? *result : *save_.finish(), false);
  save_.note_reported();
  end_save();
}

// Not while a request of this checkpoint is still to come: the end of the connection, with that unread or unsent, would let the
// coordinator lose what it has not read. Until then the application does not end by itself, and if it is killed, the writer is there.
void Agent::end_save() {
  if (!save_.reported() || operation.awaits_running()) return;
  if (save_.active()) (void)save_.finish();
  save_.release();
  sys::store_and_wake(&writing_, 0);
}

void Agent::report_alone(const checkpoint::SaveResult& saved) {
  channel_.forget_unsent();
  send_save_done(saved, true);
  channel_.wait_for_end(sys::now_ns() + last_word_ns);
}

void Agent::send_save_done(const checkpoint::SaveResult& saved, bool alone) {
  const checkpoint::SaveResult* result = &saved;
  Text error(result->error), time(result->simulated_time);
  cairn_agent_SaveDone done = cairn_agent_SaveDone_init_zero;
  done.operation = save_operation_;
  done.error = wire::encode_text(&error);
  done.error_number = result->error_number;
  done.files.funcs.encode = write_files;
  done.files.arg = const_cast<checkpoint::SaveResult*>(result);
  done.write_ns = result->write_ns;
  done.simulated_time = wire::encode_text(&time);
  done.time_unit = result->time_unit;
  done.alone = alone;
  (void)channel_.send(0, cairn_agent_Message_save_done_tag, cairn_agent_SaveDone_fields, &done);
}

void Agent::lost_coordinator() {
  channel_.close();
  requests_.lost();
  plugin_requests_.give_up(CAIRN_REQUEST_LOST, &channel_);
  operation.abort();
  if (save_.active()) {
    save_.abandon();
    sys::store_and_wake(&writing_, 0);
  }
}

void Agent::look_for_cancel() {
  uint64_t pending = 0;
  // Every thread blocks all signals now, and what the image has of pending ones is queued when they run.
  if (cancelled_ || !channel_.connected() || failed(call(SYS_rt_sigpending, &pending, sizeof pending))) return;
  for (int number : giving_up) {
    const uint64_t one = uint64_t{1} << (number - 1);
    if (cancelled_ || (pending & one) == 0) continue;
    if ((ignored_ & one) != 0) {
      // The kernel keeps what is blocked; the program, whose own action is in place by then, is not to get it.
      struct timespec at_once = {};
      call_unchecked(SYS_rt_sigtimedwait, &one, nullptr, &at_once, sizeof one);
      continue;
    }
    cancelled_ = true;
    cairn_agent_RestartCancelled notice = {number};
    if (channel_.send(0, cairn_agent_Message_restart_cancelled_tag, cairn_agent_RestartCancelled_fields, &notice) != 0) lost_coordinator();
  }
}

void Agent::end_with_last_thread() {
  // Without memory the first thread has ended.
  char byte;
  struct iovec here = {&byte, 1}, there = {&byte, 1};
  if (save_.active() || call(SYS_process_vm_readv, call(SYS_getpid), &here, 1, &there, 1, 0) != -ESRCH) return;
  Remaining remaining = {static_cast<int32_t>(call(SYS_getpid)), agent_tid_, 0, 0};
  aside(look_for_remaining, &remaining);
  if (remaining.threads != 0) return;
  finish();
  call_unchecked(SYS_exit_group, remaining.code >> 8 & 0xff);
}

int Agent::leave_number(int fd, int (*put)(void*), void* context) {
  // The agent's own thread, in a callback of a plugin, has it.
  const bool own_thread = static_cast<int32_t>(call(SYS_gettid)) == agent_tid_;
  if (!own_thread) numbers_.lock();
  int moved = sys::is_own_fd(fd) ? give_another_number(fd) : 0;
  int result = moved < 0 ? moved : put(context);
  // What was to be put there could not be: the number is free again.
  if (moved > 0 && result < 0) call_unchecked(SYS_close, fd);
  if (!own_thread) numbers_.unlock();
  return result;
}

int Agent::give_another_number(int fd) {
  bool is_channel = channel_.fd() == fd, is_wake = requests_.fd() == fd;
  // Others are open for moments only; the kernel says the same of a number that is about to be open.
  if (!is_channel && !is_wake && !save_.renumber(fd, fd)) return -EBUSY;
  int moved = sys::leave_number(fd);
  if (moved < 0) return moved;
  numbers_.changed();
  if (is_channel) channel_.renumber(moved);
  else if (!is_wake) (void)save_.renumber(fd, moved);
  else if (!requests_.renumber(moved)) {
    sys::take_number(fd);
    (void)requests_.renumber(fd);
    sys::close_own_fd(moved);
    return -EBUSY;
  }
  return moved;
}

void Agent::unmap_room() {
  uint64_t size = room_size_;
  room_size_ = 0;  // first: a fork meanwhile must not make the child unmap what the application has there by then
  if (size != 0) call_unchecked(SYS_munmap, room_start_, size);
}

void Agent::finish() {
  (void)events::remove_name(CAIRN_NAMES_PROCESS, identity_.virtual_pid);
  if (agent_tid_ != 0) sys::wait_while(&writing_, 1, sys::now_ns() + exit_patience_ns);
}

void Agent::start_after_fork() {
  if (identity_.socket[0] == 0) return;
  sys::forget_own_fds(true);
  forget_thread_settings();
  channel_.forget();
  save_ = checkpoint::Save();
  writing_ = 0;
  agent_tid_ = 0;
  connected_once_ = 0;
  forked_ = 1;
  fork_gate_.reset();
  numbers_.reset();
  requests_.reset();
  plugin_requests_.reset();
  forget_stops();
  events::forget_entries();
  sections_.reset();
  events::forget_changing_wraps();
  handoff_ = nullptr;
  unmap_room();  // the thread that forked is the only one here
  operation.reset();
  arena_.rewind(agent_stack);
  channel_.use_buffers(arena_.array<char>(wire::max_frame + 4), arena_.array<char>(wire::max_frame + 4));
  identity_.virtual_parent = events::facts().virtual_pid;
  identity_.virtual_pid = static_cast<int32_t>(call(SYS_getpid));
  identity_.start_time = own_start_time();
  identity_.snapshot[0] = 0;
  facts_.virtual_pid = identity_.virtual_pid;
  events::facts().virtual_pid = events::facts().real_pid = identity_.virtual_pid;
  (void)events::send(CAIRN_EVENT_FORK_CHILD);
  // Its kernel id may be held as a virtual one by another process of a restarted computation.
  take_virtual_pid(virtual_id(identity_.virtual_pid));
  // Here, where no other thread is: later the program may be giving numbers to its descriptors, and meet those of a moment.
  Handshake::look_after_fork();
  (void)channel_.connect_at_once(identity_.socket);
  start_thread();
}

void Agent::run_restarted(const image::Handoff* handoff) {
  sys::processor::use_pointers(pointers_);
  agent_tid_ = static_cast<int32_t>(call(SYS_gettid));
  call_unchecked(SYS_prctl, PR_SET_NAME, "cairn-agent", 0, 0, 0);
  auto* words = const_cast<image::Handoff*>(handoff);
  for (uint32_t seen = 0; (seen = sys::load(&words->arrived)) < handoff->thread_count;) {
    sys::wait_while(&words->arrived, seen, 0);
  }
  call_unchecked(SYS_munmap, handoff->restorer_start, handoff->restorer_size);

  // The memory is that of the moment of the checkpoint: forget what was going on then.
  sys::forget_own_fds(false);
  channel_.forget();
  save_ = checkpoint::Save();
  writing_ = 0;
  connected_once_ = 0;
  cancelled_ = false;
  ignored_ = ignored_now();
  forked_ = 0;
  fork_gate_.reset();
  numbers_.reset();
  requests_.restarted();
  plugin_requests_.reset();
  forget_stops();
  sections_.reset();
  handoff_ = handoff;
  pages_device_ = handoff->pages_device;
  pages_inode_ = handoff->pages_inode;
  bool has_room = handoff->size >= offsetof(image::Handoff, room_size) + sizeof handoff->room_size;
  room_start_ = has_room ? handoff->room_start : 0;
  room_size_ = has_room ? handoff->room_size : 0;
  arena_.use(reinterpret_cast<void*>(facts_.arena_start), facts_.arena_size, handoff->arena_used);
  guard_stack(facts_.arena_start);
  forget_log();
  channel_.use_buffers(arena_.array<char>(wire::max_frame + 4), arena_.array<char>(wire::max_frame + 4));
  operation.reset();
  copy_text(identity_.socket, sizeof identity_.socket, handoff->socket);
  const char* folder_name = strrchr(handoff->folder, '/');
  copy_text(identity_.snapshot, sizeof identity_.snapshot, folder_name != nullptr ? folder_name + 1 : handoff->folder);
  identity_.start_time = own_start_time();
  events::facts().real_pid = static_cast<int32_t>(call(SYS_getpid));
  events::forget_names();
  (void)events::map_names(identity_.socket);
  take_virtual_pid(identity_.virtual_pid);
  for (uint32_t i = 0; i < handoff->ended_count; ++i) {
    const image::EndedChild& child = handoff->ended[i];
    (void)events::set_name(CAIRN_NAMES_ID, child.virtual_pid, child.real_pid);
    (void)events::set_name(CAIRN_NAMES_REAL_ID, child.real_pid, child.virtual_pid);
  }

  sys::Error error;
  if (!connect(&error)) {
    sys::TextBuffer<2048> text;
    text.add("cairn: the restart failed: process ").number(identity_.virtual_pid).add(": ").add(error.message()).add("\n");
    (void)sys::write_all(2, text.c_str(), text.size());
    call_unchecked(SYS_exit_group, 1);
  }
  requests_.open();
  serve();
  __builtin_unreachable();
}

}  // namespace cairn::agent

namespace {
[[gnu::constructor]] void start_agent() { cairn::agent::instance().start(); }
[[gnu::destructor]] void finish_agent() { cairn::agent::instance().finish(); }
}  // namespace
