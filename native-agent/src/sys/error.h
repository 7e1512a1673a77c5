// What failed, in words for the user, with the cause. One per operation; filled by whoever finds the failure first.
#pragma once
#include "sys/text.h"

namespace cairn::sys {

/// 0 or -errno.
using Status = int32_t;

class [[nodiscard]] Error {
 public:
  /// Starts the message of a failure; the first one wins, later ones are consequences and are dropped.
  TextBuilder& set(Status number, Text culprit) {
    if (failed_) {
      dropped_.clear();
      return dropped_;
    }
    failed_ = true;
    number_ = number;
    culprit_.clear();
    culprit_.add(culprit);
    message_.clear();
    return message_;
  }
  /// Another failure that is no consequence of the first: a line of its own.
  TextBuilder& also(Status number, Text culprit) {
    if (!failed_) return set(number, culprit);
    return message_.add('\n');
  }
  void clear() {
    failed_ = false;
    number_ = 0;
    message_.clear();
    culprit_.clear();
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] Status number() const { return number_; }
  [[nodiscard]] Text message() const { return message_.text(); }
  [[nodiscard]] Text culprit() const { return culprit_.text(); }

 private:
  bool failed_ = false;
  Status number_ = 0;
  TextBuffer<1024> message_;
  TextBuffer<512> culprit_;
  TextBuffer<1024> dropped_;
};

}  // namespace cairn::sys
