// Code that the program wrote itself (as JIT compilers do) runs after the checkpoint, and more can be made.
// sabotage: poke @code
#include "../probe.h"

typedef int (*Function)(int);

// The argument and a constant are added, and returned. Where the constant is.
#ifdef __x86_64__
enum { CONSTANT = 2 };
static const unsigned char template[] = {0x8d, 0x87, 0, 0, 0, 0, 0xc3};  // lea 0(%rdi), %eax; ret
#else
enum { CONSTANT = 5 };
static const unsigned char template[] = {0x8b, 0x44, 0x24, 4, 0x05, 0, 0, 0, 0, 0xc3};  // mov 4(%esp), %eax; add $0, %eax; ret
#endif
static Function generate(int constant) {
  unsigned char *code = (unsigned char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(code != MAP_FAILED, "mmap");
  memcpy(code, template, sizeof template);
  memcpy(code + CONSTANT, &constant, 4);
  CHECK(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0, "mprotect");
  return (Function)(uintptr_t)code;
}
static volatile int stop;
static Function looping;
static volatile long calls;
static void *body(void *argument) {
  while (!stop) {
    CHECK(looping(5) == 1005, "generated code gave a wrong result");
    calls++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  Function functions[20];
  for (int i = 0; i < 20; i++) functions[i] = generate(i * 1000);
  looping = functions[1];
  unsigned char *open_code = (unsigned char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (open_code != MAP_FAILED) memcpy(open_code, (void *)(uintptr_t)functions[3], sizeof template);
  probe_note("code", (uint64_t)(uintptr_t)functions[7] + CONSTANT + 1);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  probe_hold();
  for (int i = 0; i < 20; i++) CHECK(functions[i](7) == i * 1000 + 7, "function %d", i);
  if (open_code != MAP_FAILED) {
    CHECK(((Function)(uintptr_t)open_code)(1) == 3001, "writable code");
    open_code[CONSTANT] = 9;
    open_code[CONSTANT + 1] = 0;
    CHECK(((Function)(uintptr_t)open_code)(1) == 10, "code changed in place");
  }
  CHECK(generate(42)(1) == 43, "code generated afterwards");
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
