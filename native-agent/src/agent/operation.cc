#include "agent/operation.h"

#include <errno.h>
#include <sys/mman.h>

#include "agent/job_stop.h"
#include "agent/memory_calls.h"
#include "agent/restarted_thread.h"
#include "agent/shared_memory.h"
#include "agent/stopped_threads.h"
#include "checkpoint/copy.h"
#include "checkpoint/fork_advice.h"
#include "checkpoint/guard_regions.h"
#include "checkpoint/memory_flags.h"
#include "events/exchange.h"
#include "events/guard.h"
#include "events/host.h"
#include "events/names.h"
#include "events/times.h"
#include "events/wraps.h"
#include "sys/futex.h"
#include "sys/own_fds.h"
#include "trace/again.h"
#include "trace/tracees.h"

namespace cairn::agent {
namespace {

using sys::call;
using sys::failed;
using sys::Status;
using sys::Text;
using wire::encode_text;

constexpr uint64_t stop_patience_ns = 5'000'000'000;  // for a stop that is none of an operation
constexpr uint64_t patience_ns = 1'000'000'000;  // for threads that go on after a restart
constexpr uint64_t copy_patience_ns = 2'000'000'000;

// In the image: what the restarted process needs of the checkpoint.
[[gnu::init_priority(200)]] checkpoint::KeptFiles kept_files;
[[gnu::init_priority(200)]] checkpoint::NeededFiles needed_files;

// The threads as the plugins see them: of the stop, or after a restart of the handoff.
const checkpoint::Stop* stopped_threads = nullptr;
KnownThread restarted_threads[checkpoint::max_threads];
uint32_t restarted_thread_count = 0;

int32_t thread_of_stop(uint32_t index, int32_t* virtual_tid, int32_t* real_tid) {
  *real_tid = stopped_threads->thread(index).real_tid;
  *virtual_tid = virtual_id(*real_tid);
  return 1;
}

int32_t thread_of_restart(uint32_t index, int32_t* virtual_tid, int32_t* real_tid) {
  *virtual_tid = restarted_threads[index].virtual_tid;
  *real_tid = restarted_threads[index].real_tid;
  return 1;
}

const image::Handoff* restarting_handoff = nullptr;

int32_t call_of_restart(uint32_t index, int64_t* number, uint64_t* arguments, uint64_t* stack) {
  return sys::processor::call_of_frame(restarting_handoff->slots[index].frame, number, arguments, stack) ? 1 : 0;
}

bool set_argument_of_restart(uint32_t index, uint32_t argument, uint64_t value) {
  return sys::processor::set_frame_argument(restarting_handoff->slots[index].frame, argument, value);
}

uint64_t* instruction_of_restart(uint32_t index) { return sys::processor::frame_instruction(restarting_handoff->slots[index].frame); }

bool write_children(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  auto* family = static_cast<const Family*>(*argument);
  for (uint32_t i = 0; i < family->child_count; ++i) {
    const Child& child = family->children[i];
    cairn_agent_Child record = {child.virtual_pid, child.real_pid, child.ended, child.wait_status};
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_submessage(stream, cairn_agent_Child_fields, &record)) return false;
  }
  return true;
}

}  // namespace

namespace {

bool read_answer(pb_istream_t* stream, const pb_field_t*, void**) {
  Text key, value, address;
  cairn_agent_HostName name = cairn_agent_HostName_init_zero;
  name.key = wire::decode_text(&key);
  name.value = wire::decode_text(&value);
  name.address = wire::decode_text(&address);
  if (!pb_decode_ex(stream, cairn_agent_HostName_fields, &name, PB_DECODE_NOINIT)) return false;
  events::add_answer(name.space, key, value, name.host, address);
  return true;
}

void read_answers(Text body) {
  Text ignored;
  cairn_agent_PhaseRequest request = cairn_agent_PhaseRequest_init_zero;
  request.barrier = request.folder = request.snapshot = request.exchange_folder = wire::decode_text(&ignored);
  request.names.funcs.decode = read_answer;
  (void)wire::decode(body, cairn_agent_PhaseRequest_fields, &request);
}

bool write_said(pb_ostream_t* stream, const pb_field_t* field, void* const*) {
  Text key, value;
  cairn_agent_HostName name = cairn_agent_HostName_init_zero;
  name.key = wire::encode_text(&key);
  name.value = wire::encode_text(&value);
  for (uint32_t place = 0; events::next_said(&place, &name.space, &key, &value, &name.wanted);) {
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_submessage(stream, cairn_agent_HostName_fields, &name)) return false;
  }
  return true;
}

