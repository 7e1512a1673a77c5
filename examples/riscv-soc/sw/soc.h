/* The memory map as the program uses it, for C and assembly. README.md describes the registers. */
#ifndef SOC_H
#define SOC_H

#define UART_TXDATA   0x10000000
#define UART_STATUS   0x10000004
#define SIM_EXIT      0x10010000
#define SIM_INIT      0x10010004
#define SIM_WORK      0x10010008
#define SIM_SEED      0x1001000C
#define MTIMECMP_LOW  0x02004000
#define MTIMECMP_HIGH 0x02004004
#define MTIME_LOW     0x0200BFF8

/* From one timer interrupt to the next, in counts of mtime (1 us at 100 MHz). */
#define TICK_US       250

#endif
