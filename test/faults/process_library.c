// Functions whose first instructions are known.
__attribute__((visibility("hidden"))) int counted;
int bumps(void);
void bump(void);
long same(long value);

int bumps(void) { return counted; }

__asm__(
    ".text\n"
    ".globl bump\n.type bump, @function\n"
    "bump: incl counted(%rip)\n"
    "  ret\n"
    ".size bump, . - bump\n"
    ".globl same\n.type same, @function\n"
    "same: mov %rdi, %rax\n"
    "  ret\n"
    ".size same, . - same\n");
