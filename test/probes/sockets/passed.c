// Descriptors on the way over Unix sockets: at their very byte, of several kinds, shared with a descriptor here or nowhere else, of
// stream, datagram and packet sockets, behind a peer that was closed, and in a socket that is on the way itself.
// sabotage: call close @stream
#include "../probe.h"
#include <sys/eventfd.h>
#include <sys/socket.h>

union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(8 * sizeof(int))];
};

static void pass(int fd, const char *text, size_t length, int count, const int *passed) {
  union control control;
  memset(&control, 0, sizeof control);
  control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  memcpy(CMSG_DATA(&control.header), passed, count * sizeof(int));
  struct iovec part = {(char *)text, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  CHECK(sendmsg(fd, &message, 0) == (ssize_t)length, "sendmsg");
}

// What one recvmsg gives: the number of descriptors.
static int receive(int fd, char *text, size_t room, int *passed) {
  union control control;
  struct iovec part = {text, room};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  memset(text, 0, room);
  CHECK(recvmsg(fd, &message, MSG_DONTWAIT) >= 0, "recvmsg");
  CHECK((message.msg_flags & MSG_CTRUNC) == 0, "descriptors were lost");
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header) return 0;
  int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  memcpy(passed, CMSG_DATA(header), count * sizeof(int));
  return count;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int stream[2], packets[2], datagrams[2], closed[2], carrier[2], inner[2], ends[2], last[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0, "socketpair");
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, closed) == 0, "socketpair");
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, carrier) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, inner) == 0, "socketpair");
  CHECK(pipe(ends) == 0 && pipe(last) == 0, "pipe");
  probe_note("stream", (uint64_t)stream[0]);
  int file = open("passed.txt", O_CREAT | O_TRUNC | O_RDWR, 0600), events = eventfd(7, EFD_NONBLOCK);
  int memory = memfd_create("passed", 0);
  CHECK(write(file, "0123456789", 10) == 10 && lseek(file, 3, SEEK_SET) == 3 && write(memory, "memory", 6) == 6, "files");
  CHECK(write(stream[1], "ab", 2) == 2, "write");
  pass(stream[1], "cd", 2, 1, &file);
  CHECK(write(stream[1], "ef", 2) == 2, "write");
  int three[] = {ends[1], events, memory};
  pass(stream[1], "gh", 2, 3, three);
  // From here on these exist on the way only.
  close(ends[1]);
  close(events);
  close(memory);
  pass(packets[1], "", 0, 1, &file);
  pass(packets[1], "packet", 6, 1, &ends[0]);
  pass(datagrams[1], "datagram", 8, 1, &file);
  CHECK(write(closed[1], "x", 1) == 1, "write");
  pass(closed[1], "yz", 2, 1, &file);
  close(closed[1]);
  // Both ends of `inner`, with an end of a pipe on the way in it.
  CHECK(write(last[1], "deep", 4) == 4, "write");
  pass(inner[1], "in", 2, 1, &last[0]);
  pass(carrier[1], "c", 1, 2, inner);
  close(last[0]);
  close(inner[0]);
  close(inner[1]);
  probe_hold();
  char text[32];
  int got[8];
  int first = receive(stream[0], text, 2, got);
  CHECK(first == 0 && memcmp(text, "ab", 2) == 0, "the first two bytes come with %d descriptors", first);
  CHECK(receive(stream[0], text, 16, got) == 1 && strcmp(text, "cd") == 0, "the file comes with %s", text);
  CHECK(lseek(file, 0, SEEK_CUR) == 3 && read(got[0], text, 2) == 2 && lseek(file, 0, SEEK_CUR) == 5, "the offset is not shared");
  CHECK(receive(stream[0], text, 16, got) == 3 && strcmp(text, "efgh") == 0, "three descriptors come with %s", text);
  uint64_t count = 0;
  CHECK(write(got[0], "through", 7) == 7 && read(got[1], &count, 8) == 8 && count == 7, "the eventfd");
  CHECK(pread(got[2], text, 6, 0) == 6 && memcmp(text, "memory", 6) == 0, "the memory file");
  CHECK(read(ends[0], text, 16) == 7 && memcmp(text, "through", 7) == 0, "the pipe");
  CHECK(recv(stream[0], text, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "there is more");
  CHECK(receive(packets[0], text, 16, got) == 1 && lseek(got[0], 0, SEEK_CUR) == 5, "the empty packet");
  CHECK(receive(packets[0], text, 16, got) == 1 && strcmp(text, "packet") == 0, "the packet");
  CHECK(receive(datagrams[0], text, 16, got) == 1 && strcmp(text, "datagram") == 0 && lseek(got[0], 0, SEEK_CUR) == 5, "the datagram");
  CHECK(receive(closed[0], text, 1, got) == 0 && text[0] == 'x' && receive(closed[0], text, 16, got) == 1 && strcmp(text, "yz") == 0, "behind a closed peer");
  CHECK(read(closed[0], text, 1) == 0, "the peer is not closed");
  CHECK(receive(carrier[0], text, 16, got) == 2, "the socket on the way");
  int deep;
  CHECK(receive(got[0], text, 16, &deep) == 1 && strcmp(text, "in") == 0, "the descriptor on the way in it");
  CHECK(read(deep, text, 16) == 4 && memcmp(text, "deep", 4) == 0, "the innermost pipe");
  CHECK(write(got[1], "on", 2) == 2 && read(got[0], text, 16) == 2, "the socket that was on the way");
  CHECK(write(last[1], "again", 5) == 5 && read(deep, text, 16) == 5, "the pipe's ends");
  return probe_ok();
}
