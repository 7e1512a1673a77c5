/*
 * Connections and messages by bare system calls, of which each side says how they are made: the library by its own wrapper, the plugin by
 * host->syscall. Nothing here allocates, locks or prints: it may run while all threads of the tool are stopped.
 */
#ifndef LIC_WIRE_H
#define LIC_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* The kernel's result, -errno on failure. */
typedef long (*lic_syscall)(long number, long a, long b, long c, long d, long e, long f);

/* The machine's own clock, for deadlines of the functions below. */
uint64_t lic_machine_ms(lic_syscall call);

/* Text in buffers, without libc's formatting. */
void lic_copy(char *buffer, size_t capacity, const char *text);
void lic_add(char *buffer, size_t capacity, const char *text);

/* A connection to "127.0.0.1:4000"; -errno. -EINVAL: it is no such address. */
int lic_connect(lic_syscall call, const char *address, uint64_t deadline_ms);
int lic_send(lic_syscall call, int fd, const void *data, size_t size);
/* Takes what is there, up to `size`; *had counts. 1: it is all there; 0: not yet; -errno: the connection is over. */
int lic_receive(lic_syscall call, int fd, void *data, size_t size, uint32_t *had);
/* Until there is something to read. 0: there is; -ETIMEDOUT. */
int lic_wait_for_input(lic_syscall call, int fd, uint64_t deadline_ms);

/* Until *word is no longer `value`, or the time is over. */
void lic_sleep_on(lic_syscall call, uint32_t *word, uint32_t value, uint64_t ms);
void lic_wake(lic_syscall call, uint32_t *word);

#endif
