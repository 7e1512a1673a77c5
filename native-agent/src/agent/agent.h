// The agent of one process: its identity, its thread, its connection to the coordinator. One instance; the part that is not
// memory of the arena is in the image and so survives a restart.
#pragma once
#include "agent/fork_gate.h"
#include "agent/own_numbers.h"
#include "agent/plugin_requests.h"
#include "agent/requests.h"
#include "agent/sections.h"
#include "checkpoint/kept_files.h"
#include "checkpoint/process_state.h"
#include "checkpoint/save.h"
#include "checkpoint/stop.h"
#include "image/handoff.h"
#include "sys/arena.h"
#include "wire/channel.h"

namespace cairn::agent {

struct Identity {
  char socket[108];
  char computation[64];
  char snapshot[64];       // that this process was restarted from; empty: none
  char executable[4096];   // virtual path
  int32_t virtual_pid;
  int32_t virtual_parent;
  uint64_t start_time;     // of the real process
};

/// A thread of the application after a restart: known from the handoff until the next one.
struct KnownThread {
  int32_t virtual_tid;
  int32_t real_tid;
};

class Agent {
 public:
  /// In the constructor of the library: sets the process up, and starts the agent's thread when there is a session.
  void start();
  /// In a program that was started without Cairn, in one of its threads. `variables`: what its environment gets, among them the
  /// agent's socket. False: it goes on without Cairn.
  bool attach(const char* variables, sys::Error* error);
  /// The agent's thread.
  [[noreturn]] void run();
  /// The agent's thread in a process that the restorer has rebuilt.
  [[noreturn]] void run_restarted(const image::Handoff* handoff);
  /// In a forked child: a new process of the computation.
  void start_after_fork();
  void before_fork() { fork_gate_.enter(); }
  void after_fork_in_parent() { fork_gate_.leave(); }
  /// [any] Calls `put`, which puts something of the application's under a number of ours: that gets another one before. Its result, or -errno.
  int leave_number(int fd, int (*put)(void*), void* context);
  /// [any] As host->aside says.
  void aside(void (*job)(void* context), void* context);
  /// At the application's exit: a snapshot that is being written is finished first.
  void finish();

  /// In the writer, by its copies of the agent and of the connection, when this process is there no more.
  void report_alone(const checkpoint::SaveResult& saved);

  // As <cairn/cairn.h> says; `thread`: a number that is the calling thread's alone.
  int32_t request(uint64_t thread, const char* name);
  int32_t request_hold(uint64_t thread, const char* what, const char* why);
  void request_error(char* buffer, uint32_t capacity) const { requests_.last_error(buffer, capacity); }
  int32_t forbid(uint64_t thread, const char* what) { return sections_.enter(thread, what); }
  /// [any] As host->answer says.
  int32_t answer(int32_t error, const void* text, uint64_t size);
  /// [any] Its thread looks what there is for it to do.
  void look_now() { requests_.wake(); }
  int32_t allow(uint64_t thread) { return sections_.leave(thread); }

 private:
  friend class Handshake;
  friend class Operation;
  friend class Tables;

  /// Memory, facts and plugins, before there is a connection.
  bool prepare();
  void set_facts();
  /// Its name for the application, known to all processes of the computation.
  void take_virtual_pid(int32_t virtual_pid);
  bool start_thread();
  bool connect(sys::Error* error);
  void serve();
  void handle(const wire::Envelope& envelope);
  void change_plugin_settings(const wire::Envelope& envelope);
  void take_plugin_gift(const wire::Envelope& envelope);
  void end_plugin_change(uint64_t id, const sys::Error& error);
  void report_save();
  void end_save();
  void send_save_done(const checkpoint::SaveResult& saved, bool alone);
  void send_request();
  bool would_wait_for_itself(uint64_t thread);
  void answer_request(sys::Text body);
  void lost_coordinator();
  /// Until the threads of a restart run, SIGINT and SIGTERM are not theirs: they end the restart.
  void look_for_cancel();
  /// When the application's threads have all ended by exit(2) alone, of which libc does not know: its process would be over.
  void end_with_last_thread();
  /// [locked] Of a descriptor of ours: the new number, or -errno.
  int give_another_number(int fd);
  /// Once no thread is there any more.
  void unmap_room();

  Identity identity_;
  checkpoint::ProcessFacts facts_;
  sys::Arena arena_;
  wire::Channel channel_;
  void* tls_ = nullptr;           // thread descriptor of the agent's thread
  sys::processor::ThreadPointers pointers_ = {};  // to it
  int32_t agent_tid_ = 0;
  uint32_t connected_once_ = 0;
  uint32_t attached_ = 0;         // or it was tried
  uint32_t named_ = 0;            // futex: 1 when the thread has its name
  uint32_t forked_ = 0;           // its settings and plugins are its parent's
  uint32_t writing_ = 0;          // futex: 1 while a snapshot is being written
  checkpoint::Save save_;
  uint64_t save_operation_ = 0;
  ForkGate fork_gate_;
  OwnNumbers numbers_;
  Requests requests_;
  PluginRequests plugin_requests_;
  uint64_t request_id_ = 1;       // of the last one, as the coordinator knows it: odd ones are ours
  Sections sections_;
  const image::Handoff* handoff_ = nullptr;  // threads are waiting to be released
  bool cancelled_ = false;        // the coordinator was told so
  uint64_t ignored_ = 0;          // signals that whoever restarts it ignores, as a mask
  uint64_t room_start_ = 0;       // where threads are until they have left the restart; size 0: there is none
  uint64_t room_size_ = 0;
  uint64_t pages_device_ = 0;
  uint64_t pages_inode_ = 0;
};

Agent& instance();
void log(uint32_t level, const char* text);

}  // namespace cairn::agent
