#include "emulators/dms/dms_number.h"

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

char *dms_put_u64(char *p, uint64_t v)
{
    char text[DMS_INTEGER_MAX];
    char *end = text + sizeof(text), *at = end;
    while (v >= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        at -= 2;
        memcpy(at, pairs + 2 * v, 2);
    } else {
        *--at = (char)('0' + v);
    }
    memcpy(p, at, (size_t)(end - at));
    return p + (end - at);
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

static uint128 power(unsigned base, int n)
{
    uint128 r = 1;
    for (int i = 0; i < n; i++) {
        r *= base;
    }
    return r;
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
        uint128 n = m * power(5, k);
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
    uint128 n = (uint128)m << e, d = power(10, -k);
    uint128 q = n / d, rest = n % d;
    *ret = q + (rest > d - rest || (rest == d - rest && (q & 1)));
    return true;
}

/* 17 significant digits of v > 0: digits * 10^(exponent - 16). */
static bool digits17(double v, uint64_t *ret_digits, int *ret_exponent)
{
    int e;
    uint64_t m = (uint64_t)ldexp(frexp(v, &e), 53);
    e -= 53;
    int exponent = (int)floor((e + 52) * 0.30102999566398120);
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
    for (int i = 14; i >= 0; i -= 2) {
        memcpy(p + i, pairs + 2 * (d % 100), 2);
        d /= 100;
    }
    p += 16;
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
