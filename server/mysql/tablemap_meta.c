#include "server/mysql/tablemap_meta.h"

#include "server/mysql/wire_types.h"

enum metadata_field {
    FIELD_SIGNEDNESS = 1,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_LABELS = 5,
    FIELD_ENUM_LABELS = 6,
};

/* STRING's two bytes: the real type and the length, whose bits 8 and 9 are hidden, inverted, in the
 * type byte. */
static void string_meta(struct tablemap_column *c, const uint8_t *p)
{
    if ((p[0] & 0x30) != 0x30) {
        c->wire = p[0] | 0x30;
        c->meta = (uint16_t)(p[1] | (unsigned)((p[0] & 0x30) ^ 0x30) << 4);
    } else {
        c->wire = p[0];
        c->meta = p[1];
    }
}

static bool column_meta(struct tablemap_column *c, struct rd *r)
{
    switch (c->wire) {
    case WIRE_TINY:
    case WIRE_SHORT:
    case WIRE_LONG:
    case WIRE_NULL:
    case WIRE_TIMESTAMP:
    case WIRE_LONGLONG:
    case WIRE_INT24:
    case WIRE_DATE:
    case WIRE_TIME:
    case WIRE_DATETIME:
    case WIRE_YEAR:
    case WIRE_NEWDATE:
        return true;
    case WIRE_FLOAT:
    case WIRE_DOUBLE:
    case WIRE_TIMESTAMP2:
    case WIRE_DATETIME2:
    case WIRE_TIME2:
    case WIRE_BLOB_COMPRESSED:
    case WIRE_JSON:
    case WIRE_TINY_BLOB:
    case WIRE_MEDIUM_BLOB:
    case WIRE_LONG_BLOB:
    case WIRE_BLOB:
    case WIRE_GEOMETRY:
        c->meta = (uint16_t)rd_le(r, 1);
        return true;
    case WIRE_VARCHAR:
    case WIRE_VARCHAR_COMPRESSED:
    case WIRE_VAR_STRING:
    case WIRE_BIT:
    case WIRE_NEWDECIMAL:
        c->meta = (uint16_t)rd_le(r, 2);
        return true;
    case WIRE_ENUM:
    case WIRE_SET:
    case WIRE_STRING: {
        const uint8_t *p = rd_take(r, 2);
        if (p) {
            string_meta(c, p);
        }
        return true;
    }
    default:
        return false; /* we cannot know how long its metadata is */
    }
}

/* Those that have a bit for their sign. MariaDB and newer MySQL count YEAR among them, older MySQL
 * does not. */
static bool is_numeric(uint8_t wire, bool with_year)
{
    switch (wire) {
    case WIRE_TINY:
    case WIRE_SHORT:
    case WIRE_INT24:
    case WIRE_LONG:
    case WIRE_LONGLONG:
    case WIRE_FLOAT:
    case WIRE_DOUBLE:
    case WIRE_NEWDECIMAL:
        return true;
    case WIRE_YEAR:
        return with_year;
    default:
        return false;
    }
}

static bool read_signs(struct tablemap_meta *meta, size_t n, bool with_year, struct rd r)
{
    unsigned bit = 0, byte = 0;
    for (size_t i = 0; i < n; i++) {
        struct tablemap_column *c = &meta->columns[i];
        if (!is_numeric(c->wire, with_year)) {
            continue;
        }
        if (bit % 8 == 0) {
            byte = (unsigned)rd_le(&r, 1);
        }
        bool is_unsigned = byte & (0x80u >> (bit % 8));
        *(with_year ? &c->is_unsigned : &c->is_unsigned_old) = is_unsigned;
        bit++;
    }
    return !r.bad;
}

static void signs(struct tablemap_meta *meta, size_t n, bool mariadb, struct rd r)
{
    bool counted = read_signs(meta, n, true, r);
    bool left_out = !mariadb && read_signs(meta, n, false, r);
    meta->has_signs = counted || left_out;
    for (size_t i = 0; i < n; i++) {
        struct tablemap_column *c = &meta->columns[i];
        c->is_unsigned = counted ? c->is_unsigned : c->is_unsigned_old;
        c->is_unsigned_old = left_out ? c->is_unsigned_old : c->is_unsigned;
    }
}

static bool names(struct tablemap_meta *meta, size_t n, struct rd r)
{
    for (size_t i = 0; i < n; i++) {
        meta->columns[i].name = rd_str(&r, (size_t)rd_lenenc(&r));
    }
    return !r.bad;
}

/* Of all columns of this type, in order: a count, then labels. */
static bool labels(struct tablemap_meta *meta, size_t n, uint8_t wire, struct rd r)
{
    for (size_t i = 0; i < n; i++) {
        if (meta->columns[i].wire != wire) {
            continue;
        }
        const uint8_t *from = r.p;
        uint64_t count = rd_lenenc(&r);
        for (uint64_t k = 0; k < count && !r.bad; k++) {
            rd_take(&r, (size_t)rd_lenenc(&r));
        }
        meta->columns[i].labels = (struct str){ (const char *)from, (size_t)(r.p - from) };
    }
    return !r.bad;
}

static bool optional_fields(struct tablemap *m, bool mariadb, struct tablemap_meta *meta,
                            struct rd *r)
{
    bool ok = true;
    while (ok && rd_left(r) > 0) {
        uint64_t field = rd_le(r, 1);
        size_t size = (size_t)rd_lenenc(r);
        const uint8_t *p = rd_take(r, size);
        if (!p) {
            return false;
        }
        struct rd part = { p, p + size, false };
        if (field == FIELD_SIGNEDNESS) {
            signs(meta, m->columns_n, mariadb, part);
        } else if (field == FIELD_COLUMN_NAME) {
            ok = names(meta, m->columns_n, part);
        } else if (field == FIELD_SET_LABELS) {
            ok = labels(meta, m->columns_n, WIRE_SET, part);
        } else if (field == FIELD_ENUM_LABELS) {
            ok = labels(meta, m->columns_n, WIRE_ENUM, part);
        }
    }
    return ok;
}

bool tablemap_meta(struct tablemap *m, bool mariadb, struct tablemap_meta *ret)
{
    struct rd r = { (const uint8_t *)m->raw.p, (const uint8_t *)m->raw.p + m->raw.n, false };
    rd_take(&r, (size_t)rd_le(&r, 1) + 1);
    rd_take(&r, (size_t)rd_le(&r, 1) + 1);
    rd_lenenc(&r);
    const uint8_t *types = rd_take(&r, m->columns_n);
    size_t meta_n = (size_t)rd_lenenc(&r);
    const uint8_t *meta = rd_take(&r, meta_n);
    rd_take(&r, (m->columns_n + 7) / 8); /* which may be NULL */
    if (!types || !meta || r.bad) {
        return false;
    }
    *ret = (struct tablemap_meta){
        .columns = ARENA_ARRAY(m->arena, struct tablemap_column, m->columns_n),
    };
    struct rd mr = { meta, meta + meta_n, false };
    for (size_t i = 0; i < m->columns_n; i++) {
        ret->columns[i].wire = types[i];
        if (!column_meta(&ret->columns[i], &mr)) {
            return false;
        }
    }
    return !mr.bad && optional_fields(m, mariadb, ret, &r);
}
