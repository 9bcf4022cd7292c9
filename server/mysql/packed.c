#include "server/mysql/packed.h"

#include <string.h>

#define PRECISION_MAX 65u
#define SCALE_MAX 30u
#define GROUP 9u /* decimal digits in 4 bytes */

/* Bytes for 0 … 8 left-over digits. */
static const uint8_t rest_bytes[] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };

size_t packed_decimal_size(unsigned precision, unsigned scale)
{
    if (precision == 0 || precision > PRECISION_MAX || scale > SCALE_MAX || scale > precision) {
        return 0;
    }
    unsigned whole = precision - scale;
    return (size_t)whole / GROUP * 4 + rest_bytes[whole % GROUP] + (size_t)scale / GROUP * 4 +
           rest_bytes[scale % GROUP];
}

static char *put_digits(char *to, uint32_t v, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        to[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    return to + digits;
}

/* One group of digits at *p, of which `size` bytes are read; `flip` undoes the complement. */
static uint32_t group(const uint8_t **p, size_t size, uint32_t flip)
{
    uint32_t v = 0;
    for (size_t i = 0; i < size; i++) {
        v = v << 8 | (uint8_t)(*(*p)++ ^ flip);
    }
    return v;
}

size_t packed_decimal(const uint8_t *p, unsigned precision, unsigned scale, char *to)
{
    uint8_t copy[PACKED_DECIMAL_TEXT];
    size_t size = packed_decimal_size(precision, scale);
    char digits[PACKED_DECIMAL_TEXT], *d = digits;
    unsigned whole = precision - scale;
    if (size == 0) {
        return 0;
    }
    memcpy(copy, p, size);
    bool negative = !(copy[0] & 0x80);
    uint32_t flip = negative ? 0xFF : 0;
    copy[0] ^= 0x80;
    const uint8_t *q = copy;
    d = put_digits(d, group(&q, rest_bytes[whole % GROUP], flip), whole % GROUP);
    for (unsigned i = 0; i < whole / GROUP; i++) {
        d = put_digits(d, group(&q, 4, flip), GROUP);
    }
    const char *first = digits;
    while (first < d - 1 && *first == '0') {
        first++;
    }
    char *out = to;
    if (negative) {
        *out++ = '-';
    }
    if (first == d) {
        *out++ = '0';
    }
    memcpy(out, first, (size_t)(d - first));
    out += d - first;
    if (scale) {
        *out++ = '.';
        for (unsigned i = 0; i < scale / GROUP; i++) {
            out = put_digits(out, group(&q, 4, flip), GROUP);
        }
        out = put_digits(out, group(&q, rest_bytes[scale % GROUP], flip), scale % GROUP);
    }
    return (size_t)(out - to);
}

static size_t fraction_bytes(unsigned digits)
{
    return (digits + 1) / 2;
}

/* A fraction stored in 1, 2 or 3 bytes counts 1/100, 1/10,000 or 1/1,000,000 seconds. */
static uint32_t fraction_micros(uint64_t v, size_t bytes)
{
    static const uint32_t scale[] = { 0, 10000, 100, 1 };
    return (uint32_t)v * scale[bytes];
}

static void set_ymd_hms(uint64_t v, struct mysql_time *t)
{
    uint64_t months = v >> 22;
    t->year = (uint16_t)(months / 13);
    t->month = (uint8_t)(months % 13);
    t->day = (uint8_t)(v >> 17 & 31);
    t->hour = (uint32_t)(v >> 12 & 31);
    t->minute = (uint8_t)(v >> 6 & 63);
    t->second = (uint8_t)(v & 63);
    t->negative = false;
}

void packed_datetime2(struct rd *r, unsigned digits, struct mysql_time *t)
{
    uint64_t v = rd_be(r, 5) - 0x8000000000ull;
    size_t bytes = fraction_bytes(digits);
    set_ymd_hms(v & 0x7FFFFFFFFFull, t);
    t->micros = fraction_micros(rd_be(r, bytes), bytes);
}

/* Days since 1970-01-01 to a date of the Gregorian calendar: years are counted from March, so that
 * the leap day is the last of its year, in eras of 400 years. */
static void set_days(uint32_t days, struct mysql_time *t)
{
    uint32_t z = days + 719468;
    uint32_t era = z / 146097, day_of_era = z % 146097;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * day_of_year + 2) / 153; /* from March = 0 */
    t->day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1);
    t->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    t->year = (uint16_t)(year_of_era + era * 400 + (t->month <= 2));
}

void packed_epoch(uint32_t seconds, struct mysql_time *t)
{
    memset(t, 0, sizeof(*t));
    if (seconds == 0) {
        return;
    }
    uint32_t rest = seconds % 86400;
    set_days(seconds / 86400, t);
    t->hour = rest / 3600;
    t->minute = (uint8_t)(rest / 60 % 60);
    t->second = (uint8_t)(rest % 60);
}

void packed_timestamp2(struct rd *r, unsigned digits, struct mysql_time *t)
{
    size_t bytes = fraction_bytes(digits);
    packed_epoch((uint32_t)rd_be(r, 4), t);
    t->micros = fraction_micros(rd_be(r, bytes), bytes);
}

/* The whole number (seconds part and fraction together) is two's complement, biased to sort. */
void packed_time2(struct rd *r, unsigned digits, struct mysql_time *t)
{
    size_t bytes = fraction_bytes(digits);
    unsigned bits = (unsigned)(8 * bytes);
    int64_t v = (int64_t)rd_be(r, 3 + bytes) - ((int64_t)0x800000 << bits);
    uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v;
    uint64_t whole = u >> bits;
    memset(t, 0, sizeof(*t));
    t->negative = v < 0;
    t->hour = (uint32_t)(whole >> 12 & 1023);
    t->minute = (uint8_t)(whole >> 6 & 63);
    t->second = (uint8_t)(whole & 63);
    t->micros = fraction_micros(u & (((uint64_t)1 << bits) - 1), bytes);
}

void packed_datetime64(int64_t packed, struct mysql_time *t)
{
    uint64_t v = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    set_ymd_hms(v >> 24, t);
    t->micros = (uint32_t)(v & 0xFFFFFF);
}

void packed_time64(int64_t packed, struct mysql_time *t)
{
    uint64_t v = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    uint64_t whole = v >> 24;
    memset(t, 0, sizeof(*t));
    t->negative = packed < 0;
    t->hour = (uint32_t)(whole >> 12 & 1023);
    t->minute = (uint8_t)(whole >> 6 & 63);
    t->second = (uint8_t)(whole & 63);
    t->micros = (uint32_t)(v & 0xFFFFFF);
}