bool write_times(pb_ostream_t* stream, const pb_field_t* field, void* const*) {
  for (uint32_t i = 0; i < events::time_count(); ++i) {
    const events::CallTime& time = events::time_at(i);
    cairn_agent_CallTime record = {time.layer, time.event, time.first_ns, time.total_ns, time.count};
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_submessage(stream, cairn_agent_CallTime_fields, &record)) return false;
  }
  return true;
}

}  // namespace

int32_t virtual_id(int32_t real) {
  auto* ids = static_cast<const cairn_ids*>(events::extension("cairn.ids/1"));
  return ids == nullptr ? real : ids->to_virtual(real);
}

int32_t real_id(int32_t virtual_id) {
  auto* ids = static_cast<const cairn_ids*>(events::extension("cairn.ids/1"));
  return ids == nullptr ? virtual_id : ids->to_real(virtual_id);
}

void Operation::handle(uint64_t id, Text body) {
  Text barrier, folder, snapshot, exchange;
  cairn_agent_PhaseRequest request = cairn_agent_PhaseRequest_init_zero;
  request.barrier = wire::decode_text(&barrier);
  request.folder = wire::decode_text(&folder);
  request.snapshot = wire::decode_text(&snapshot);
  request.exchange_folder = wire::decode_text(&exchange);
  // The replies to barriers of ours go out together where several are asked for in one go, since nothing there waits for anybody. Whatever
  // else may take its time begins with all that is over said.
  auto is_brief = [&] { return request.phase == cairn_agent_Phase_PHASE_BARRIER || request.phase == cairn_agent_Phase_PHASE_SUSPEND; };
  uint64_t start = sys::now_ns();
  events::begin_times(start);
  error_.clear();
  events::facts().error = &error_;
  events::facts().waits_for[0] = 0;
  events::facts().needs_no_later = false;
  bool readable = wire::decode(body, cairn_agent_PhaseRequest_fields, &request);
  if (!is_brief()) (void)agent_->channel_.flush();
  if (!readable) {
    error_.set(-EPROTO, "coordinator").add("a phase request could not be read");
  } else if (request.phase == cairn_agent_Phase_PHASE_ABORT) {
    abort(true, static_cast<int>(request.end_status));
  } else if (request.phase == cairn_agent_Phase_PHASE_ASK) {
    (void)forbidden();
  } else {
    // Once more for the answers, which need their place first.
    events::begin_exchange_phase(request.operation, request.hosts, exchange, arena_);
    if (request.hosts > 1) read_answers(body);
    // Should this thread get stuck (in a plugin, or on a lock that a stopped thread holds), the tracer gives up by itself.
    if (progress_ == suspended && request.deadline_ms != 0) stop_.extend(start + uint64_t{request.deadline_ms} * 1'000'000);
    // The coordinator may send phases ahead of the replies: after a failure they are refused, until it aborts.
    if (failed_) error_.set(-ECANCELED, "operation").add("an earlier phase of this operation has failed");
    // Where nothing has begun, nothing is to be given up: a request that is late for its operation does not spoil the next one.
    else failed_ = !run(request, barrier, folder, snapshot) && progress_ != none;
    if (progress_ == suspended) stop_.extend(0);
  }
  events::facts().error = nullptr;
  if (error_.failed() && !failure_.failed()) failure_.set(error_.number(), error_.culprit()).add(error_.message());

  Text message = error_.message(), culprit = error_.culprit();
  cairn_agent_PhaseReply reply = cairn_agent_PhaseReply_init_zero;
  reply.operation = request.operation;
  reply.phase = request.phase;
  reply.error = encode_text(&message);
  reply.culprit = encode_text(&culprit);
  reply.error_number = error_.number();
  reply.elapsed_ns = sys::now_ns() - start;
  reply.threads = progress_ == suspended ? stop_.stopped_threads() : 0;
  reply.held_ns = held_ns_;
  if (request.phase == cairn_agent_Phase_PHASE_SUSPEND) {
    reply.virtual_parent = family_.virtual_parent;
    reply.virtual_session = family_.virtual_session;
    reply.session_terminal = family_.session_terminal;
    reply.children.funcs.encode = write_children;
    reply.children.arg = &family_;
  }
  reply.names.funcs.encode = write_said;
  reply.calls.funcs.encode = write_times;
  Text waits_for = error_.failed() ? Text() : Text(events::facts().waits_for);
  reply.waits_for = encode_text(&waits_for);
  reply.last = !error_.failed() && events::facts().needs_no_later;
  wire::Channel& channel = agent_->channel_;
  Status status = channel.put(id, cairn_agent_Message_phase_reply_tag, cairn_agent_PhaseReply_fields, &reply);
  if (status == 0 && !is_brief()) status = channel.flush();
  events::clear_said();
  if (status != 0) abort();
  if (stop_due_) {
    stop_due_ = false;
    stop_process();
  }
}

