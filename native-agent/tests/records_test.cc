// The description of an image: what is written is read back, and every kind of damage is seen.
#include "image/records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using cairn::image::check_records;
using cairn::image::ReadResult;
using cairn::sys::Text;

std::string write_sample() {
  std::vector<char> memory(1 << 16);
  cairn::image::RecordWriter records(memory.data(), memory.size());
  cairn_image_Header header = cairn_image_Header_init_zero;
  Text architecture("x86_64");
  header.format = cairn::image::format_version;
  header.virtual_pid = 4711;
  header.architecture = cairn::wire::encode_text(&architecture);
  records.add(cairn_image_RecordType_RECORD_HEADER, cairn_image_Header_fields, &header);
  for (uint64_t i = 0; i < 3; ++i) {
    cairn_image_Run run = {0x1000 * (i + 1), 4096, 4096 * i};
    records.add(cairn_image_RecordType_RECORD_RUN, cairn_image_Run_fields, &run);
  }
  EXPECT_TRUE(records.finish());
  return {records.data(), records.size()};
}

ReadResult check(const std::string& file) { return check_records(Text(file.data(), file.size())); }

TEST(Records, ReadBack) {
  std::string file = write_sample();
  ASSERT_EQ(check(file), ReadResult::ok);
  int32_t pid = 0;
  std::string architecture;
  std::vector<uint64_t> addresses;
  cairn::image::for_each_record(Text(file.data(), file.size()), [&](uint32_t type, Text body) {
    if (type == cairn_image_RecordType_RECORD_HEADER) {
      cairn_image_Header header = cairn_image_Header_init_zero;
      Text text;
      header.architecture = cairn::wire::decode_text(&text);
      EXPECT_TRUE(cairn::wire::decode(body, cairn_image_Header_fields, &header));
      pid = header.virtual_pid;
      architecture.assign(text.data, text.size);
    } else if (type == cairn_image_RecordType_RECORD_RUN) {
      cairn_image_Run run = cairn_image_Run_init_zero;
      EXPECT_TRUE(cairn::wire::decode(body, cairn_image_Run_fields, &run));
      addresses.push_back(run.address);
    }
    return true;
  });
  EXPECT_EQ(pid, 4711);
  EXPECT_EQ(architecture, "x86_64");
  EXPECT_EQ(addresses, (std::vector<uint64_t>{0x1000, 0x2000, 0x3000}));
}

TEST(Records, EveryFlippedByteIsSeen) {
  std::string file = write_sample();
  for (size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_NE(check(damaged), ReadResult::ok) << "byte " << at;
  }
}

TEST(Records, EveryTornFileIsSeen) {
  std::string file = write_sample();
  for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(check(file.substr(0, size)), ReadResult::ok) << size;
  EXPECT_NE(check(file + "x"), ReadResult::ok);
}

TEST(Records, OtherFormatIsToldApart) {
  std::string file = write_sample();
  file[8] = 99;
  EXPECT_EQ(check(file), ReadResult::other_format);
  EXPECT_EQ(check("something else altogether, long enough"), ReadResult::not_an_image);
}

TEST(Records, FullBufferIsReported) {
  std::vector<char> memory(200);
  cairn::image::RecordWriter records(memory.data(), memory.size());
  cairn_image_Run run = {0x1000, 4096, 0};
  for (int i = 0; i < 100; ++i) records.add(cairn_image_RecordType_RECORD_RUN, cairn_image_Run_fields, &run);
  EXPECT_FALSE(records.finish());
}

}  // namespace
