/*
 * Sending and receiving messages by bare system calls, of which each side says how they are made: the library by its own wrapper, the
 * plugin by host->syscall. Nothing here allocates, locks or prints: it may run while all threads of the test bench are stopped.
 */
#ifndef EMU_WIRE_H
#define EMU_WIRE_H

#include <stddef.h>

#include "protocol.h"

/* The kernel's result, -errno on failure. */
typedef long (*emu_syscall)(long number, long a, long b, long c, long d, long e, long f);

/* Bytes that were received, and make no whole message yet. */
struct emu_input {
  uint32_t had;
  unsigned char bytes[sizeof(struct emu_message) + EMU_TEXT];
};

uint64_t emu_now_ms(emu_syscall call);
void emu_pause(emu_syscall call, long ms);

/* Text in buffers, without libc's formatting. */
void emu_copy(char *buffer, size_t capacity, const char *text);
void emu_add(char *buffer, size_t capacity, const char *text);
void emu_add_number(char *buffer, size_t capacity, uint64_t number);

int emu_send(emu_syscall call, int fd, const struct emu_message *message, const char *text);
/* 1: a message, with its text; 0: none is there yet; -errno: the connection is over. */
int emu_receive(emu_syscall call, int fd, struct emu_input *input, struct emu_message *message, char *text);
/* Until there is something to read. 0: there is; -ETIMEDOUT. */
int emu_wait(emu_syscall call, int fd, uint64_t deadline_ms);

/* A connection to "127.0.0.1:4000"; -errno. */
int emu_connect(emu_syscall call, const char *address, uint64_t deadline_ms);
/* Sends a control message and waits for the answer of that kind. -EACCES: it was refused; `text` says why. */
int emu_ask(emu_syscall call, int fd, struct emu_input *input, struct emu_message *message, char *text, uint16_t answer,
            uint64_t deadline_ms);

#endif
