// Protobuf messages without allocation: text fields are views, the envelope is read and written field by field.
// Context: any; a decoded view lives as long as the bytes that it was decoded from.
#pragma once
#include <pb_decode.h>
#include <pb_encode.h>

#include "sys/text.h"

namespace cairn::wire {

using sys::Text;

/// A callback field that is encoded from `text`, which must outlive the encoding. Empty text is left out.
pb_callback_t encode_text(const Text* text);
/// A callback field whose bytes are shown by `text` after decoding.
pb_callback_t decode_text(Text* text);

/// Decodes the body of one message into `message` (initialised by the caller, callbacks set).
[[nodiscard]] bool decode(Text body, const pb_msgdesc_t* type, void* message);
/// Encodes into `buffer`; the size, or -EMSGSIZE.
[[nodiscard]] long encode(void* buffer, size_t capacity, const pb_msgdesc_t* type, const void* message);

/// cairn.agent.Message: its id and which member of `body` it holds.
struct Envelope {
  uint64_t id = 0;
  uint32_t field = 0;
  Text body;
};
[[nodiscard]] bool decode_envelope(Text frame, Envelope* envelope);
[[nodiscard]] long encode_envelope(void* buffer, size_t capacity, uint64_t id, uint32_t field,
                                   const pb_msgdesc_t* type, const void* message);

}  // namespace cairn::wire
