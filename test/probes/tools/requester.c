/* What requests.test.ts runs: does what its arguments say, one after the other, and says what came of it.
 *   request:NAME   section:NAME   leave   wait (for a line)   fork (the rest happens in a child; the parent ends with its status) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cairn/cairn.h>

int main(int count, char **words) {
  char line[64], why[2048];
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < count; i++) {
    if (strncmp(words[i], "request:", 8) == 0) {
      int result = cairn_request_checkpoint(words[i] + 8);
      cairn_request_error(why, sizeof why);
      printf("%s gives %d%s%s\n", words[i], result, result < 0 ? ": " : "", result < 0 ? why : "");
    } else if (strncmp(words[i], "section:", 8) == 0) {
      printf("%s gives %d\n", words[i], cairn_forbid_checkpoint(words[i] + 8));
    } else if (strcmp(words[i], "leave") == 0) {
      printf("leave gives %d\n", cairn_allow_checkpoint());
    } else if (strcmp(words[i], "wait") == 0) {
      puts("waits");
      if (fgets(line, sizeof line, stdin) == NULL) return 9;
    } else if (strcmp(words[i], "fork") == 0) {
      int status = 0;
      pid_t child = fork();
      if (child != 0) return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 8;
    }
  }
  puts("over");
  return 0;
}
