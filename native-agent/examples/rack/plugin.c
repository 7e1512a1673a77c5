/*
 * Many processes on several hosts that have to agree: an example of leaders, names and barriers of a plugin's own.
 *
 * Each process of the computation has a port of a rack of emulators. Before a snapshot, and again after a restart, one process of each host
 * has to know all ports there, and every process how many there are on all hosts, and their sum.
 *
 *   enter   every process says its port and stands for election, by names that the processes of a host share. Behind this barrier all know
 *           who takes part: the table of processes would also show one that was killed.
 *   meet    two barriers of the plugin's own are nested in this one, for each host by itself, made of shared names and
 *           CAIRN_BARRIER_WAITS: nobody goes on until all of the host have met, and then until their leader has told the other hosts.
 *   agree   the leader reads what the other hosts' leaders have told, and gives the sum to its host.
 *   learn   every process has it. Who has no open transactions needs no more (CAIRN_BARRIER_LAST).
 *   settle  of a checkpoint, where anybody has: waits until its board is idle. Else the barrier does not take place.
 *
 * Nobody has to be told who of them has died before: what they said is of an earlier round, whose key is another snapshot's. Settings:
 *   {"busy": FILE}: as long as there is this file, every tenth port has open transactions.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

enum { MOST_HOSTS = 16 };
/* Spaces of names, from a number of the plugin's own on. */
enum { PORT = CAIRN_NAMES_OTHERS + 7261, ROUND, MET, LEADER, TOLD, PORTS_IN_ALL, SUM_IN_ALL, REPORT };
enum stage { COMES, WAITS_FOR_ALL, WAITS_FOR_LEADER, HAS_MET };

struct report {
  int64_t ports;
  int64_t sum;
};

static const struct cairn_host *host;
static char busy[256];
static enum stage stage;
static int is_leader;
static struct report here; /* those of this host */

/* ---- Texts, without stdio: an application's thread may hold its locks ---- */
struct text {
  char bytes[192];
  size_t size;
};
static void add(struct text *text, const char *word) {
  while (*word != 0 && text->size < sizeof text->bytes - 1) text->bytes[text->size++] = *word++;
  text->bytes[text->size] = 0;
}
static void add_number(struct text *text, int64_t number) {
  char digits[24], *at = digits + sizeof digits;
  *--at = 0;
  do *--at = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  add(text, at);
}

/* ---- The round: one snapshot's ---- */
static int64_t round_of_now(void) {
  const char *id = NULL;
  uint64_t hash = 14695981039346656037u;
  if (host->setting(CAIRN_SETTING_SNAPSHOT, 0, &id) == NULL || id == NULL) return 1;
  while (*id != 0) hash = (hash ^ (unsigned char)*id++) * 1099511628211u;
  return (int64_t)(hash >> 1);
}

static int64_t port(void) { return host->virtual_pid(); }

static int has_open_transactions(void) {
  return busy[0] != 0 && port() % 10 == 0 && host->syscall(SYS_access, (long)busy, F_OK, 0, 0, 0, 0) == 0;
}

/* Those of this host that take part in this round, and how many have met. */
static int64_t count(struct report *members) {
  int64_t member, round, value, met = 0;
  memset(members, 0, sizeof *members);
  for (uint32_t index = 0; host->next_name(ROUND, &index, &member, &round) == 0;) {
    if (round != round_of_now() || host->get_name(PORT, member, &value) != 0) continue;
    members->ports++;
    members->sum += value;
    if (host->get_name(MET, member, &value) == 0 && value == round) met++;
  }
  return met;
}

static int32_t stand_for_election(void) {
  int64_t leader;
  int32_t error = host->set_name(PORT, port(), port());
  if (error == 0) error = host->set_name(ROUND, port(), round_of_now());
  if (error < 0) return host->fail(error, "shared names", "the rack's ports cannot be said");
  error = host->claim_name(LEADER, round_of_now(), port(), &leader);
  is_leader = error == 0 || (error == -EEXIST && leader == port());
  return error == 0 || error == -EEXIST ? 0 : host->fail(error, "shared names", "the rack's leader cannot be elected");
}

static int32_t tell_others(void) {
  int64_t number = 0;
  host->get_name(CAIRN_NAMES_HOST, CAIRN_HOST_NUMBER, &number);
  uint32_t key = (uint32_t)number;
  int32_t error = host->tell_hosts(REPORT, &key, sizeof key, &here, sizeof here);
  for (uint32_t other = 0; error == 0 && other < MOST_HOSTS; ++other) {
    if (other != key) error = host->ask_hosts(REPORT, &other, sizeof other);
  }
  /* -ENOTCONN: there are no others. */
  if (error < 0 && error != -ENOTCONN) return host->fail(error, "hosts", "the rack's leaders cannot tell each other their ports");
  return host->set_name(TOLD, round_of_now(), 1);
}

