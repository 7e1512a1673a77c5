/*
 * An example of a plugin for connections to a server outside of the computation ("cairn_external" in cairn/plugin.h).
 *
 * The server keeps an account for each connection. It is asked to put the account aside, which gives a ticket; whoever comes with a ticket
 * goes on with a copy of the account as it was, so that one snapshot may be restarted as often as one likes.
 *
 *   SAVE      sends "put aside", reads up to the answer (what comes before it is answers that the application has not read yet), and
 *             disconnects. The ticket and those answers are the state.
 *   RESUME    and RESTORE connect again, to the server that the settings name now, and hand over the ticket and the unread answers, which
 *             the server sends first.
 *
 * All messages have 16 bytes, each number in the machine's order: a kind, a number and a value. Settings:
 *   {"server": "127.0.0.1:4000"} or {"server": "/run/server.sock"}; with "was" beside it, where the application has connected to.
 *   "mark": true marks the descriptors before a checkpoint, instead of knowing them by their peer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "cairn/plugin.h"

enum { ADD = 1, PUT_ASIDE = 2, GO_ON = 3 };
struct message {
  uint32_t kind;
  uint32_t number;
  uint64_t value;
};
struct state {
  uint64_t ticket;
  uint64_t unread_size;
  char unread[4096];
};

static const struct cairn_host *host;
static char server[128], was[128];
static int marks;
static struct state state;

static long call(long number, long a, long b, long c, long d, long e) { return host->syscall(number, a, b, c, d, e, 0); }

/* ---- Settings: enough of JSON for texts without escapes ---- */
static void text_of(const char *settings, const char *key, char *value, size_t capacity) {
  const char *at = strstr(settings, key);
  value[0] = 0;
  if (at == NULL || (at = strchr(at + strlen(key), ':')) == NULL || (at = strchr(at, '"')) == NULL) return;
  const char *end = strchr(++at, '"');
  if (end == NULL || (size_t)(end - at) >= capacity) return;
  memcpy(value, at, (size_t)(end - at));
  value[end - at] = 0;
}

static int32_t read_settings(const char *settings) {
  text_of(settings, "\"server\"", server, sizeof server);
  text_of(settings, "\"was\"", was, sizeof was);
  if (was[0] == 0) memcpy(was, server, sizeof was);
  marks = strstr(settings, "\"mark\"") != NULL;
  return server[0] == 0 ? host->fail(-EINVAL, "settings", "the example plugin needs {\"server\": ADDRESS}") : 0;
}

/* ---- The server ---- */
static int transfer(int fd, int writes, void *data, size_t size) {
  char *at = data;
  while (size > 0) {
    long count = writes ? call(SYS_sendto, fd, (long)at, (long)size, MSG_NOSIGNAL, 0) : call(SYS_read, fd, (long)at, (long)size, 0, 0);
    if (count == -EINTR) continue;
    if (count <= 0) return count == 0 ? -ECONNRESET : (int)count;
    at += count;
    size -= (size_t)count;
  }
  return 0;
}

static int connect_to(const char *address) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET};
  int local = address[0] == '/';
  if (local) {
    strncpy(name.sun_path, address, sizeof name.sun_path - 1);
  } else {
    unsigned part[5] = {0}, count = 0;
    for (const char *at = address; *at != 0 && count < 5; ++at) {
      if (*at >= '0' && *at <= '9') part[count] = part[count] * 10 + (unsigned)(*at - '0');
      else ++count;
    }
    port.sin_addr.s_addr = htonl(part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]);
    port.sin_port = htons((uint16_t)part[4]);
  }
  long fd = call(SYS_socket, local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, 0, 0);
  if (fd < 0) return (int)fd;
  long error = local ? call(SYS_connect, fd, (long)&name, sizeof name, 0, 0) : call(SYS_connect, fd, (long)&port, sizeof port, 0, 0);
  if (error < 0) {
    call(SYS_close, fd, 0, 0, 0, 0);
    return (int)error;
  }
  return (int)fd;
}

static int32_t go_on(struct cairn_external *connection) {
  const struct state *saved = connection->state;
  int fd = connect_to(server);
  if (fd < 0) return host->fail(fd, server, "the example's server cannot be reached");
  struct message message = {GO_ON, (uint32_t)saved->unread_size, saved->ticket};
  int error = transfer(fd, 1, &message, sizeof message);
  if (error == 0) error = transfer(fd, 1, (void *)saved->unread, saved->unread_size);
  if (error < 0) return host->fail(error, server, "the example's server does not let the connection go on");
  connection->fd = fd;
  return 1;
}

static int32_t put_aside(struct cairn_external *connection) {
  /* The application's descriptor may be non-blocking. */
  call(SYS_fcntl, connection->fd, F_SETFL, (long)(connection->status_flags & ~(uint32_t)O_NONBLOCK), 0, 0);
  struct message message = {PUT_ASIDE, 0, 0};
  int error = transfer(connection->fd, 1, &message, sizeof message);
  for (state.unread_size = 0; error == 0;) {
    error = transfer(connection->fd, 0, &message, sizeof message);
    if (error < 0 || message.kind == PUT_ASIDE) break;
    if (state.unread_size + sizeof message > sizeof state.unread) error = -ENOBUFS;
    else memcpy(state.unread + state.unread_size, &message, sizeof message);
    state.unread_size += sizeof message;
  }
  call(SYS_fcntl, connection->fd, F_SETFL, (long)connection->status_flags, 0, 0);
  if (error < 0) return host->fail(error, connection->peer, "the example's server does not put the account aside");
  state.ticket = message.value;
  call(SYS_shutdown, connection->fd, SHUT_RDWR, 0, 0, 0);
  connection->state = &state;
  connection->state_size = sizeof state - sizeof state.unread + state.unread_size;
  return 1;
}

/* ---- Which connections ---- */
static int is_ours(const struct cairn_external *connection) {
  return marks ? strcmp(connection->name, "example") == 0 : strcmp(connection->peer, was) == 0;
}

/* A vendor's library would call mark() where it connects. */
static void mark_ours(void) {
  const struct cairn_externals *externals = host->extension("cairn.external/1");
  for (int fd = 3; fd < 64; ++fd) {
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof peer;
    char text[64], address[32];
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET) continue;
    strcpy(text, inet_ntop(AF_INET, &peer.sin_addr, address, sizeof address));
    if (strncmp(was, text, strlen(text)) == 0) externals->mark(fd, "example");
  }
}

static int32_t event(uint32_t number, void *data) {
  struct cairn_external *connection = data;
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      if (marks) mark_ours();
      return 0;
    case CAIRN_EVENT_EXTERNAL_SAVE: return is_ours(connection) ? put_aside(connection) : 0;
    case CAIRN_EVENT_EXTERNAL_RESUME: return go_on(connection);
    case CAIRN_EVENT_EXTERNAL_RESTORE: return is_ours(connection) ? go_on(connection) : 0;
    case CAIRN_EVENT_SETTINGS: return read_settings(data) < 0 ? -EINVAL : 1;
    default: return 0;
  }
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return read_settings(settings);
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "example-external", "1", "Cairn", init, event, NULL, NULL, NULL, NULL, NULL, NULL,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
