// Owns: what the kernel is to undo at the end of this process (SEM_UNDO), which cannot be read: it is counted when the application
// changes a semaphore, and set again by changing it to and fro, once with the flag and once without. Setting a value (SETVAL, SETALL)
// ends the adjustments of all processes: a count of such settings in the shared names tells them.
// [any] notes; [quiesced] checks; [restoring] sets, when all sets are made. What a program's own system call does is not seen.
// Tests: test/probes (sysv/undo.c).
#include "sysv/semaphores.h"

#include "common/text.h"

namespace cairn::sysv {
namespace {

constexpr uint32_t settings = plugin::name_space("sysv.sem.set");
constexpr int64_t whole_set = 0xffff;  // no semaphore has this number

struct Adjustment {
  int64_t semaphore;  // id and number, from 1 on; 0: free
  int64_t sum;
  int64_t settings;   // how often the value had been set
};
constexpr uint32_t capacity = 1024;
// In the image.
Adjustment adjustments[capacity];
bool lost = false;

int64_t key_of(int32_t id, int64_t number) { return (int64_t{id} << 16) | number; }

int64_t times_set(int32_t id, uint16_t number) {
  int64_t one = 0, all = 0;
  host->get_name(settings, key_of(id, number), &one);
  host->get_name(settings, key_of(id, whole_set), &all);
  return one + all;
}

long change(int32_t id, uint16_t number, int64_t sum, bool first_up) {
  auto step = static_cast<short>(sum);
  // At its end the process adds what the operations with the flag have taken away.
  struct sembuf with = {number, static_cast<short>(-step), SEM_UNDO | IPC_NOWAIT}, without = {number, step, IPC_NOWAIT};
  bool with_first = (step > 0) != first_up;
  struct sembuf operations[2] = {with_first ? with : without, with_first ? without : with};
  return sys(operate_call, to_real(semaphores, id), pointer(operations), 2);
}

}  // namespace

void note_adjustment(int32_t virtual_id, uint16_t number, int operation) {
  int64_t semaphore = key_of(virtual_id, number) + 1, now = times_set(virtual_id, number);
  for (Adjustment& adjustment : adjustments) {
    int64_t found = 0;
    bool mine = __atomic_compare_exchange_n(&adjustment.semaphore, &found, semaphore, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (!mine && found != semaphore) continue;
    if (__atomic_exchange_n(&adjustment.settings, now, __ATOMIC_ACQ_REL) != now) __atomic_store_n(&adjustment.sum, 0, __ATOMIC_RELEASE);
    __atomic_fetch_sub(&adjustment.sum, operation, __ATOMIC_ACQ_REL);
    return;
  }
  lost = true;
}

void note_setting(int32_t virtual_id, int number, bool all) {
  int64_t key = key_of(virtual_id, all ? whole_set : number), times = 0;
  host->get_name(settings, key, &times);
  host->set_name(settings, key, times + 1);
}

void forget_adjustments() {
  for (Adjustment& adjustment : adjustments) adjustment = {};
  lost = false;
}

int32_t check_adjustments() {
  if (lost) return host->fail(-ENOTSUP, "semaphores", "more semaphores than 1024 were changed with SEM_UNDO by one process. The computation runs on");
  for (Adjustment& adjustment : adjustments) {
    if (adjustment.semaphore == 0) continue;
    auto id = static_cast<int32_t>((adjustment.semaphore - 1) >> 16);
    auto number = static_cast<uint16_t>(adjustment.semaphore - 1);
    struct semid_ds status;
    long known = sys(SYS_semctl, to_real(semaphores, id), 0, IPC_STAT, pointer(&status));
    if (known == -EINVAL || known == -EIDRM || adjustment.settings != times_set(id, number)) adjustment = {};
  }
  return 0;
}

int32_t set_adjustments() {
  for (Adjustment& adjustment : adjustments) {
    if (adjustment.semaphore == 0) continue;
    auto id = static_cast<int32_t>((adjustment.semaphore - 1) >> 16);
    auto number = static_cast<uint16_t>(adjustment.semaphore - 1);
    adjustment.settings = 0;
    if (adjustment.sum == 0) continue;
    long error = change(id, number, adjustment.sum, true);
    if (error < 0) error = change(id, number, adjustment.sum, false);
    if (error >= 0) continue;
    plugin::Text<256> text;
    text.add("what is to be undone at the end of this process cannot be set again (System V semaphores, id ").add(int64_t{id}).add(", SEM_UNDO)");
    return host->fail(static_cast<int32_t>(error), "semaphores", text.text());
  }
  return 0;
}

}  // namespace cairn::sysv
