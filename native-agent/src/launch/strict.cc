#include "launch/strict.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

namespace cairn::launch {
namespace {

constexpr uint32_t namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
constexpr uint32_t writes_segments = 1;  // modify_ldt(2): functions 1 and 0x11 write, the others read

/// The numbers of the calls in one of the two kinds of programs, as the kernel's tables have them: libc's headers know one kind alone.
struct Kind {
  uint32_t architecture;
  // That make what cannot be saved, whatever their arguments:
  uint32_t made[6];
  uint32_t clone, unshare, seccomp, prctl, modify_ldt;
};
constexpr Kind kinds[] = {
    // io_uring_setup, userfaultfd, perf_event_open, bpf, fanotify_init, memfd_secret
    {AUDIT_ARCH_X86_64, {425, 323, 298, 321, 300, 447}, 56, 272, 317, 157, 154},
    {AUDIT_ARCH_I386, {425, 374, 336, 357, 338, 447}, 120, 310, 354, 172, 123},
};

constexpr size_t capacity = 128;

class Filter {
 public:
  void add(uint16_t code, uint32_t value, size_t if_true = 0, size_t if_false = 0) {
    if (count_ < capacity) list_[count_++] = {code, static_cast<uint8_t>(if_true), static_cast<uint8_t>(if_false), value};
  }
  void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
  void refuse() { add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1 /* EPERM */); }
  void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  void refuse_call(uint32_t number) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    refuse();
  }
  /// The call, where its first argument is that number (BPF_JEQ) or has one of those bits (BPF_JSET). The low half of an argument is
  /// enough: flags, and the mode of seccomp, are small numbers. clone3's flags are in memory, which a filter cannot read: a
  /// program that makes a namespace by it is refused by the checkpoint.
  void refuse_where(uint32_t number, uint16_t compare, uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
    load(offsetof(struct seccomp_data, args[0]));
    add(static_cast<uint16_t>(BPF_JMP | compare | BPF_K), value, 0, 1);
    refuse();
    allow();
  }
  size_t count() const { return count_; }
  bool install() {
    struct sock_fprog program = {static_cast<unsigned short>(count_), list_};
    return count_ < capacity && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }
  sock_filter* at(size_t index) { return &list_[index]; }

 private:
  sock_filter list_[capacity];
  size_t count_ = 0;
};

void add_kind(Filter* filter, const Kind& kind) {
  filter->load(offsetof(struct seccomp_data, arch));
  size_t skip = filter->count();
  filter->add(BPF_JMP | BPF_JEQ | BPF_K, kind.architecture, 0, 0);
  filter->load(offsetof(struct seccomp_data, nr));
  for (uint32_t number : kind.made) filter->refuse_call(number);
  filter->refuse_where(kind.clone, BPF_JSET, namespaces);
  filter->refuse_where(kind.unshare, BPF_JSET, namespaces);
  filter->refuse_where(kind.modify_ldt, BPF_JSET, writes_segments);
  filter->refuse_where(kind.seccomp, BPF_JEQ, SECCOMP_SET_MODE_STRICT);
  // prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)
  filter->add(BPF_JMP | BPF_JEQ | BPF_K, kind.prctl, 0, 5);
  filter->load(offsetof(struct seccomp_data, args[0]));
  filter->add(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 3);
  filter->load(offsetof(struct seccomp_data, args[1]));
  filter->add(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_MODE_STRICT, 0, 1);
  filter->refuse();
  filter->allow();
  filter->at(skip)->jf = static_cast<uint8_t>(filter->count() - skip - 1);
}

}  // namespace

bool forbid_unsavable() {
  Filter filter;
  for (const Kind& kind : kinds) add_kind(&filter, kind);
  filter.allow();
  return filter.install();
}

}  // namespace cairn::launch
