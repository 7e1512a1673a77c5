// Building and reading text without libc's stdio: bounded, no allocation. Callable in every context.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace cairn::sys {

/// A view of bytes that somebody else owns.
struct Text {
  const char* data = "";
  size_t size = 0;

  constexpr Text() = default;
  constexpr Text(const char* bytes, size_t length) : data(bytes), size(length) {}
  Text(const char* zero_terminated) : data(zero_terminated), size(strlen(zero_terminated)) {}

  [[nodiscard]] bool empty() const { return size == 0; }
  [[nodiscard]] bool operator==(const Text& other) const {
    return size == other.size && memcmp(data, other.data, size) == 0;
  }
  [[nodiscard]] bool starts_with(const Text& prefix) const {
    return size >= prefix.size && memcmp(data, prefix.data, prefix.size) == 0;
  }
  [[nodiscard]] bool ends_with(const Text& suffix) const {
    return size >= suffix.size && memcmp(data + size - suffix.size, suffix.data, suffix.size) == 0;
  }
  [[nodiscard]] Text from(size_t start) const { return start < size ? Text(data + start, size - start) : Text(); }
};

/// Appends to a caller's buffer; always zero-terminated; what does not fit is cut and `cut` is set.
class TextBuilder {
 public:
  TextBuilder(char* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) { buffer_[0] = 0; }

  TextBuilder& add(Text text) {
    size_t room = capacity_ - 1 - size_;
    size_t count = text.size <= room ? text.size : room;
    cut_ = cut_ || count < text.size;
    memcpy(buffer_ + size_, text.data, count);
    size_ += count;
    buffer_[size_] = 0;
    return *this;
  }
  TextBuilder& add(char character) { return add(Text(&character, 1)); }
  TextBuilder& number(int64_t value) {
    if (value < 0) add('-');
    return unsigned_number(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
  }
  TextBuilder& unsigned_number(uint64_t value, unsigned base = 10) {
    char digits[24];
    size_t count = 0;
    do {
      digits[sizeof digits - ++count] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    return add(Text(digits + sizeof digits - count, count));
  }
  TextBuilder& hex(uint64_t value) { return add("0x").unsigned_number(value, 16); }

  [[nodiscard]] Text text() const { return {buffer_, size_}; }
  [[nodiscard]] const char* c_str() const { return buffer_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool cut() const { return cut_; }
  void clear() { size_ = 0; buffer_[0] = 0; cut_ = false; }

 private:
  char* buffer_;
  size_t capacity_;
  size_t size_ = 0;
  bool cut_ = false;
};

/// A TextBuilder with its buffer.
template <size_t Capacity>
class TextBuffer : public TextBuilder {
 public:
  TextBuffer() : TextBuilder(storage_, Capacity) {}
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

 private:
  char storage_[Capacity];
};

/// Reads numbers and words from the front of a text.
class TextReader {
 public:
  explicit TextReader(Text text) : rest_(text) {}
  [[nodiscard]] Text rest() const { return rest_; }
  [[nodiscard]] bool done() const { return rest_.empty(); }

  bool number(uint64_t* value, unsigned base = 10) {
    *value = 0;
    size_t count = 0;
    while (count < rest_.size) {
      unsigned digit = digit_of(rest_.data[count]);
      if (digit >= base) break;
      *value = *value * base + digit;
      ++count;
    }
    rest_ = rest_.from(count);
    return count > 0;
  }
  bool skip(char character) {
    if (rest_.empty() || rest_.data[0] != character) return false;
    rest_ = rest_.from(1);
    return true;
  }
  void skip_spaces() {
    while (skip(' ') || skip('\t')) {
    }
  }
  /// Up to `end` (left out, skipped) or the end of the text.
  Text until(char end) {
    const void* found = rest_.empty() ? nullptr : memchr(rest_.data, end, rest_.size);
    size_t count = found ? static_cast<size_t>(static_cast<const char*>(found) - rest_.data) : rest_.size;
    Text word(rest_.data, count);
    rest_ = rest_.from(count + 1);
    return word;
  }

 private:
  static unsigned digit_of(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    return 99;
  }
  Text rest_;
};

}  // namespace cairn::sys
