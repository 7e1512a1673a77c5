# Start-up code and trap entry. Runs from address 0, in machine mode; the stack grows down from the end of the RAM.

#include "soc.h"

    .section .text.start
    .globl _start
_start:
    la    sp, stack_top
    la    t0, trap_entry
    csrw  mtvec, t0
    la    t0, bss_start
    la    t1, bss_end
1:  bgeu  t0, t1, 2f
    sw    zero, 0(t0)
    addi  t0, t0, 4
    j     1b
2:  call  main
3:  j     3b

# Timer interrupts count a tick and set the next; everything else ends the run in trap_fatal(cause, pc, value).
    .balign 4
trap_entry:
    addi  sp, sp, -16
    sw    t0, 0(sp)
    sw    t1, 4(sp)
    sw    t2, 8(sp)
    csrr  t0, mcause
    bgez  t0, 1f
    la    t0, ticks
    lw    t1, 0(t0)
    addi  t1, t1, 1
    sw    t1, 0(t0)
    li    t0, MTIMECMP_LOW       # mtimecmp += TICK (32 bits: enough for days of simulated time)
    lw    t1, 0(t0)
    addi  t1, t1, TICK_US
    sw    t1, 0(t0)
    lw    t0, 0(sp)
    lw    t1, 4(sp)
    lw    t2, 8(sp)
    addi  sp, sp, 16
    mret
1:  csrr  a0, mcause
    csrr  a1, mepc
    csrr  a2, mtval
    call  trap_fatal
2:  j     2b
