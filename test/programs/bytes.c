// Shows its first argument and the variable ODD in hexadecimal, before and after the file `hold` goes, and reads on in the file of that name.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void show(const char *what, const char *text) {
  printf("%s ", what);
  for (const char *at = text; *at; at++) printf("%02x", (unsigned char)*at);
  putchar('\n');
}

int main(int argc, char **argv) {
  char content[8] = "";
  int fd = open(argv[argc - 1], O_RDWR | O_CREAT, 0600);
  if (fd < 0 || write(fd, "abcdef", 6) != 6 || lseek(fd, 2, SEEK_SET) != 2) return 2;
  show("argument", argv[1]), show("variable", getenv("ODD"));
  puts("ready");
  fflush(stdout);
  while (access("hold", F_OK) == 0) usleep(2000);
  show("argument", argv[1]), show("variable", getenv("ODD"));
  if (read(fd, content, 4) != 4) return 3;
  printf("content %s, there %d\n", content, access(argv[argc - 1], F_OK));
  return 0;
}
