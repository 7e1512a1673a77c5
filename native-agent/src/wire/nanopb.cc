// What codec.cc and the generated messages need of nanopb, for processors for which the system has no library of it: streams over
// one buffer, varints, and messages whose fields are numbers, truth values, or left to a callback, as all of ours are. Written
// after nanopb's headers, which say how a generated description stores its fields.
// Context: any; no allocation. Test: tests/nanopb_test.cc, which runs it against the system's library.
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

namespace {

struct Field {
  pb_type_t type;
  uint32_t tag;
  uint32_t offset;
  uint32_t size;
};

/// Takes the next field of a description, and moves *word to the one behind.
Field read_field(const uint32_t** word) {
  const uint32_t* at = *word;
  Field field = {static_cast<pb_type_t>(at[0] >> 8), (at[0] & 0xff) >> 2, 0, 0};
  switch (at[0] & 3) {
    case 0:
      field.offset = (at[0] >> 16) & 0xff;
      field.size = (at[0] >> 28) & 0xf;
      *word = at + 1;
      break;
    case 1:
      field.tag |= (at[1] >> 28) << 6;
      field.offset = at[1] & 0xffff;
      field.size = (at[1] >> 16) & 0xfff;
      *word = at + 2;
      break;
    default:
      field.tag |= (at[1] >> 8) << 6;
      field.offset = at[2];
      field.size = at[3];
      *word = at + ((at[0] & 3) == 2 ? 4 : 8);
  }
  return field;
}

bool is_callback(const Field& field) { return PB_ATYPE(field.type) == PB_ATYPE_CALLBACK; }

pb_wire_type_t wire_type_of(pb_type_t type) {
  switch (PB_LTYPE(type)) {
    case PB_LTYPE_BOOL:
    case PB_LTYPE_VARINT:
    case PB_LTYPE_UVARINT:
    case PB_LTYPE_SVARINT: return PB_WT_VARINT;
    case PB_LTYPE_FIXED32: return PB_WT_32BIT;
    case PB_LTYPE_FIXED64: return PB_WT_64BIT;
    default: return PB_WT_STRING;
  }
}

uint64_t load(const Field& field, const char* place) {
  uint64_t value = 0;
  memcpy(&value, place, field.size);
  bool is_signed = PB_LTYPE(field.type) == PB_LTYPE_VARINT || PB_LTYPE(field.type) == PB_LTYPE_SVARINT;
  if (is_signed && field.size == 4) value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
  if (PB_LTYPE(field.type) == PB_LTYPE_SVARINT) value = (value << 1) ^ (0 - (value >> 63));
  return value;
}

void store(const Field& field, char* place, uint64_t value) {
  if (PB_LTYPE(field.type) == PB_LTYPE_SVARINT) value = (value >> 1) ^ (0 - (value & 1));
  if (PB_LTYPE(field.type) == PB_LTYPE_BOOL) value = value != 0;
  memcpy(place, &value, field.size);
}

bool take_fixed(pb_istream_t* stream, size_t size, uint64_t* value) {
  *value = 0;
  return pb_read(stream, reinterpret_cast<pb_byte_t*>(value), size);
}

bool decode_by_callback(pb_istream_t* stream, const Field& field, pb_callback_t* callback) {
  pb_istream_t part;
  if (!pb_make_string_substream(stream, &part)) return false;
  if (callback->funcs.decode == nullptr) return true;
  pb_field_iter_t iterator = {};
  iterator.tag = static_cast<pb_size_t>(field.tag);
  iterator.type = field.type;
  return callback->funcs.decode(&part, &iterator, &callback->arg);
}

bool decode_field(pb_istream_t* stream, const Field& field, pb_wire_type_t type, char* message) {
  if (is_callback(field)) {
    return type == PB_WT_STRING ? decode_by_callback(stream, field, reinterpret_cast<pb_callback_t*>(message + field.offset))
                                : pb_skip_field(stream, type);
  }
  uint64_t value = 0;
  if (type != wire_type_of(field.type)) return false;
  bool ok = type == PB_WT_VARINT ? pb_decode_varint(stream, &value) : take_fixed(stream, type == PB_WT_64BIT ? 8 : 4, &value);
  if (ok) store(field, message + field.offset, value);
  return ok;
}

}  // namespace

