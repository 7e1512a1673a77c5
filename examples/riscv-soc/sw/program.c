/*
 * The program of the example SoC: a long initialisation, then a region of interest whose result depends on all that came
 * before, then a signature over everything. model/reference.cpp computes the same signature in another way.
 *
 * Exit status: 0 done, 1 memory is not what was written, 2 a trap. No multiplication or division: this is RV32I.
 */
#include <stdint.h>
#include "soc.h"

#define REG(address) (*(volatile uint32_t *)(address))

enum { TABLE_WORDS = 256, BLOCK_WORDS = 64, BLOCKS = 32, MATRIX = 4, REPORT_PERCENT = 2 };

static uint32_t crc_table[256];
static uint32_t table[TABLE_WORDS];
static uint32_t memory[BLOCKS][BLOCK_WORDS];
static uint32_t lfsr;
static uint32_t crc;

/* Counted by the timer interrupt, in start.S. */
volatile uint32_t ticks;

/* ---- output ---- */

static void put(char c)
{
    while (REG(UART_STATUS) & 1) {
    }
    REG(UART_TXDATA) = (uint8_t)c;
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        put("0123456789ABCDEF"[(value >> shift) & 15]);
}

static void put_decimal(uint32_t value)
{
    static const uint32_t powers[] = { 1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1 };
    int started = 0;
    for (unsigned i = 0; i < 10; i++) {
        char digit = '0';
        while (value >= powers[i]) {
            value -= powers[i];
            digit++;
        }
        started |= digit != '0' || i == 9;
        if (started)
            put(digit);
    }
}

static _Noreturn void end(uint32_t status)
{
    while (REG(UART_STATUS) & 1) {
    }
    REG(SIM_EXIT) = status;
    for (;;) {
    }
}

_Noreturn void trap_fatal(uint32_t cause, uint32_t pc, uint32_t value)
{
    put_text("\ntrap: cause ");
    put_decimal(cause);
    put_text(" at ");
    put_hex(pc);
    put_text(" value ");
    put_hex(value);
    put('\n');
    end(2);
}

/* Prints "init 10%" and the like each time that REPORT_PERCENT more of the loops are done. */
struct progress {
    const char *name;
    uint32_t loops, sum, percent, reported;
};

static void advance(struct progress *progress)
{
    for (progress->sum += 100; progress->sum >= progress->loops; progress->sum -= progress->loops)
        progress->percent++;
    if (progress->percent < progress->reported + REPORT_PERCENT && progress->percent != 100)
        return;
    progress->reported = progress->percent;
    put_text(progress->name);
    put_decimal(progress->percent);
    put_text("%  tick ");
    put_decimal(ticks);
    put('\n');
}

/* ---- arithmetic ---- */

static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (; b; b >>= 1, a <<= 1)
        if (b & 1)
            product += a;
    return product;
}

static void fill_crc_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xEDB88320 : value >> 1;
        crc_table[i] = value;
    }
}

/* CRC-32 (IEEE 802.3, reflected) of the bytes of a word, low byte first. */
static void add_to_crc(uint32_t word)
{
    for (int i = 0; i < 4; i++, word >>= 8)
        crc = crc >> 8 ^ crc_table[(crc ^ word) & 0xFF];
}

/* Galois LFSR of maximal length, eight steps. */
static uint32_t next_random(void)
{
    for (int i = 0; i < 8; i++)
        lfsr = lfsr & 1 ? lfsr >> 1 ^ 0x80200003 : lfsr >> 1;
    return lfsr;
}

static void stir(void)
{
    lfsr ^= crc;
    if (lfsr == 0)
        lfsr = 1;
}

/* ---- the phases ---- */

static void check(volatile uint32_t *word, uint32_t expected)
{
    uint32_t value = *word;
    if (value == expected)
        return;
    put_text("error: memory at ");
    put_hex((uint32_t)word);
    put_text(" holds ");
    put_hex(value);
    put_text(" instead of ");
    put_hex(expected);
    put('\n');
    end(1);
}

