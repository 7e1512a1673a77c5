// A 32-bit program that needs no 32-bit libc: says that it runs, waits for a byte on standard input, ends. Linked with -nostdlib.
static int call(int number, int a, const void *b, int c) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}
void _start(void) {
  char byte;
  call(4, 1, "running\n", 8);
  call(3, 0, &byte, 1);
  call(4, 1, "done\n", 5);
  call(1, 0, 0, 0);
}