bool Operation::run(const cairn_agent_PhaseRequest& request, Text barrier, Text folder, Text snapshot) {
  uint64_t deadline = request.deadline_ms == 0 ? 0 : sys::now_ns() + uint64_t{request.deadline_ms} * 1'000'000;
  if (operation_ != request.operation) failure_.clear();
  operation_ = request.operation;
  if (snapshot.size > 0 || request.phase == cairn_agent_Phase_PHASE_PRESUSPEND) {
    sys::TextBuilder(events::facts().snapshot, sizeof events::facts().snapshot).add(snapshot);
  }
  switch (request.phase) {
    case cairn_agent_Phase_PHASE_PRESUSPEND: return presuspend();
    case cairn_agent_Phase_PHASE_SUSPEND: return suspend(deadline, request.alone);
    case cairn_agent_Phase_PHASE_BARRIER:
      if (progress_ != suspended && progress_ != restarted) return fail_order("barrier");
      return events::run_barrier(barrier, progress_ == restarted);
    case cairn_agent_Phase_PHASE_SAVE: return save(folder, snapshot, request.synchronous, request.goes_on);
    case cairn_agent_Phase_PHASE_RESUME: return resume();
    case cairn_agent_Phase_PHASE_RUNNING: return running();
    case cairn_agent_Phase_PHASE_RESTART: return restart();
    default:
      error_.set(-EPROTO, "coordinator").add("unknown phase ").number(request.phase);
      return false;
  }
}

bool Operation::fail_order(const char* phase) {
  error_.set(-EPROTO, "coordinator").add("phase ").add(phase).add(" came out of order");
  return false;
}

bool Operation::forbidden() {
  Sections& sections = agent_->sections_;
  if (!sections.any()) return false;
  sections.keep_out();
  sections.describe(&error_.set(-EBUSY, "critical section"));
  return true;
}

bool Operation::lacks_plugin() {
  for (uint32_t layer = 0; layer < events::plugin_count(); ++layer) {
    const events::LoadedPlugin& entry = events::plugin(layer);
    if (entry.library[0] != 0 || entry.error[0] == 0) continue;
    error_.set(-ENOTSUP, entry.plugin->name).add(entry.error).add("; the log says why");
    return true;
  }
  return false;
}

bool Operation::presuspend() {
  if (progress_ != none) return fail_order("presuspend");
  if (forbidden() || lacks_plugin()) return false;
  progress_ = presuspended;
  bool ok = events::send(CAIRN_EVENT_PRESUSPEND);
  // The processes are about to be counted.
  events::end_guard();
  return ok;
}

namespace {
/// Whoever goes on after any stop may be in restart_syscall at the next one, which tells nobody what it was called for.
void remember_calls(const checkpoint::Stop& stop) {
  for (uint32_t i = 0; i < stop.thread_count(); ++i) {
    if (stop.thread(i).stopped) checkpoint::remember_call(stop.thread(i).real_tid, stop.thread(i).registers);
  }
}
}  // namespace