/* Zeroes and checks one block, writes and checks each word's own address, fills it by the LFSR, and takes it into the CRC
 * and the table. */
static void initialise_block(uint32_t loop)
{
    volatile uint32_t *block = memory[loop & (BLOCKS - 1)];
    for (int i = 0; i < BLOCK_WORDS; i++)
        block[i] = 0;
    for (int i = 0; i < BLOCK_WORDS; i++) {
        check(&block[i], 0);
        block[i] = ~(uint32_t)&block[i];
    }
    for (int i = 0; i < BLOCK_WORDS; i++) {
        check(&block[i], ~(uint32_t)&block[i]);
        block[i] = next_random();
    }
    for (int i = 0; i < BLOCK_WORDS; i++)
        add_to_crc(block[i]);
    table[loop & (TABLE_WORDS - 1)] ^= crc;
    stir();
}

/* C = A x B over the low halves of 32 words of the table. */
static void multiply_matrices(uint32_t loop)
{
    for (uint32_t row = 0; row < MATRIX; row++) {
        for (uint32_t column = 0; column < MATRIX; column++) {
            uint32_t sum = 0;
            for (uint32_t k = 0; k < MATRIX; k++) {
                uint32_t a = table[(loop + row * MATRIX + k) & (TABLE_WORDS - 1)];
                uint32_t b = table[(loop + 16 + k * MATRIX + column) & (TABLE_WORDS - 1)];
                sum += multiply(a & 0xFFFF, b & 0xFFFF);
            }
            add_to_crc(sum);
        }
    }
}

/* Sorts one block (insertion sort) and takes it into the CRC. */
static void sort_block(uint32_t loop)
{
    uint32_t *block = memory[loop & (BLOCKS - 1)];
    for (int i = 1; i < BLOCK_WORDS; i++) {
        uint32_t value = block[i];
        int j = i;
        for (; j > 0 && block[j - 1] > value; j--)
            block[j] = block[j - 1];
        block[j] = value;
    }
    for (int i = 0; i < BLOCK_WORDS; i++)
        add_to_crc(block[i]);
}

static void work(uint32_t loop)
{
    multiply_matrices(loop);
    sort_block(loop);
    stir();
    /* Half of the block is new the next time it is sorted. */
    for (int i = 0; i < BLOCK_WORDS; i += 2)
        memory[loop & (BLOCKS - 1)][i] ^= next_random();
    table[loop & (TABLE_WORDS - 1)] += crc;
}

static void start_ticks(void)
{
    REG(MTIMECMP_LOW) = REG(MTIME_LOW) + TICK_US;
    REG(MTIMECMP_HIGH) = 0;
    __asm__ volatile("csrs mie, %0" : : "r"(1 << 7));
    __asm__ volatile("csrs mstatus, %0" : : "r"(1 << 3));
}

int main(void)
{
    uint32_t init_loops = REG(SIM_INIT), work_loops = REG(SIM_WORK);
    lfsr = REG(SIM_SEED);
    put_text("RISC-V SoC: RV32I, 32 KiB RAM\ninit=");
    put_decimal(init_loops);
    put_text(" work=");
    put_decimal(work_loops);
    put_text(" seed=");
    put_decimal(lfsr);
    put('\n');
    start_ticks();

    fill_crc_table();
    crc = 0xFFFFFFFF;
    stir();
    struct progress init = { "init ", init_loops, 0, 0, 0 };
    for (uint32_t loop = 0; loop < init_loops; loop++) {
        initialise_block(loop);
        advance(&init);
    }

    put_text("== region of interest ==\n");
    struct progress interest = { "work ", work_loops, 0, 0, 0 };
    for (uint32_t loop = 0; loop < work_loops; loop++) {
        work(loop);
        advance(&interest);
    }

    for (int i = 0; i < TABLE_WORDS; i++)
        add_to_crc(table[i]);
    put_text("signature: ");
    put_hex(~crc);
    put('\n');
    end(0);
}
