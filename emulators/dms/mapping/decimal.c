#include "emulators/dms/mapping/decimal.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool dms_decimal_valid(struct str s)
{
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'), digits = 0;
    bool point = false;
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !point) {
            point = true;
        } else if (digit(s.p[i])) {
            digits++;
        } else {
            return false;
        }
    }
    return digits > 0;
}

/* A number in parts: without leading zeros before and trailing ones after the point. */
struct parts {
    bool negative;
    struct str whole, fraction;
};

static struct parts parts_of(struct str s)
{
    struct parts p = { .negative = s.n > 0 && s.p[0] == '-' };
    if (s.n > 0 && !digit(s.p[0]) && s.p[0] != '.') {
        s = str_sub(s, 1, s.n);
    }
    if (!str_cut(s, '.', &p.whole, &p.fraction)) {
        p.fraction = STR("");
    }
    while (p.whole.n > 0 && p.whole.p[0] == '0') {
        p.whole = str_sub(p.whole, 1, p.whole.n);
    }
    while (p.fraction.n > 0 && p.fraction.p[p.fraction.n - 1] == '0') {
        p.fraction.n--;
    }
    if (p.whole.n == 0 && p.fraction.n == 0) {
        p.negative = false;
    }
    return p;
}

int dms_decimal_compare(struct str a, struct str b)
{
    struct parts x = parts_of(a), y = parts_of(b);
    if (x.negative != y.negative) {
        return x.negative ? -1 : 1;
    }
    int c = x.whole.n < y.whole.n ? -1 : x.whole.n > y.whole.n;
    c = c ? c : str_cmp(x.whole, y.whole);
    c = c ? c : str_cmp(x.fraction, y.fraction);
    return x.negative ? -c : c;
}

/* Adds one to the last place of digits with at most one point; 0 means it grew by a digit. */
static bool carry(char *p, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        if (p[i] == '.') {
            continue;
        }
        if (p[i] != '9') {
            p[i]++;
            return true;
        }
        p[i] = '0';
    }
    return false;
}

size_t dms_decimal_round(struct str s, int scale, int precision, char *out, size_t max)
{
    struct parts p = parts_of(s);
    size_t want = scale < 0 ? p.fraction.n : (size_t)scale;
    if (p.whole.n + want + 5 > max) {
        return 0;
    }
    /* a place for the sign and one for a carried digit first */
    char *digits = out + 2;
    size_t n = 0;
    memcpy(digits, p.whole.p ? p.whole.p : "", p.whole.n);
    n = p.whole.n;
    if (n == 0) {
        digits[n++] = '0';
    }
    size_t whole = n;
    if (want > 0) {
        digits[n++] = '.';
        for (size_t i = 0; i < want; i++) {
            digits[n++] = (char)(i < p.fraction.n ? p.fraction.p[i] : '0');
        }
    }
    if (want < p.fraction.n && p.fraction.p[want] >= '5' && !carry(digits, n)) {
        *--digits = '1';
        whole++;
        n++;
    }
    bool nothing = true; /* "-0.00" is 0.00 */
    for (size_t i = 0; i < n; i++) {
        nothing = nothing && (digits[i] == '0' || digits[i] == '.');
    }
    size_t counted = whole == 1 && digits[0] == '0' ? 0 : whole;
    if (precision > 0 && counted + want > (size_t)precision) {
        return 0;
    }
    if (p.negative && !nothing) {
        *--digits = '-';
        n++;
    }
    memmove(out, digits, n);
    return n;
}
