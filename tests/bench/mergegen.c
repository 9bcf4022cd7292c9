/* Makes the data of `make bench-merge`: a table of 9 columns in key order, and changes to it.
 *
 *   mergegen base ROWS SEED                          the rows, as a full load writes them
 *   mergegen changes ROWS SEED COUNT FROM TO [SALT]  COUNT changes of DMS (60 % U, 20 % I, 20 % D) with
 *                                                    keys of rows FROM..TO, in no order
 *
 * Everything depends on its arguments alone. Rows have even ids, so that inserts find odd ones free.
 * One row in eight has a quoted comma, one in sixteen a quoted newline and quotes in its note. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void put_row(uint64_t id, uint64_t seed)
{
    static const char *const first[] = { "Ann", "Bob", "Cid", "Dora", "Eve", "Finn", "Gus", "Hana" };
    static const char *const city[] = { "Oslo",  "Rome",   "Kyiv",    "Lyon",
                                        "Paris", "Lisbon", "Nairobi", "Quito" };
    uint64_t r = mix(id * 0x9e3779b97f4a7c15u + seed);
    printf("%" PRIu64 ",%s %c%05u,user%07u@example.org,%s,%u.%02u,", id, first[r & 7],
           (char)('A' + (r >> 3) % 26), (unsigned)(r >> 8) & 0xffff, (unsigned)(r >> 16) % 10000000,
           city[(r >> 24) & 7], (unsigned)(r >> 27) % 100000, (unsigned)(r >> 44) % 100);
    printf("2026-%02u-%02u %02u:%02u:%02u,%s,", 1 + (unsigned)(r >> 5) % 12,
           1 + (unsigned)(r >> 9) % 28, (unsigned)(r >> 14) % 24, (unsigned)(r >> 19) % 60,
           (unsigned)(r >> 25) % 60, (r >> 33) & 1 ? "active" : "closed");
    unsigned kind = (unsigned)(r >> 40) & 15;
    if (kind == 0) {
        printf("\"line one of %u\nsays \"\"two\"\", and ends\"", (unsigned)(r >> 48));
    } else if (kind <= 2) {
        printf("\"order %u, paid, shipped\"", (unsigned)(r >> 48));
    } else {
        printf("order %u was paid and shipped", (unsigned)(r >> 48));
    }
    printf(",%08x\n", (unsigned)(r >> 7));
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t v = strtoull(text, &end, 10);
    if (end == text || *end) {
        fprintf(stderr, "mergegen: %s is no number\n", text);
        exit(2);
    }
    return v;
}

int main(int argc, char **argv)
{
    static char buffer[1 << 20];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (argc == 4 && strcmp(argv[1], "base") == 0) {
        uint64_t rows = number(argv[2]);
        for (uint64_t i = 0; i < rows; i++) {
            put_row(2 * i, number(argv[3]));
        }
    } else if ((argc == 7 || argc == 8) && strcmp(argv[1], "changes") == 0) {
        uint64_t seed = number(argv[3]);
        uint64_t count = number(argv[4]);
        uint64_t from = number(argv[5]);
        uint64_t span = number(argv[6]) - from;
        uint64_t salt = argc == 8 ? number(argv[7]) : 1;
        if (span == 0 || number(argv[6]) > number(argv[2])) {
            fprintf(stderr, "mergegen: no such rows\n");
            return 2;
        }
        for (uint64_t i = 0; i < count; i++) {
            uint64_t r = mix(i + (salt << 32));
            uint64_t id = 2 * (from + (r >> 8) % span);
            unsigned what = (unsigned)(r & 0xff) % 10;
            fputs(what < 6 ? "U," : what < 8 ? "I," : "D,", stdout);
            put_row(what >= 6 && what < 8 ? id + 1 : id, seed + 1 + i + salt);
        }
    } else {
        fprintf(stderr, "usage: mergegen base ROWS SEED | changes ROWS SEED COUNT FROM TO [SALT]\n");
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