bool Operation::suspend(uint64_t deadline_ns, bool alone) {
  if (progress_ != presuspended) return fail_order("suspend");
  // Of a process that is stopped since its restart: each is stopped again as soon as it is in its own code.
  if (stopped_handoff_ != nullptr) release_threads();
  arena_mark_ = arena_->used();
  stop_.find_alternate_stacks(agent_->facts_.altstack_offset);
  stop_.expect_restart(agent_->room_start_, agent_->room_size_);
  agent_->fork_gate_.close();
  if (!stop_.begin(agent_->agent_tid_, deadline_ns, &error_)) {
    arena_->rewind(arena_mark_);
    agent_->fork_gate_.open();
    return false;
  }
  remember_calls(stop_);
  int32_t stop_signal = 0;
  for (uint32_t i = 0; i < stop_.thread_count(); ++i) {
    if (stop_.thread(i).stop_signal != 0) stop_signal = stop_.thread(i).stop_signal;
  }
  record_job_stop(stop_signal);
  // Not before: a thread counts itself as gone just before the kernel reads its frame there, which nobody but a tracer sees the end of.
  agent_->unmap_room();
  stopped_threads = &stop_;
  events::facts().thread = thread_of_stop;
  events::facts().thread_count = stop_.thread_count();
  progress_ = suspended;
  // One that began before the threads were stopped.
  if (forbidden()) return false;
  if (events::wraps_are_changing()) {
    error_.set(-EAGAIN, "interposition").add("a thread is loading a library whose functions plugins wrap");
    return false;
  }
  sys::reserve_fds();
  if (!read_family(arena_, stop_.tracer(), agent_->save_.writer(), &family_, &error_)) return false;
  forget_stop_events();
  for (uint32_t i = 0; i < family_.child_count; ++i) {
    if (!family_.children[i].ended) note_stop_event(family_.children[i].virtual_pid, family_.children[i].real_pid);
  }
  if (alone && family_.living() > 0) {
    error_.set(-EAGAIN, "children").add("the process has children");
    return false;
  }
  return true;
}

namespace {
/// In the writer, by its copy of the agent and of the connection.
void report_alone(const checkpoint::SaveResult& result) { instance().report_alone(result); }
}  // namespace

bool Operation::save(Text folder, Text snapshot, bool synchronous, bool goes_on) {
  if (progress_ != suspended) return fail_order("save");
  if (agent_->save_.active()) {
    error_.set(-EBUSY, "writer").add("an earlier snapshot is still being written");
    return false;
  }
  static checkpoint::SaveRequest request;
  sys::TextBuilder(request.folder, sizeof request.folder).add(folder);
  sys::TextBuilder(request.snapshot, sizeof request.snapshot).add(snapshot);
  request.goes_on = goes_on && !synchronous;
  sys::TextBuffer<4200> files;
  files.add(folder).add("/p").number(agent_->facts_.virtual_pid).add(".files");
  kept_files.begin(files.text());
  events::facts().kept_files = &kept_files;
  needed_files.begin();
  events::facts().needed_files = &needed_files;
  record_thread_attributes();
  agent_->save_operation_ = operation_;
  size_t mark = arena_->used();
  bool ok = events::send(CAIRN_EVENT_PRECHECKPOINT) && stop_.read_pending(&error_) && capture(request);
  arena_->rewind(mark);
  if (!ok) return false;
  __atomic_store_n(&agent_->writing_, 1, __ATOMIC_RELEASE);
  if (synchronous) agent_->report_save();
  return true;
}

