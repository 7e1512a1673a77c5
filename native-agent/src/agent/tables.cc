#include "agent/tables.h"

#include "agent.pb.h"
#include "agent/log.h"
#include "events/guard.h"
#include "events/host.h"
#include "events/wraps.h"
#include "sys/maps.h"

namespace cairn::agent {

using sys::Text;
using wire::encode_text;

void Tables::answer(uint64_t id, Text body) {
  id_ = id;
  count_ = 0;
  Text kind;
  cairn_agent_TableRequest request = cairn_agent_TableRequest_init_zero;
  request.kind = wire::decode_text(&kind);
  Text error;
  if (!wire::decode(body, cairn_agent_TableRequest_fields, &request)) {
    error = Text("the request could not be read");
  } else if (kind == Text("mapping")) {
    mappings();
  } else if (kind == Text("wrap")) {
    events::wrap_rows(emit, this);
  } else {
    sys::TextBuffer<64> name;
    name.add(kind);
    // A plugin that cannot give its rows does not keep the others' back.
    sys::Error failed;
    events::facts().error = &failed;
    events::rows(name.c_str(), emit, this);
    events::facts().error = nullptr;
    events::end_guard();
    if (failed.failed()) log(CAIRN_LOG_ERROR, sys::TextBuffer<1024>().add(failed.message()).c_str());
  }
  cairn_agent_TableEnd end = cairn_agent_TableEnd_init_zero;
  end.rows = count_;
  end.error = encode_text(&error);
  (void)agent_->channel_.put(id, cairn_agent_Message_table_end_tag, cairn_agent_TableEnd_fields, &end);
}

void Tables::emit(void* self, const cairn_row* row, const char* owner) {
  auto* tables = static_cast<Tables*>(self);
  auto text = [](const char* value) { return Text(value != nullptr ? value : ""); };
  Text virtual_name = text(row->virtual_name), real_name = text(row->real_name), before = text(row->before);
  Text detail = text(row->detail), owner_name = text(owner);
  cairn_agent_TableRow record = cairn_agent_TableRow_init_zero;
  record.virtual_name = encode_text(&virtual_name);
  record.real_name = encode_text(&real_name);
  record.before = encode_text(&before);
  record.owner = encode_text(&owner_name);
  record.detail = encode_text(&detail);
  record.since_ns = row->since_ns;
  ++tables->count_;
  (void)tables->agent_->channel_.put(tables->id_, cairn_agent_Message_table_row_tag, cairn_agent_TableRow_fields, &record);
}

void Tables::mappings() {
  size_t mark = agent_->arena_.used();
  constexpr size_t capacity = 8 << 20;
  char* text = static_cast<char*>(agent_->arena_.allocate(capacity));
  struct Reading {
    int32_t process;
    char* text;
    long size;
  } reading = {events::facts().real_pid, text, 0};
  auto read = [](void* context) {
    auto* job = static_cast<Reading*>(context);
    sys::TextBuffer<64> path;
    path.add("/proc/").number(job->process).add("/maps");
    if (job->text != nullptr) job->size = sys::read_all(path.c_str(), job->text, capacity);
  };
  agent_->aside(read, &reading);
  sys::TextReader reader(Text(text, reading.size > 0 ? static_cast<size_t>(reading.size) : 0));
  sys::MapLine line;
  while (sys::next_map_line(&reader, &line)) {
    sys::TextBuffer<64> range;
    sys::TextBuffer<4200> detail;
    range.hex(line.start).add('-').hex(line.end);
    detail.add((line.protection & PROT_READ) != 0 ? 'r' : '-').add((line.protection & PROT_WRITE) != 0 ? 'w' : '-');
    detail.add((line.protection & PROT_EXEC) != 0 ? 'x' : '-').add(line.shared ? 's' : 'p').add(' ').add(line.path);
    cairn_row row = {};
    row.size = sizeof row;
    row.virtual_name = range.c_str();
    row.real_name = range.c_str();
    row.detail = detail.c_str();
    emit(this, &row, "core");
  }
  agent_->arena_.rewind(mark);
}

}  // namespace cairn::agent
