/* A restart: a session of its own, a connection, and a seat, before a thread of the tool runs. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "plugin.h"

static uint64_t waits_until; /* 0: it has not begun to wait */

/* ---- The session: one name that all processes of this restart have which were one session before, and no other restart has ---- */
enum { SPACE = CAIRN_NAMES_OTHERS + 0x6c6963 };

static int64_t sum_of(const char *text) {
  uint64_t sum = 14695981039346656037u;
  for (; *text != 0; ++text) sum = (sum ^ (uint8_t)*text) * 1099511628211u;
  return (int64_t)(sum >> 1);
}

static void name_session(void) {
  uint64_t random = 0;
  int64_t holder = 0;
  host->syscall(SYS_getrandom, (long)&random, sizeof random, 0, 0, 0, 0);
  int64_t name = (int64_t)(random >> 1);
  if (host->claim_name(SPACE, sum_of(licence->session), name, &holder) == -EEXIST) name = holder;
  char *at = licence->session;
  for (int shift = 60; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[name >> shift & 15];
  *at = 0;
}

void licence_begin_restart(void) {
  waits_until = 0;
  if (licence == NULL) return;
  struct utsname machine;
  name_session();
  if (!licence->host_given && host->syscall(SYS_uname, (long)&machine, 0, 0, 0, 0, 0) == 0) lic_copy(licence->host, LIC_NAME, machine.nodename);
  if (settings.server[0] != 0) lic_copy(licence->daemon, LIC_NAME, settings.server);
  licence->had = licence->broken = 0;
}

/* ---- The connection ---- */
static int connect_now(void) {
  int fd = lic_connect(host->syscall, licence->daemon, licence_deadline());
  return fd < 0 ? licence_fails(fd, NULL, "there is no licence") : fd;
}

int32_t licence_connect(struct cairn_external *connection) {
  if (licence == NULL || strcmp(connection->name, LICENCE_MARK) != 0) return 0;
  int fd = connect_now();
  if (fd < 0) return fd;
  connection->fd = fd;
  return 1;
}

/* ---- The seat ---- */
static int take(struct lic_answer *answer) {
  /* A reservation: until all processes have theirs nobody sends heartbeats, and if one gets none nobody has any. */
  const uint32_t hold_ms = licence_hold_ms() > 0 ? licence_hold_ms() : 1;
  int error = -EACCES;
  if (licence->lease != 0) {
    error = lic_ask(host->syscall, licence, LIC_RENEW, hold_ms, licence_deadline(), answer);
    if (error == -EACCES) lic_drop(host->syscall, licence);
  }
  if (error == -EACCES) error = lic_ask(host->syscall, licence, LIC_CHECKOUT, hold_ms, licence_deadline(), answer);
  return error;
}

int32_t licence_seat(void) {
  struct lic_answer answer;
  if (licence->fd < 0) {
    /* The snapshot is of a moment when the tool had lost its daemon. */
    int fd = connect_now();
    if (fd < 0) return fd;
    licence->fd = fd;
  }
  int error = take(&answer);
  if (error == 0) return 0;
  if (error != -EACCES || answer.result != LIC_FULL || !settings.waits) return licence_fails(error, &answer, "there is no licence");
  const uint64_t now = lic_machine_ms(host->syscall);
  if (waits_until == 0) waits_until = settings.limit_s == SETTINGS_NO_LIMIT ? UINT64_MAX : now + (uint64_t)settings.limit_s * 1000;
  if (now >= waits_until) return licence_fails(error, &answer, "there is no licence within the time that the settings give");
  char what[600] = "waits for a licence: ", why[LIC_REASON];
  lic_explain(licence, error, &answer, why, sizeof why);
  lic_add(what, sizeof what, why);
  return host->waits_for(what);
}

int32_t licence_begin(void) {
  struct lic_answer answer;
  int error = lic_ask(host->syscall, licence, LIC_RENEW, 0, licence_deadline(), &answer);
  if (error < 0) return licence_fails(error, &answer, "there is no licence any more");
  licence->reason[0] = 0;
  licence_open();
  return 0;
}
