#include "emulators/dms/file/number.h"

#include <math.h>

__extension__ typedef unsigned __int128 uint128;

static const char pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
    "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
    "9293949596979899";

static char *put2(char *p, unsigned v)
{
    memcpy(p, pairs + 2 * (size_t)(v % 100), 2);
    return p + 2;
}

static unsigned count_digits(uint64_t v)
{
    static const uint64_t powers[] = { 0,
                                       10,
                                       100,
                                       1000,
                                       10000,
                                       100000,
                                       1000000,
                                       10000000,
                                       100000000,
                                       1000000000,
                                       10000000000,
                                       100000000000,
                                       1000000000000,
                                       10000000000000,
                                       100000000000000,
                                       1000000000000000,
                                       10000000000000000,
                                       100000000000000000,
                                       1000000000000000000,
                                       10000000000000000000u };
    /* log10(2) is 1233 / 4096, nearly */
    unsigned guess = (64u - (unsigned)__builtin_clzll(v | 1)) * 1233 >> 12;
    return guess + (v >= powers[guess]);
}

char *dms_put_u64(char *p, uint64_t v)
{
    if (v < 10) {
        *p = (char)('0' + v);
        return p + 1;
    }
    char *end = p + count_digits(v), *at = end;
    while (v >= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        memcpy(at - 2, pairs + 2 * v, 2);
    } else {
        at[-1] = (char)('0' + v);
    }
    return end;
}

char *dms_put_i64(char *p, int64_t v)
{
    if (v < 0) {
        *p++ = '-';
        return dms_put_u64(p, 0 - (uint64_t)v);
    }
    return dms_put_u64(p, (uint64_t)v);
}

#define E16 UINT64_C(10000000000000000)
#define E17 UINT64_C(100000000000000000)
#define E53 (UINT64_C(1) << 53) /* of two; the others are of ten */

#define FIVES 28
static const uint64_t fives[FIVES] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    6103515625u,
    30517578125u,
    152587890625u,
    762939453125u,
    3814697265625u,
    19073486328125u,
    95367431640625u,
    476837158203125u,
    2384185791015625u,
    11920928955078125u,
    59604644775390625u,
    298023223876953125u,
    1490116119384765625u,
    7450580596923828125u,
};

/* 5^n, n < 2 * FIVES */
static uint128 five_to(int n)
{
    return n < FIVES ? fives[n] : (uint128)fives[FIVES - 1] * fives[n - (FIVES - 1)];
}

/* round-half-even(n / 2^shift), 0 <= shift < 128 */
static uint128 shift_round(uint128 n, int shift)
{
    if (shift == 0) {
        return n;
    }
    uint128 q = n >> shift, rest = n & (((uint128)1 << shift) - 1),
            half = (uint128)1 << (shift - 1);
    return q + (rest > half || (rest == half && (q & 1)));
}

/* round-half-even(m * 2^e * 10^k) in exact arithmetic; false when 128 bits don't hold it. */
static bool scale(uint64_t m, int e, int k, uint128 *ret)
{
    if (k >= 0) {
        if (k > 32 || e + k < -127) {
            return false; /* m * 5^k < 2^53 * 2^75 */
        }
        uint128 n = m * five_to(k);
        if (e + k >= 0) {
            if (e + k > 57 || (n >> (127 - (e + k))) != 0) {
                return false;
            }
            *ret = n << (e + k);
        } else {
            *ret = shift_round(n, -(e + k));
        }
        return true;
    }
    if (e < 0 || e > 74) {
        return false;
    }
    if (-k > 38) {
        return false; /* m * 2^e < 2^127 < 10^39 */
    }
    uint128 n = (uint128)m << e, d = five_to(-k) << -k;
    uint128 q = n / d, rest = n % d;
    *ret = q + (rest > d - rest || (rest == d - rest && (q & 1)));
    return true;
}

/* 17 significant digits of v > 0: digits * 10^(exponent - 16). */
static bool digits17(double v, uint64_t *ret_digits, int *ret_exponent)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    int e = (int)(bits >> 52) - 1075;
    uint64_t m = (bits & (E53 / 2 - 1)) | E53 / 2;
    if (e == -1075) {
        return false; /* subnormal */
    }
    int exponent = ((e + 52) * 78913) >> 18; /* times log10(2), rounded down */
    for (int attempt = 0; attempt < 3; attempt++) {
        uint128 d;
        if (!scale(m, e, 16 - exponent, &d)) {
            return false;
        }
        if (d >= E17) {
            exponent++; /* the guess was one too low, or it was rounded up to a power of ten */
        } else if (d < E16) {
            exponent--;
        } else {
            *ret_digits = (uint64_t)d;
            *ret_exponent = exponent;
            return true;
        }
    }
    return false;
}