bool Operation::capture(const checkpoint::SaveRequest& request) {
  checkpoint::MemoryMap map;
  checkpoint::MemoryContext context = {};
  context.arena_start = agent_->facts_.arena_start;
  context.arena_end = context.arena_start + agent_->facts_.arena_size;
  events::names_extent(&context.names_start, &context.names_end);
  context.pages_device = agent_->pages_device_;
  context.pages_inode = agent_->pages_inode_;
  checkpoint::library_extent(&context.agent_start, &context.agent_end);
  bool ok = true;
  uint32_t made;
  size_t mark = arena_->used();
  // A plugin that claims a mapping may have taken memory for its notes, which has to be in the list, too.
  do {
    made = events::allocated_mappings();
    arena_->rewind(mark);
    forget_shared_mappings();
    ok = checkpoint::read_memory_map(arena_, context, claim_shared_file, content_goes_along, &map, &error_);
    if (ok && !(checkpoint::begin_memory_flags(map.mapping_count) && checkpoint::begin_guard_regions())) {
      error_.set(-ENOMEM, "memory map").add("no memory for notes on the mappings");
      ok = false;
    }
  } while (ok && made != events::allocated_mappings());
  ok = ok && checkpoint::note_locked_memory(map, &error_) && note_shared_memory(map, &error_) && checkpoint::copy_shared(&map, &error_) &&
            checkpoint::lift_fork_advice(map, &error_) &&
            agent_->save_.begin(request, agent_->facts_, stop_, &map, &kept_files, needed_files, virtual_id, report_alone, &error_);
  checkpoint::put_fork_advice_back();
  checkpoint::release_copies(&map);
  return ok;
}

bool Operation::resume() {
  agent_->sections_.end();
  if (progress_ == suspended) {
    bool ok = events::send(CAIRN_EVENT_RESUME);
    bool held_throughout = stop_.active();
    stop_.end();
    agent_->fork_gate_.open();
    held_ns_ = stop_.held_ns();
    arena_->rewind(arena_mark_);
    events::facts().thread_count = 0;
    progress_ = saved;
    if (!held_throughout) {
      error_.set(-ECHILD, "tracer").add("the process that held the threads was killed; they went on before their time");
    }
    return ok && held_throughout;
  }
  if (progress_ == restarted) {
    if (said_to_ != 2) sys::close_own_fd(said_to_);
    said_to_ = 2;
    stopped_handoff_ = const_cast<image::Handoff*>(agent_->handoff_);
    agent_->handoff_ = nullptr;
    events::facts().thread_call = nullptr;
    events::facts().set_thread_argument = nullptr;
    events::facts().thread_instruction = nullptr;
    forget_registers();
    take_known_stops();
    trace::expect_tracers();
    progress_ = saved;
    queue_signals(stopped_handoff_);
    stop_due_ = was_stopped();
    release_due_ = !stop_due_;
    return true;
  }
  return fail_order("resume");
}

void Operation::release_threads() {
  image::Handoff* handoff = stopped_handoff_;
  stopped_handoff_ = nullptr;
  release_due_ = false;
  let_threads_go(handoff);
}

int32_t Operation::while_stopped(int32_t (*job)(void* context, const checkpoint::Stop& stop), void* context, sys::Error* error) {
  if (progress_ == suspended) return stop_.active() ? job(context, stop_) : -ECHILD;
  if (progress_ != none || agent_->handoff_ != nullptr || stopped_handoff_ != nullptr) {
    error->set(-EALREADY, "operation").add("a checkpoint or restart is going on, or the process is stopped");
    return -EALREADY;
  }
  const size_t mark = arena_->used();
  stop_.find_alternate_stacks(agent_->facts_.altstack_offset);
  stop_.expect_restart(agent_->room_start_, agent_->room_size_);
  agent_->fork_gate_.close();
  int32_t result = -ECHILD;
  if (!stop_.begin(agent_->agent_tid_, sys::now_ns() + stop_patience_ns, error)) {
    if (error->failed()) result = error->number();
  } else {
    remember_calls(stop_);
    if (stop_.active()) result = job(context, stop_);
    end_stop();
  }
  agent_->fork_gate_.open();
  arena_->rewind(mark);
  return result;
}

int64_t Operation::in_copy(int64_t (*job)(void* context, void* result, uint64_t capacity), void* context, void* result, uint64_t capacity) {
  if (progress_ != suspended || !stop_.active()) return -EBUSY;
  return checkpoint::run_in_copy(stop_, job, context, result, capacity, copy_patience_ns);
}

