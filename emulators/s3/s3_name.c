#include "emulators/s3/s3_name.h"

#include "server/base/mem.h"

#define NAME_MIN 3
#define NAME_MAX_BYTES 63

static bool lower_or_digit(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

/* Four numbers with dots: looks like an address, whatever their size. */
static bool like_ipv4(struct str name)
{
    int dots = 0;
    for (size_t i = 0; i < name.n; i++) {
        dots += name.p[i] == '.';
        if (name.p[i] != '.' && (name.p[i] < '0' || name.p[i] > '9')) {
            return false;
        }
    }
    return dots == 3;
}

static bool reserved(struct str name)
{
    static const struct str prefixes[] = { STR_INIT("xn--"), STR_INIT("sthree-"),
                                           STR_INIT("amzn-s3-demo-") };
    static const struct str suffixes[] = { STR_INIT("-s3alias"), STR_INIT("--ol-s3"),
                                           STR_INIT(".mrap"), STR_INIT("--x-s3"),
                                           STR_INIT("--table-s3") };
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts(name, prefixes[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (str_ends(name, suffixes[i])) {
            return true;
        }
    }
    return false;
}

bool s3_bucket_name_ok(struct str name)
{
    if (name.n < NAME_MIN || name.n > NAME_MAX_BYTES || !lower_or_digit(name.p[0]) ||
        !lower_or_digit(name.p[name.n - 1])) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        if (!lower_or_digit(ch) && ch != '-' && ch != '.') {
            return false;
        }
        if (ch == '.' && name.p[i - 1] == '.') {
            return false;
        }
    }
    return !like_ipv4(name) && !reserved(name);
}

bool s3_region_ok(struct str region)
{
    if (str_eqz(region, "EU")) {
        return true;
    }
    /* letters, '-' …, and a digit at the end */
    int dashes = 0;
    for (size_t i = 0; i < region.n; i++) {
        dashes += region.p[i] == '-';
        if (!lower_or_digit(region.p[i]) && region.p[i] != '-') {
            return false;
        }
    }
    if (region.n < 9 || region.n > 20 || dashes < 2) {
        return false;
    }
    char last = region.p[region.n - 1];
    return last >= '1' && last <= '9';
}
