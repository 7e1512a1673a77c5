// Shared memory of one process alone, at two places: without a name, and a memory file that is closed, which one place writes and the other
// executes. A store at one place is seen at the other.
// sabotage: call munmap @alias 4096
#include "../probe.h"

enum { PAGE = 4096 };

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *nameless = (char *)mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *alias = (char *)mremap(nameless, 0, PAGE, MREMAP_MAYMOVE);
  CHECK(nameless != MAP_FAILED && alias != MAP_FAILED, "memory without a name");
  int file = memfd_create("code", 0);
  CHECK(ftruncate(file, 2 * PAGE) == 0, "ftruncate");
  unsigned char *written = (unsigned char *)mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  unsigned char *executed = (unsigned char *)mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, PAGE);
  CHECK(written != MAP_FAILED && executed != MAP_FAILED && close(file) == 0, "a memory file");
  unsigned char code[] = {0xb8, 1, 0, 0, 0, 0xc3};  // mov eax, 1; ret
  memcpy(written + PAGE, code, sizeof code);
  nameless[0] = 'a';
  probe_note("alias", (uint64_t)(uintptr_t)alias);
  probe_hold();
  CHECK(alias[0] == 'a' && executed[0] == 0xb8, "content");
  nameless[1] = 'b';
  CHECK(alias[1] == 'b', "memory without a name and its alias are two");
  alias[2] = 'c';
  CHECK(nameless[2] == 'c', "the alias and the memory are two");
  code[1] = 7;
  memcpy(written + PAGE, code, sizeof code);
  int (*call)(void) = (int (*)(void))(uintptr_t)executed;
  CHECK(call() == 7, "what is written and what is executed are two");
  return probe_ok();
}
