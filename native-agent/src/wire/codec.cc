#include "wire/codec.h"

#include <errno.h>

namespace cairn::wire {
namespace {

bool write_text(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  const Text* text = static_cast<const Text*>(*argument);
  if (text->empty()) return true;
  return pb_encode_tag_for_field(stream, field) &&
         pb_encode_string(stream, reinterpret_cast<const pb_byte_t*>(text->data), text->size);
}

bool read_text(pb_istream_t* stream, const pb_field_t*, void** argument) {
  // A stream over a buffer keeps the position in its state.
  Text* text = static_cast<Text*>(*argument);
  *text = Text(static_cast<const char*>(stream->state), stream->bytes_left);
  return pb_read(stream, nullptr, stream->bytes_left);
}

pb_istream_t stream_of(Text bytes) {
  return pb_istream_from_buffer(reinterpret_cast<const pb_byte_t*>(bytes.data), bytes.size);
}

}  // namespace

pb_callback_t encode_text(const Text* text) {
  pb_callback_t callback = {};
  callback.funcs.encode = write_text;
  callback.arg = const_cast<Text*>(text);
  return callback;
}

pb_callback_t decode_text(Text* text) {
  pb_callback_t callback = {};
  callback.funcs.decode = read_text;
  callback.arg = text;
  return callback;
}

bool decode(Text body, const pb_msgdesc_t* type, void* message) {
  pb_istream_t stream = stream_of(body);
  return pb_decode_ex(&stream, type, message, PB_DECODE_NOINIT);
}

long encode(void* buffer, size_t capacity, const pb_msgdesc_t* type, const void* message) {
  pb_ostream_t stream = pb_ostream_from_buffer(static_cast<pb_byte_t*>(buffer), capacity);
  return pb_encode(&stream, type, message) ? static_cast<long>(stream.bytes_written) : -EMSGSIZE;
}

bool decode_envelope(Text frame, Envelope* envelope) {
  pb_istream_t stream = stream_of(frame);
  while (stream.bytes_left > 0) {
    pb_wire_type_t wire_type;
    uint32_t tag = 0;
    bool eof = false;
    if (!pb_decode_tag(&stream, &wire_type, &tag, &eof)) return eof;
    if (tag == 1 && wire_type == PB_WT_VARINT) {
      if (!pb_decode_varint(&stream, &envelope->id)) return false;
    } else if (wire_type == PB_WT_STRING) {
      pb_istream_t body;
      if (!pb_make_string_substream(&stream, &body)) return false;
      envelope->field = tag;
      envelope->body = Text(static_cast<const char*>(body.state), body.bytes_left);
      if (!pb_read(&body, nullptr, body.bytes_left) || !pb_close_string_substream(&stream, &body)) return false;
    } else if (!pb_skip_field(&stream, wire_type)) {
      return false;
    }
  }
  return true;
}

long encode_envelope(void* buffer, size_t capacity, uint64_t id, uint32_t field, const pb_msgdesc_t* type,
                     const void* message) {
  pb_ostream_t stream = pb_ostream_from_buffer(static_cast<pb_byte_t*>(buffer), capacity);
  bool ok = true;
  if (id != 0) ok = pb_encode_tag(&stream, PB_WT_VARINT, 1) && pb_encode_varint(&stream, id);
  ok = ok && pb_encode_tag(&stream, PB_WT_STRING, field) && pb_encode_submessage(&stream, type, message);
  return ok ? static_cast<long>(stream.bytes_written) : -EMSGSIZE;
}

}  // namespace cairn::wire
