// Has a plugin take a connection off, keeps what it says of it, and has one give a new descriptor at a restart.
// [quiesced], then [restoring]
#include "external/external.h"

namespace cairn::external {

Record records[max_records];
uint32_t record_count = 0;

namespace {

plugin::Pool pool;
constexpr uint64_t most_state = 16 * 1024 * 1024;

/// A checkpoint of a computation that is held comes to connections that are off already.
Record* known(const struct stat64& status) {
  for (uint32_t i = 0; i < record_count; ++i) {
    if (records[i].away && records[i].device == status.st_dev && records[i].inode == status.st_ino) return &records[i];
  }
  return nullptr;
}

uint64_t token_of(const Record* record) { return static_cast<uint64_t>(record - records) + 1; }

bool keep(cairn_external* facts) {
  bool whole = true;
  const char** texts[] = {&facts->name, &facts->local, &facts->peer};
  for (const char** text : texts) {
    if (*text == nullptr) *text = "";
    const char* copy = pool.copy(host, *text);
    whole = whole && copy != nullptr;
    *text = copy != nullptr ? copy : "";
  }
  if (facts->state == nullptr) facts->state_size = 0;
  if (facts->state_size == 0) {
    facts->state = nullptr;
    return whole;
  }
  auto* copy = static_cast<char*>(pool.take(host, facts->state_size));
  for (uint64_t i = 0; copy != nullptr && i < facts->state_size; ++i) copy[i] = static_cast<const char*>(facts->state)[i];
  facts->state = copy;
  if (copy == nullptr) facts->state_size = 0;
  return whole && copy != nullptr;
}

/// What the plugin itself has said counts before this.
int32_t refused(const cairn_external& connection) {
  Text<512> text;
  text.add("the connection to ").add(connection.peer[0] != 0 ? connection.peer : connection.name)
      .add(" was taken off by its plugin but cannot be saved (error ").add(int64_t{-connection.error}).add(")");
  return host->fail(connection.error, connection.peer, text.text());
}

}  // namespace

void forget_records() {
  for (uint32_t i = 0; i < record_count; ++i) {
    if (records[i].away) return;
  }
  record_count = 0;
  pool.reset();
}

int32_t save(cairn_external* connection, uint64_t* token) {
  struct stat64 status = {};
  if (long error = sys(SYS_fstat, connection->fd, pointer(&status)); error < 0) return static_cast<int32_t>(error);
  if (Record* before = known(status)) {
    *token = token_of(before);
    return 1;
  }
  if (record_count == max_records) return host->fail(-EMFILE, "connections", "more than 256 external connections");
  connection->size = sizeof *connection;
  connection->mode = status.st_mode;
  connection->status_flags = static_cast<uint32_t>(sys(SYS_fcntl, connection->fd, F_GETFL));
  connection->processes = sharers(connection->fd);
  connection->state = nullptr;
  connection->state_size = 0;
  connection->error = 0;
  const int32_t fd = connection->fd;
  int32_t layer = host->offer(CAIRN_EVENT_EXTERNAL_SAVE, connection);
  if (layer < -1) return layer;
  if (layer == -1 && connection->rule == 0) return 0;
  Record* record = &records[record_count++];
  *record = {*connection, status.st_dev, status.st_ino, layer, layer >= 0, -1};
  record->facts.fd = fd;
  // From here on the plugin is asked to bring it back, whatever fails.
  int32_t error = record->away ? tell_away(record) : 0;
  if (error == 0 && record->away && connection->error < 0) error = refused(*connection);
  if (connection->state_size > most_state) error = host->fail(-E2BIG, "connections", "a plugin has more than 16 MiB to save for a connection");
  if (error < 0 || connection->state_size > most_state) {
    record->facts.state = nullptr;
    record->facts.state_size = 0;
  }
  if (!keep(&record->facts) && error == 0) error = host->fail(-ENOMEM, "connections", "no memory for what a plugin saves of a connection");
  *token = token_of(record);
  return error < 0 ? error : 1;
}

int32_t restore(uint64_t token) {
  const Record& record = records[token - 1];
  cairn_external data = record.facts;
  data.fd = -1;
  int32_t layer = host->offer(CAIRN_EVENT_EXTERNAL_RESTORE, &data);
  if (layer < 0) return layer == -1 ? -ENOENT : layer;
  if (data.fd < 0) return host->fail(-EBADF, data.peer, "a plugin says that it brings an external connection back, and gives no descriptor");
  sys(SYS_fcntl, data.fd, F_SETFL, static_cast<long>(data.status_flags));
  return data.fd;
}

int32_t restored(uint64_t token, int32_t fd) {
  Record* record = &records[token - 1];
  record->facts.fd = fd;
  return record->facts.name[0] == 0 ? 0 : mark(fd, record->facts.name);
}

void begin_restart() {
  for (uint32_t i = 0; i < record_count; ++i) {
    records[i].away = false;
    records[i].old = -1;
  }
}

}  // namespace cairn::external