extern "C" {

pb_istream_t pb_istream_from_buffer(const pb_byte_t* buffer, size_t size) {
  pb_istream_t stream = {};
  stream.state = const_cast<pb_byte_t*>(buffer);
  stream.bytes_left = size;
  return stream;
}

bool pb_read(pb_istream_t* stream, pb_byte_t* buffer, size_t count) {
  if (count > stream->bytes_left) return false;
  auto* from = static_cast<const pb_byte_t*>(stream->state);
  if (buffer != nullptr) memcpy(buffer, from, count);
  stream->state = const_cast<pb_byte_t*>(from + count);
  stream->bytes_left -= count;
  return true;
}

bool pb_decode_varint(pb_istream_t* stream, uint64_t* value) {
  *value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    pb_byte_t byte = 0;
    if (!pb_read(stream, &byte, 1)) return false;
    if (shift == 63 && (byte & 0xfe) != 0) return false;
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool pb_decode_tag(pb_istream_t* stream, pb_wire_type_t* wire_type, uint32_t* tag, bool* eof) {
  *eof = stream->bytes_left == 0;
  uint64_t value = 0;
  if (*eof || !pb_decode_varint(stream, &value) || value > UINT32_MAX) return false;
  *tag = static_cast<uint32_t>(value) >> 3;
  *wire_type = static_cast<pb_wire_type_t>(value & 7);
  return *tag != 0;
}

bool pb_make_string_substream(pb_istream_t* stream, pb_istream_t* part) {
  uint64_t size = 0;
  if (!pb_decode_varint(stream, &size) || size > stream->bytes_left) return false;
  *part = pb_istream_from_buffer(static_cast<const pb_byte_t*>(stream->state), static_cast<size_t>(size));
  return pb_read(stream, nullptr, static_cast<size_t>(size));
}

bool pb_close_string_substream(pb_istream_t*, pb_istream_t*) { return true; }

bool pb_skip_field(pb_istream_t* stream, pb_wire_type_t wire_type) {
  uint64_t ignored = 0;
  pb_istream_t part;
  switch (wire_type) {
    case PB_WT_VARINT: return pb_decode_varint(stream, &ignored);
    case PB_WT_64BIT: return pb_read(stream, nullptr, 8);
    case PB_WT_STRING: return pb_make_string_substream(stream, &part);
    case PB_WT_32BIT: return pb_read(stream, nullptr, 4);
    default: return false;
  }
}

bool pb_decode_ex(pb_istream_t* stream, const pb_msgdesc_t* type, void* message, unsigned int) {
  while (stream->bytes_left > 0) {
    pb_wire_type_t wire_type;
    uint32_t tag = 0;
    bool eof = false;
    if (!pb_decode_tag(stream, &wire_type, &tag, &eof)) return false;
    bool known = false;
    const uint32_t* word = type->field_info;
    for (pb_size_t i = 0; i < type->field_count && !known; ++i) {
      Field field = read_field(&word);
      known = field.tag == tag;
      if (known && !decode_field(stream, field, wire_type, static_cast<char*>(message))) return false;
    }
    if (!known && !pb_skip_field(stream, wire_type)) return false;
  }
  return true;
}

pb_ostream_t pb_ostream_from_buffer(pb_byte_t* buffer, size_t size) {
  pb_ostream_t stream = {};
  stream.state = buffer;
  stream.max_size = size;
  return stream;
}

bool pb_write(pb_ostream_t* stream, const pb_byte_t* bytes, size_t count) {
  if (count > stream->max_size - stream->bytes_written) return false;
  // Without a buffer the size is all that is asked for.
  if (stream->state != nullptr) memcpy(static_cast<pb_byte_t*>(stream->state) + stream->bytes_written, bytes, count);
  stream->bytes_written += count;
  return true;
}

bool pb_encode_varint(pb_ostream_t* stream, uint64_t value) {
  pb_byte_t bytes[10];
  size_t count = 0;
  do {
    bytes[count++] = static_cast<pb_byte_t>(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    value >>= 7;
  } while (value != 0);
  return pb_write(stream, bytes, count);
}

bool pb_encode_tag(pb_ostream_t* stream, pb_wire_type_t wire_type, uint32_t tag) {
  return pb_encode_varint(stream, static_cast<uint64_t>(tag) << 3 | static_cast<uint64_t>(wire_type));
}

bool pb_encode_tag_for_field(pb_ostream_t* stream, const pb_field_iter_t* field) {
  return pb_encode_tag(stream, wire_type_of(field->type), field->tag);
}

bool pb_encode_string(pb_ostream_t* stream, const pb_byte_t* bytes, size_t size) {
  return pb_encode_varint(stream, size) && pb_write(stream, bytes, size);
}

bool pb_encode(pb_ostream_t* stream, const pb_msgdesc_t* type, const void* message) {
  const uint32_t* word = type->field_info;
  for (pb_size_t i = 0; i < type->field_count; ++i) {
    Field field = read_field(&word);
    const char* place = static_cast<const char*>(message) + field.offset;
    pb_field_iter_t iterator = {};
    iterator.tag = static_cast<pb_size_t>(field.tag);
    iterator.type = field.type;
    if (is_callback(field)) {
      auto* callback = reinterpret_cast<const pb_callback_t*>(place);
      if (callback->funcs.encode != nullptr && !callback->funcs.encode(stream, &iterator, &callback->arg)) return false;
      continue;
    }
    uint64_t value = load(field, place);
    if (value == 0) continue;
    if (!pb_encode_tag_for_field(stream, &iterator)) return false;
    pb_wire_type_t wire_type = wire_type_of(field.type);
    bool ok = wire_type == PB_WT_VARINT ? pb_encode_varint(stream, value)
                                        : pb_write(stream, reinterpret_cast<const pb_byte_t*>(&value), wire_type == PB_WT_64BIT ? 8 : 4);
    if (!ok) return false;
  }
  return true;
}

bool pb_encode_submessage(pb_ostream_t* stream, const pb_msgdesc_t* type, const void* message) {
  pb_ostream_t counted = pb_ostream_from_buffer(nullptr, SIZE_MAX);
  return pb_encode(&counted, type, message) && pb_encode_varint(stream, counted.bytes_written) && pb_encode(stream, type, message);
}

/// Named by generated descriptions; callbacks are called above.
bool pb_default_field_callback(pb_istream_t*, pb_ostream_t*, const pb_field_t*) { return true; }

}  // extern "C"