static int32_t meet(void) {
  int64_t value;
  int32_t error = 0;
  if (stage == COMES) {
    if ((error = host->set_name(MET, port(), round_of_now())) < 0) return error;
    stage = WAITS_FOR_ALL;
  }
  if (stage == WAITS_FOR_ALL) {
    int64_t met = count(&here);
    if (met < here.ports) {
      struct text text = {"", 0};
      add(&text, "the other processes of its host, of which ");
      add_number(&text, met);
      add(&text, " of ");
      add_number(&text, here.ports);
      add(&text, " have met");
      return host->waits_for(text.bytes);
    }
    if (is_leader && (error = tell_others()) < 0) return error;
    stage = WAITS_FOR_LEADER;
  }
  if (stage == WAITS_FOR_LEADER) {
    if (host->get_name(TOLD, round_of_now(), &value) != 0) return host->waits_for("the leader of its host");
    stage = HAS_MET;
  }
  return CAIRN_BARRIER_DONE;
}

static int32_t agree(void) {
  if (!is_leader) return CAIRN_BARRIER_DONE;
  struct report all = here;
  uint32_t hosts = 1;
  for (uint32_t other = 0; other < MOST_HOSTS; ++other) {
    struct cairn_answer answer = {.size = sizeof answer};
    struct report report;
    if (host->answer_of_hosts(REPORT, &other, sizeof other, &answer) != 0 || answer.value_size != sizeof report) continue;
    memcpy(&report, answer.value, sizeof report);
    all.ports += report.ports;
    all.sum += report.sum;
    hosts++;
  }
  struct text text = {"", 0};
  add(&text, "rack: ");
  add_number(&text, port());
  add(&text, " leads ");
  add_number(&text, here.ports);
  add(&text, " ports of ");
  add_number(&text, all.ports);
  add(&text, " on ");
  add_number(&text, hosts);
  add(&text, " hosts, sum ");
  add_number(&text, all.sum);
  host->log(CAIRN_LOG_INFO, text.bytes);
  int32_t error = host->set_name(PORTS_IN_ALL, round_of_now(), all.ports);
  return error < 0 ? error : host->set_name(SUM_IN_ALL, round_of_now(), all.sum);
}

static int32_t learn(uint32_t restart) {
  int64_t ports, sum;
  if (host->get_name(PORTS_IN_ALL, round_of_now(), &ports) != 0 || host->get_name(SUM_IN_ALL, round_of_now(), &sum) != 0 || ports < here.ports)
    return host->fail(-EPROTO, "rack", "the leader of this host has not said how many ports there are");
  return restart || has_open_transactions() ? CAIRN_BARRIER_DONE : CAIRN_BARRIER_LAST;
}

static int32_t barrier(const char *name, uint32_t restart) {
  if (strcmp(name, "enter") == 0) return stand_for_election();
  if (strcmp(name, "meet") == 0) return meet();
  if (strcmp(name, "agree") == 0) return agree();
  if (strcmp(name, "learn") == 0) return learn(restart);
  return has_open_transactions() ? host->waits_for("its board to be idle") : CAIRN_BARRIER_DONE;
}

static void forget_round(void) {
  host->remove_name(PORT, port());
  host->remove_name(ROUND, port());
  host->remove_name(MET, port());
  if (!is_leader) return;
  host->remove_name(LEADER, round_of_now());
  host->remove_name(TOLD, round_of_now());
  host->remove_name(PORTS_IN_ALL, round_of_now());
  host->remove_name(SUM_IN_ALL, round_of_now());
}

static int32_t event(uint32_t number, void *data) {
  (void)data;
  if (number == CAIRN_EVENT_RUNNING || number == CAIRN_EVENT_ABORT) forget_round();
  if (number == CAIRN_EVENT_RUNNING || number == CAIRN_EVENT_ABORT || number == CAIRN_EVENT_RESTART || number == CAIRN_EVENT_FORK_CHILD) {
    stage = COMES;
    is_leader = 0;
  }
  return 0;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  const char *at = strstr(settings, "\"busy\"");
  const char *end = NULL;
  if (at != NULL && (at = strchr(at + 6, '"')) != NULL) end = strchr(++at, '"');
  if (end != NULL && (size_t)(end - at) < sizeof busy) memcpy(busy, at, (size_t)(end - at));
  return 0;
}

static const char *const checkpoint_barriers[] = {"enter", "meet", "agree", "learn", "settle", NULL};
static const char *const restart_barriers[] = {"enter", "meet", "agree", "learn", NULL};

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "rack",
    .version = "1",
    .author = "Cairn",
    .init = init,
    .event = event,
    .checkpoint_barriers = checkpoint_barriers,
    .restart_barriers = restart_barriers,
    .barrier = barrier,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
