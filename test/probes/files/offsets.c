// Open files keep number, offset, access mode, append mode, flags and close-on-exec; reads and writes go on where they were.
// What the check writes would show in the next restart of the same snapshot.
// sabotage: call lseek @reader 3 0
// bits: 64, 32
#include "../probe.h"

static char text[64];
static const char *at(int fd, off_t offset, size_t bytes) {
  memset(text, 0, sizeof text);
  CHECK(pread(fd, text, bytes, offset) >= 0, "pread");
  return text;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int maker = open("input", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(write(maker, "0123456789abcdef", 16) == 16, "write");
  close(maker);
  int reader = open("input", O_RDONLY | O_CLOEXEC);
  int writer = open("written", O_WRONLY | O_CREAT | O_TRUNC, 0640);
  int both = open("both", O_RDWR | O_CREAT | O_TRUNC, 0600);
  int append = open("appended", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
  int odd = open("odd", O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_DSYNC, 0644);
  int high = fcntl(both, F_DUPFD, 200);
  CHECK(reader >= 0 && writer >= 0 && both >= 0 && append >= 0 && odd >= 0 && high >= 200, "open");
  CHECK(lseek(reader, 7, SEEK_SET) == 7, "lseek");
  CHECK(write(writer, "written so far", 14) == 14, "write");
  CHECK(write(both, "HEADER....body", 14) == 14 && lseek(both, 6, SEEK_SET) == 6, "write");
  CHECK(write(append, "first\n", 6) == 6, "write");
  CHECK(pwrite(odd, "hole", 4, 100000) == 4, "pwrite");
  probe_note("reader", (uint64_t)reader);
  probe_hold();
  CHECK(read(reader, text, 4) == 4 && memcmp(text, "789a", 4) == 0, "the reader read '%.4s'", text);
  CHECK(fcntl(reader, F_GETFD) == FD_CLOEXEC && fcntl(writer, F_GETFD) == 0, "close-on-exec");
  CHECK((fcntl(reader, F_GETFL) & O_ACCMODE) == O_RDONLY && (fcntl(writer, F_GETFL) & O_ACCMODE) == O_WRONLY, "access modes");
  CHECK((fcntl(append, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND), "append mode");
  CHECK((fcntl(odd, F_GETFL) & (O_NONBLOCK | O_DSYNC)) == (O_NONBLOCK | O_DSYNC), "flags are %x", (unsigned)fcntl(odd, F_GETFL));
  CHECK(lseek(writer, 0, SEEK_CUR) == 14 && write(writer, ", and on", 8) == 8, "the writer's offset");
  struct stat status;
  CHECK(fstat(writer, &status) == 0 && status.st_size == 22 && (status.st_mode & 07777) == 0640, "written: %ld bytes, mode %o", (long)status.st_size, status.st_mode);
  CHECK(lseek(both, 0, SEEK_CUR) == 6 && write(both, "++++", 4) == 4, "offset of the file opened for both");
  CHECK(strcmp(at(both, 0, 20), "HEADER++++body") == 0, "it holds '%s'", text);
  CHECK(write(append, "second\n", 7) == 7 && strcmp(at(append, 0, 40), "first\nsecond\n") == 0, "the appended file holds '%s'", text);
  CHECK(fstat(odd, &status) == 0 && status.st_size == 100004, "file with a hole: %ld bytes", (long)status.st_size);
  CHECK(stat("written", &status) == 0 && status.st_size == 22, "the written file by its name has %ld bytes", (long)status.st_size);
  int again = open("both", O_RDONLY);
  CHECK(strcmp(at(again, 0, 20), "HEADER++++body") == 0, "by its name it holds '%s'", text);
  CHECK(lseek(high, 0, SEEK_CUR) == 10, "the high descriptor's offset");
  CHECK(ftruncate(writer, 3) == 0, "ftruncate");
  return probe_ok();
}
