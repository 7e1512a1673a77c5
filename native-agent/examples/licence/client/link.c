#include "link.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

int lic_lock(lic_syscall call, struct lic_link *link, uint64_t deadline_ms) {
  uint32_t seen = 0;
  if (__atomic_compare_exchange_n(&link->lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return 0;
  while (__atomic_exchange_n(&link->lock, 2, __ATOMIC_ACQUIRE) != 0) {
    uint64_t now = lic_machine_ms(call);
    if (now >= deadline_ms) return -ETIMEDOUT;
    lic_sleep_on(call, &link->lock, 2, deadline_ms - now > 1000 ? 1000 : deadline_ms - now);
  }
  return 0;
}

void lic_unlock(lic_syscall call, struct lic_link *link) {
  if (__atomic_exchange_n(&link->lock, 0, __ATOMIC_RELEASE) == 2) lic_wake(call, &link->lock);
}

static void tell(lic_syscall call, struct lic_link *link) {
  __atomic_add_fetch(&link->news, 1, __ATOMIC_RELEASE);
  lic_wake(call, &link->news);
}

int lic_good(const struct lic_link *link) {
  return link->now_ms() < __atomic_load_n(&link->good_until, __ATOMIC_ACQUIRE) && __atomic_load_n(&link->lease, __ATOMIC_ACQUIRE) != 0;
}

void lic_doubt(struct lic_link *link) { __atomic_store_n(&link->good_until, 0, __ATOMIC_RELEASE); }

void lic_drop(lic_syscall call, struct lic_link *link) {
  lic_doubt(link);
  __atomic_store_n(&link->lease, 0, __ATOMIC_RELEASE);
  tell(call, link);
}

static int await(lic_syscall call, struct lic_link *link, const struct lic_request *request, uint64_t deadline_ms, struct lic_answer *answer) {
  for (;;) {
    int result = lic_receive(call, link->fd, &link->input, sizeof link->input, &link->had);
    if (result == 0) result = lic_wait_for_input(call, link->fd, deadline_ms);
    if (result < 0) return result;
    if (result == 0) continue;
    *answer = link->input;
    if (answer->magic != LIC_MAGIC || !link->genuine(answer)) return -EBADMSG;
    /* Else it is late, and what it was for was given up. */
    if (answer->kind == request->kind && memcmp(answer->nonce, request->nonce, LIC_NONCE) == 0) return 0;
  }
}

int lic_ask(lic_syscall call, struct lic_link *link, uint32_t kind, uint32_t hold_ms, uint64_t deadline_ms, struct lic_answer *answer) {
  struct lic_request request = {.magic = LIC_MAGIC, .kind = kind, .lease = link->lease, .hold_ms = hold_ms};
  const uint64_t asked = link->now_ms();
  if (call(SYS_getrandom, (long)request.nonce, LIC_NONCE, 0, 0, 0, 0) != LIC_NONCE) return -EIO;
  lic_copy(request.feature, LIC_NAME, link->feature);
  lic_copy(request.host, LIC_NAME, link->host);
  lic_copy(request.session, LIC_NAME, link->session);
  lic_copy(request.who, LIC_NAME, link->who);
  int error = lic_send(call, link->fd, &request, sizeof request);
  if (error == 0) error = await(call, link, &request, deadline_ms, answer);
  if (error < 0 && error != -ETIMEDOUT) link->broken = 1;
  if (error < 0) return error;
  answer->text[LIC_TEXT - 1] = 0;
  if (answer->result != LIC_GRANTED) return -EACCES;
  if (kind == LIC_PAUSE) link->lease = answer->lease;
  if (kind != LIC_CHECKOUT && kind != LIC_RENEW) return 0;
  link->lease_ms = answer->lease_ms;
  /* In this order: who finds it good finds its id. */
  __atomic_store_n(&link->lease, answer->lease, __ATOMIC_RELEASE);
  __atomic_store_n(&link->good_until, asked + answer->lease_ms, __ATOMIC_RELEASE);
  tell(call, link);
  return 0;
}

void lic_explain(const struct lic_link *link, int error, const struct lic_answer *answer, char *text, size_t capacity) {
  lic_copy(text, capacity, "the licence daemon at ");
  lic_add(text, capacity, link->daemon);
  if (answer == NULL) {
    lic_add(text, capacity, error == -EINVAL ? " has no address: 127.0.0.1:4000 would be one" : " cannot be reached");
  } else if (error == -EACCES) {
    lic_add(text, capacity, " says: ");
    lic_add(text, capacity, answer->text);
  } else if (error == -ETIMEDOUT) {
    lic_add(text, capacity, " does not answer in time");
  } else if (error == -EBADMSG) {
    lic_add(text, capacity, " is not the vendor's: its answer does not have the vendor's signature");
  } else {
    lic_add(text, capacity, " has closed the connection");
  }
}
