// Code on the stack: a program that needs it executable (as nested functions do) runs such code that was there before, and new one, also in
// threads of before and after.
// flags: -z execstack
// sabotage: poke @cell
#include "../probe.h"

static uint64_t cell = 3;
static volatile int go;
// mov eax, N; ret
static void make(unsigned char *code, int value) {
  code[0] = 0xb8;
  memcpy(code + 1, &value, 4);
  code[5] = 0xc3;
}
static int run(unsigned char *code) {
  __asm__ volatile("" ::"r"(code) : "memory");
  int (*function)(void);
  memcpy(&function, &code, sizeof code);
  return function();
}
static void *body(void *argument) {
  unsigned char code[16], later[16];
  make(code, 5);
  while (argument == NULL && !go) probe_sleep_ms(3);
  make(later, 6);
  return (void *)(intptr_t)(run(code) + run(later));
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  volatile unsigned char code[16];
  make((unsigned char *)code, 42);
  pthread_t thread, late;
  pthread_create(&thread, NULL, body, NULL);
  probe_hold();
  CHECK(cell == 3, "a static value");
  CHECK(run((unsigned char *)code) == 42, "code of before");
  make((unsigned char *)code, 43);
  CHECK(run((unsigned char *)code) == 43, "code of after");
  pthread_create(&late, NULL, body, (void *)1);
  go = 1;
  void *result;
  CHECK(pthread_join(thread, &result) == 0 && result == (void *)11, "a thread of before");
  CHECK(pthread_join(late, &result) == 0 && result == (void *)11, "a thread of after");
  return probe_ok();
}