static char *put8(char *p, uint32_t v)
{
    uint32_t high = v / 10000, low = v % 10000;
    p = put2(p, high / 100);
    p = put2(p, high);
    p = put2(p, low / 100);
    return put2(p, low);
}

char *dms_put_double(char *p, double v)
{
    uint64_t d = 0;
    int exponent = 0;
    if (!isfinite(v) || (v != 0 && !digits17(fabs(v), &d, &exponent))) {
        char text[64];
        int n = snprintf(text, sizeof(text), "%+.16e", v);
        memcpy(p, text, (size_t)n);
        return p + n;
    }
    *p++ = signbit(v) ? '-' : '+';
    *p++ = (char)('0' + d / E16);
    *p++ = '.';
    d %= E16;
    p = put8(p, (uint32_t)(d / 100000000));
    p = put8(p, (uint32_t)(d % 100000000));
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    return put2(p, (unsigned)(exponent < 0 ? -exponent : exponent));
}

char *dms_put_date(char *p, const struct mysql_time *t)
{
    p = put2(p, t->year / 100u);
    p = put2(p, t->year % 100u);
    *p++ = '-';
    p = put2(p, t->month);
    *p++ = '-';
    return put2(p, t->day);
}

static char *put_fraction(char *p, uint32_t micros, unsigned digits)
{
    if (digits == 0) {
        return p;
    }
    char six[6];
    put2(six, micros / 10000);
    put2(six + 2, micros / 100);
    put2(six + 4, micros);
    *p++ = '.';
    if (digits > 6) {
        digits = 6;
    }
    memcpy(p, six, digits);
    return p + digits;
}

static char *put_clock(char *p, const struct mysql_time *t, unsigned digits)
{
    *p++ = ':';
    p = put2(p, t->minute);
    *p++ = ':';
    p = put2(p, t->second);
    return put_fraction(p, t->micros, digits);
}

char *dms_put_datetime(char *p, const struct mysql_time *t, unsigned digits)
{
    p = dms_put_date(p, t);
    *p++ = ' ';
    p = put2(p, t->hour);
    return put_clock(p, t, digits);
}

struct mysql_time dms_local_time(const struct zone *z, const struct mysql_time *t)
{
    int64_t utc = zone_days(t->year, t->month, t->day) * 86400 + (int64_t)t->hour * 3600 +
                  (int64_t)t->minute * 60 + t->second;
    struct zone_time l = zone_local(z, utc);
    return (struct mysql_time){ .year = (uint16_t)l.year,
                                .month = (uint8_t)l.month,
                                .day = (uint8_t)l.day,
                                .hour = (uint32_t)l.hour,
                                .minute = (uint8_t)l.minute,
                                .second = (uint8_t)l.second,
                                .micros = t->micros };
}

char *dms_put_time(char *p, const struct mysql_time *t, unsigned digits)
{
    if (t->negative) {
        *p++ = '-';
    }
    p = t->hour < 100 ? put2(p, t->hour) : dms_put_u64(p, t->hour);
    return put_clock(p, t, digits);
}

/* Days since 1970 to a date in the proleptic Gregorian calendar: years start in March, so that the
 * leap day comes last. */
static void civil(int64_t days, struct mysql_time *t)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    t->day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1);
    t->month = (uint8_t)(mp < 10 ? mp + 3 : mp - 9);
    t->year = (uint16_t)((int64_t)yoe + era * 400 + (t->month <= 2));
}

char *dms_put_stamp(char *p, int64_t time_us)
{
    int64_t second = time_us / 1000000;
    int64_t micros = time_us % 1000000;
    if (micros < 0) {
        micros += 1000000;
        second--;
    }
    int64_t day = second / 86400, left = second % 86400;
    if (left < 0) {
        left += 86400;
        day--;
    }
    struct mysql_time t = { .hour = (uint32_t)(left / 3600),
                            .minute = (uint8_t)(left / 60 % 60),
                            .second = (uint8_t)(left % 60),
                            .micros = (uint32_t)micros };
    civil(day, &t);
    return dms_put_datetime(p, &t, 6);
}

char *dms_put_hex(char *p, const void *bytes, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++) {
        *p++ = hex[b[i] >> 4];
        *p++ = hex[b[i] & 15];
    }
    return p;
}