void Operation::look_for_continue() {
  if (!awaits_continue() || holds_threads() || !continued()) return;
  release_threads();
  (void)wait_for_threads(sys::now_ns() + patience_ns);
}

bool Operation::running() {
  if (progress_ != saved) return fail_order("running");
  agent_->save_.go_on();
  progress_ = none;
  held_ns_ = 0;
  if (release_due_) {
    release_threads();
    // Who is still on the way then (the application's other threads may leave it no processor) is waited for by the next stop.
    (void)wait_for_threads(sys::now_ns() + patience_ns);
  }
  bool ok = events::send(CAIRN_EVENT_RUNNING);
  events::end_guard();
  return ok;
}

bool Operation::restart() {
  if (agent_->handoff_ == nullptr || progress_ != none) return fail_order("restart");
  const image::Handoff* handoff = agent_->handoff_;
  restarted_thread_count = 0;
  for (uint32_t i = 0; i < handoff->thread_count; ++i) {
    const image::ThreadSlot& slot = handoff->slots[i];
    restarted_threads[restarted_thread_count++] = {slot.virtual_tid, slot.real_tid};
  }
  restarting_handoff = handoff;
  events::facts().thread = thread_of_restart;
  events::facts().thread_call = call_of_restart;
  events::facts().set_thread_argument = set_argument_of_restart;
  events::facts().thread_instruction = instruction_of_restart;
  use_registers_of(*handoff);
  events::facts().thread_count = restarted_thread_count;
  progress_ = restarting;
  int64_t standard_error = sys::call(SYS_fcntl, 2, F_DUPFD_CLOEXEC, 3);
  if (!sys::failed(standard_error)) said_to_ = sys::hide_fd(static_cast<int>(standard_error));
  if (!events::send(CAIRN_EVENT_RESTART)) return false;
  announce_job_stop(agent_->facts_.virtual_pid);
  install_memory_calls(*handoff);
  progress_ = restarted;
  return true;
}

namespace {
/// What plugins say of it changes nothing.
void send_unheard(cairn_event event) {
  sys::Error ignored;
  sys::Error* before = events::facts().error;
  events::facts().error = &ignored;
  (void)events::send(event);
  events::facts().error = before;
}
}  // namespace

/// Who ends at once would leave the tracer behind, and a subreaper would have it for a child.
void Operation::end_stop() {
  const uint32_t writing = sys::load(&agent_->writing_);
  sys::store_and_wake(&agent_->writing_, 1);
  stop_.end();
  if (writing == 0) sys::store_and_wake(&agent_->writing_, 0);
}

void Operation::abort(bool asked, int end_status) {
  failed_ = false;
  if (agent_->save_.active() && (progress_ == none || agent_->save_operation_ == operation_)) {
    agent_->save_.abandon();
    sys::store_and_wake(&agent_->writing_, 0);
  }
  bool waits_for_restart = asked && (agent_->handoff_ != nullptr || release_due_);
  if (progress_ == none && !waits_for_restart) return;
  if (progress_ == restarting || progress_ == restarted || waits_for_restart) {
    // There is nothing to run on: the process has not lived yet.
    if (progress_ != none) send_unheard(CAIRN_EVENT_RESTART_FAILED);
    // Where another process failed, that one says so.
    sys::TextBuffer<2048> text;
    text.add("cairn: the restart failed: process ").number(agent_->facts_.virtual_pid).add(": ")
        .add(failure_.failed() ? failure_.message() : Text("the coordinator was lost")).add("\n");
    if (failure_.failed() || !asked) (void)sys::write_all(said_to_, text.c_str(), text.size());
    sys::call_unchecked(SYS_exit_group, end_status != 0 ? end_status : 1);
  }
  send_unheard(CAIRN_EVENT_ABORT);
  if (release_due_) release_threads();
  if (progress_ == suspended) {
    end_stop();
    agent_->fork_gate_.open();
    arena_->rewind(arena_mark_);
    events::facts().thread_count = 0;
  }
  events::end_guard();
  progress_ = none;
  held_ns_ = 0;
}

}  // namespace cairn::agent
