// Says what it is asked each time a file of questions grows: environment, files, arguments. For tests of what a restart may change.
//
//   teller QUESTIONS      lines: env NAME | cat PATH | cwd | exit STATUS
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void cat(const char *path) {
  char text[256] = "";
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (got >= 0) printf("cat %s: %s\n", path, text);
  else printf("cat %s: %s\n", path, strerror(errno));
  if (fd >= 0) close(fd);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  long answered = 0;
  puts("ready");
  fflush(stdout);
  for (int i = 0; i < 24000; i++) {
    struct stat status;
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
    if (stat(argv[1], &status) == -1 || status.st_size <= answered) continue;
    FILE *file = fopen(argv[1], "r");
    fseek(file, answered, SEEK_SET);
    char line[512];
    while (fgets(line, sizeof line, file)) {
      line[strcspn(line, "\n")] = 0;
      char folder[512];
      if (strncmp(line, "env ", 4) == 0) printf("env %s=%s\n", line + 4, getenv(line + 4) ? getenv(line + 4) : "(none)");
      else if (strncmp(line, "cat ", 4) == 0) cat(line + 4);
      else if (strcmp(line, "cwd") == 0) printf("cwd %s\n", getcwd(folder, sizeof folder));
      else if (strncmp(line, "exit ", 5) == 0) return atoi(line + 5);
      fflush(stdout);
    }
    answered = ftell(file);
    fclose(file);
  }
  return 1;
}
