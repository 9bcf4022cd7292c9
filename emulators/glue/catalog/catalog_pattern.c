/* The expression becomes a tree, the tree a program of sets, splits and jumps; matching follows all
 * states of the program at once. */
#include "emulators/glue/catalog/catalog_pattern.h"

#include <stdint.h>

#include "server/base/list.h"

#define NO_MAX SIZE_MAX
#define ASCII 128

/* --- tree ------------------------------------------------------------------------------------- */
struct range {
    uint32_t low, high;
};
struct set {
    struct range *v;
    size_t n;
    bool negated;
    uint64_t ascii[2]; /* bit per character: in the set, case and negation counted in */
};
enum node_kind { NODE_SET, NODE_ALL, NODE_ANY_OF, NODE_REPEAT };
struct node {
    enum node_kind kind;
    bool literal;             /* SET: one plain character */
    struct set set;           /* SET */
    struct node *first, *end; /* children of the others */
    struct node *next;
    size_t min, max; /* REPEAT */
};

struct reader {
    struct arena *arena;
    struct str text;
    size_t at;
    unsigned depth;
    struct str *ret_why;
};

static struct node *new_node(struct reader *r, enum node_kind kind)
{
    struct node *n = ARENA_NEW(r->arena, struct node);
    n->kind = kind;
    return n;
}

static enum status refuse(struct reader *r, const char *what)
{
    *r->ret_why = arena_printf(r->arena, "%s at character %zu of '%.*s'.", what, r->at + 1,
                               STR_ARG(str_sub(r->text, 0, 100)));
    return ST_INVALID;
}

static int peek(const struct reader *r)
{
    return r->at < r->text.n ? (unsigned char)r->text.p[r->at] : -1;
}

static bool take(struct reader *r, char c)
{
    bool there = peek(r) == (unsigned char)c;
    r->at += there;
    return there;
}

/* One character; a byte that starts no valid sequence stands for itself. */
static uint32_t decode(struct str s, size_t *at)
{
    unsigned char c = (unsigned char)s.p[(*at)++];
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    if (more == 0 || s.n - *at < more) {
        return c;
    }
    uint32_t cp = c & (0x3fu >> more);
    for (size_t i = 0; i < more; i++) {
        unsigned char next = (unsigned char)s.p[*at + i];
        if ((next & 0xc0) != 0x80) {
            return c;
        }
        cp = cp << 6 | (next & 0x3fu);
    }
    *at += more;
    return cp;
}

static void add_range(struct reader *r, struct set *set, uint32_t low, uint32_t high)
{
    ARENA_GROW(r->arena, set->v, set->n);
    set->v[set->n++] = (struct range){ low, high };
}

/* \d, \w, \s: adds the members; false when the letter names no class. */
static bool add_class(struct reader *r, struct set *set, char letter)
{
    switch (letter) {
    case 'd':
        add_range(r, set, '0', '9');
        return true;
    case 'w':
        add_range(r, set, '0', '9');
        add_range(r, set, 'a', 'z');
        add_range(r, set, 'A', 'Z');
        add_range(r, set, '_', '_');
        return true;
    case 's':
        add_range(r, set, ' ', ' ');
        add_range(r, set, '\t', '\r');
        return true;
    default:
        return false;
    }
}

/* Behind a backslash, outside of [ ]. */
static enum status read_escape(struct reader *r, struct node *n)
{
    if (peek(r) < 0) {
        return refuse(r, "A backslash with nothing behind it");
    }
    char c = (char)peek(r);
    if (add_class(r, &n->set, c) || add_class(r, &n->set, char_lower(c))) {
        n->set.negated = char_lower(c) != c;
        r->at++;
        return ST_OK;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
        return refuse(r, "An escape that isn't known here");
    }
    n->literal = true;
    uint32_t cp = decode(r->text, &r->at);
    add_range(r, &n->set, cp, cp);
    return ST_OK;
}

/* Behind "[". */
static enum status read_set(struct reader *r, struct set *set)
{
    set->negated = take(r, '^');
    bool first = true;
    while (first || peek(r) != ']') {
        if (peek(r) < 0) {
            return refuse(r, "A [ without ]");
        }
        first = false;
        if (take(r, '\\')) {
            if (peek(r) < 0) {
                return refuse(r, "A backslash with nothing behind it");
            }
            if (add_class(r, set, (char)peek(r))) {
                r->at++;
                continue;
            }
        }
        uint32_t low = decode(r->text, &r->at), high = low;
        if (r->at + 1 < r->text.n && peek(r) == '-' && r->text.p[r->at + 1] != ']') {
            r->at++;
            high = decode(r->text, &r->at);
        }
        if (high < low) {
            return refuse(r, "A range that ends before it begins");
        }
        add_range(r, set, low, high);
    }
    r->at++;
    return ST_OK;
}

static enum status read_any_of(struct reader *r, struct node **ret);

/* *ret NULL: nothing that could be repeated (^, $). */
static enum status read_atom(struct reader *r, struct node **ret)
{
    *ret = NULL;
    if (take(r, '^') || take(r, '$')) {
        return ST_OK;
    }
    if (take(r, '(')) {
        if (take(r, '?') && !take(r, ':')) {
            return refuse(r, "A group of a kind that isn't known here");
        }
        if (++r->depth > CATALOG_PATTERN_DEPTH) {
            return refuse(r, "Too many groups within groups");
        }
        enum status st = read_any_of(r, ret);
        r->depth--;
        return st != ST_OK ? st : take(r, ')') ? ST_OK : refuse(r, "A ( without )");
    }
    *ret = new_node(r, NODE_SET);
    if (take(r, '\\')) {
        return read_escape(r, *ret);
    }
    if (take(r, '[')) {
        return read_set(r, &(*ret)->set);
    }
    if (take(r, '.')) {
        (*ret)->set.negated = true; /* all but nothing */
        return ST_OK;
    }
    if (peek(r) == '+' || peek(r) == '?' || peek(r) == '{') {
        return refuse(r, "Nothing to repeat");
    }
    (*ret)->literal = true;
    uint32_t cp = decode(r->text, &r->at);
    add_range(r, &(*ret)->set, cp, cp);
    return ST_OK;
}

static enum status read_count(struct reader *r, size_t *ret)
{
    size_t start = r->at, n = 0;
    while (peek(r) >= '0' && peek(r) <= '9' && n <= CATALOG_PATTERN_REPEAT) {
        n = n * 10 + (size_t)(peek(r) - '0');
        r->at++;
    }
    *ret = n;
    return r->at == start || n > CATALOG_PATTERN_REPEAT
               ? refuse(r, "A repetition that isn't {m}, {m,} or {m,n} with numbers up to 255")
               : ST_OK;
}

/* Behind "{". */
static enum status read_braces(struct reader *r, struct node *repeat)
{
    enum status st = read_count(r, &repeat->min);
    repeat->max = repeat->min;
    if (st == ST_OK && take(r, ',')) {
        repeat->max = NO_MAX;
        st = peek(r) == '}' ? ST_OK : read_count(r, &repeat->max);
    }
    if (st != ST_OK) {
        return st;
    }
    return take(r, '}') && repeat->max >= repeat->min
               ? ST_OK
               : refuse(r, "A repetition that isn't {m}, {m,} or {m,n}");
}

static struct node *repeated(struct reader *r, struct node *child, size_t min, size_t max)
{
    struct node *n = new_node(r, NODE_REPEAT);
    n->min = min;
    n->max = max;
    CHAIN_APPEND(n->first, n->end, child);
    return n;
}

static struct node *any_text(struct reader *r)
{
    struct node *any = new_node(r, NODE_SET);
    any->set.negated = true;
    return repeated(r, any, 0, NO_MAX);
}

/* An atom with what repeats it, into `all`. */
static enum status read_repeated(struct reader *r, struct node *all)
{
    struct node *atom;
    if (take(r, '*')) { /* nothing before it: as in file names */
        CHAIN_APPEND(all->first, all->end, any_text(r));
        return ST_OK;
    }
    enum status st = read_atom(r, &atom);
    if (st != ST_OK || !atom) {
        return st;
    }
    bool star = take(r, '*');
    if (star && atom->kind == NODE_SET && atom->literal) {
        CHAIN_APPEND(all->first, all->end, atom);
        CHAIN_APPEND(all->first, all->end, any_text(r));
        return ST_OK;
    }
    if (star) {
        atom = repeated(r, atom, 0, NO_MAX);
    } else if (take(r, '+')) {
        atom = repeated(r, atom, 1, NO_MAX);
    } else if (take(r, '?')) {
        atom = repeated(r, atom, 0, 1);
    } else if (take(r, '{')) {
        atom = repeated(r, atom, 0, 0);
        st = read_braces(r, atom);
    }
    CHAIN_APPEND(all->first, all->end, atom);
    take(r, '?'); /* lazy or not: the same names fit */
    return st;
}

static enum status read_any_of(struct reader *r, struct node **ret)
{
    struct node *any_of = new_node(r, NODE_ANY_OF);
    enum status st = ST_OK;
    *ret = any_of;
    do {
        struct node *all = new_node(r, NODE_ALL);
        CHAIN_APPEND(any_of->first, any_of->end, all);
        while (st == ST_OK && peek(r) >= 0 && peek(r) != '|' && peek(r) != ')') {
            st = read_repeated(r, all);
        }
    } while (st == ST_OK && take(r, '|'));
    return st;
}

/* --- program ---------------------------------------------------------------------------------- */
enum step_kind { STEP_SET, STEP_SPLIT, STEP_JUMP, STEP_END };
struct step {
    enum step_kind kind;
    struct set *set;
    size_t to, other; /* SPLIT: both; JUMP: to */
};

/* Steps that are alive, each once. */
struct states {
    size_t *v;
    size_t n;
};

struct catalog_pattern {
    struct step *steps;
    size_t n;
    size_t work; /* nodes written out, also those without a step */
    struct states now, then;
    size_t *stack;
    uint64_t *mark; /* round in which the step was added */
    uint64_t round;
};

static size_t emit(struct catalog_pattern *p, struct step step)
{
    if (p->n < CATALOG_PATTERN_STEPS) {
        p->steps[p->n] = step;
    }
    return p->n++;
}

static bool too_big(const struct catalog_pattern *p)
{
    return p->n >= CATALOG_PATTERN_STEPS || p->work >= CATALOG_PATTERN_STEPS;
}

static void compile(struct catalog_pattern *p, struct node *n);

static bool in_ranges(const struct set *set, uint32_t cp)
{
    for (size_t i = 0; i < set->n; i++) {
        if (cp >= set->v[i].low && cp <= set->v[i].high) {
            return true;
        }
    }
    return false;
}

/* Looks the 128 plain characters up once, so that matching need not. */
static void fill_ascii(struct set *set)
{
    for (uint32_t c = 0; c < ASCII; c++) {
        bool in = in_ranges(set, (unsigned char)char_lower((char)c)) ||
                  in_ranges(set, (unsigned char)char_upper((char)c));
        if (in != set->negated) {
            set->ascii[c / 64] |= (uint64_t)1 << (c % 64);
        }
    }
}

static void compile_any_of(struct catalog_pattern *p, struct node *n)
{
    size_t out = SIZE_MAX; /* the jump of the alternative before, a chain to be patched */
    for (struct node *child = n->first; child && !too_big(p); child = child->next) {
        if (!child->next) {
            compile(p, child);
            break;
        }
        size_t split = emit(p, (struct step){ .kind = STEP_SPLIT, .to = p->n + 1 });
        compile(p, child);
        size_t jump = emit(p, (struct step){ .kind = STEP_JUMP, .to = out });
        if (too_big(p)) {
            return;
        }
        out = jump;
        p->steps[split].other = p->n;
    }
    while (out != SIZE_MAX && !too_big(p)) {
        size_t before = p->steps[out].to;
        p->steps[out].to = p->n;
        out = before;
    }
}

static void compile_repeat(struct catalog_pattern *p, struct node *n)
{
    for (size_t i = 0; i < n->min && !too_big(p); i++) {
        compile(p, n->first);
    }
    size_t rest = n->max == NO_MAX ? 1 : n->max - n->min;
    for (size_t i = 0; i < rest && !too_big(p); i++) {
        size_t split = emit(p, (struct step){ .kind = STEP_SPLIT, .to = p->n + 1 });
        compile(p, n->first);
        if (n->max == NO_MAX) {
            emit(p, (struct step){ .kind = STEP_JUMP, .to = split });
        }
        if (!too_big(p)) {
            p->steps[split].other = p->n;
        }
    }
}

static void compile(struct catalog_pattern *p, struct node *n)
{
    p->work++;
    if (too_big(p)) {
        return;
    }
    switch (n->kind) {
    case NODE_SET:
        fill_ascii(&n->set);
        emit(p, (struct step){ .kind = STEP_SET, .set = &n->set });
        break;
    case NODE_ALL:
        for (struct node *child = n->first; child; child = child->next) {
            compile(p, child);
        }
        break;
    case NODE_ANY_OF:
        compile_any_of(p, n);
        break;
    case NODE_REPEAT:
        compile_repeat(p, n);
        break;
    }
}

enum status catalog_pattern_read(struct arena *a, struct str text, struct catalog_pattern **ret,
                                 struct str *ret_why)
{
    struct reader r = { .arena = a, .text = text, .ret_why = ret_why };
    struct node *root;
    if (text.n > CATALOG_PATTERN_MAX) {
        *ret_why = arena_printf(a, "the pattern has %zu bytes, more than %d.", text.n,
                                CATALOG_PATTERN_MAX);
        return ST_INVALID;
    }
    enum status st = read_any_of(&r, &root);
    if (st == ST_OK && peek(&r) >= 0) {
        st = refuse(&r, "A ) without (");
    }
    if (st != ST_OK) {
        return st;
    }
    struct catalog_pattern *p = ARENA_NEW(a, struct catalog_pattern);
    p->steps = ARENA_ARRAY(a, struct step, CATALOG_PATTERN_STEPS);
    compile(p, root);
    emit(p, (struct step){ .kind = STEP_END });
    if (p->work >= CATALOG_PATTERN_STEPS || p->n > CATALOG_PATTERN_STEPS) {
        *ret_why = STR("the pattern is too big once its repetitions are written out.");
        return ST_INVALID;
    }
    p->now.v = ARENA_ARRAY(a, size_t, p->n);
    p->then.v = ARENA_ARRAY(a, size_t, p->n);
    p->stack = ARENA_ARRAY(a, size_t, 2 * p->n + 2);
    p->mark = ARENA_ARRAY(a, uint64_t, p->n);
    *ret = p;
    return ST_OK;
}

/* --- matching --------------------------------------------------------------------------------- */
static bool in_set(const struct set *set, uint32_t cp)
{
    return cp < ASCII ? (set->ascii[cp / 64] >> (cp % 64) & 1) != 0
                      : in_ranges(set, cp) != set->negated;
}

/* Adds a step and all that can be reached from it without a character. */
static void enter(struct catalog_pattern *p, struct states *s, size_t step)
{
    size_t n = 0;
    p->stack[n++] = step;
    while (n > 0) {
        size_t at = p->stack[--n];
        if (p->mark[at] == p->round) {
            continue;
        }
        p->mark[at] = p->round;
        const struct step *now = &p->steps[at];
        if (now->kind == STEP_SPLIT) {
            p->stack[n++] = now->other;
            p->stack[n++] = now->to;
        } else if (now->kind == STEP_JUMP) {
            p->stack[n++] = now->to;
        } else {
            s->v[s->n++] = at;
        }
    }
}

bool catalog_pattern_fits(struct catalog_pattern *p, struct str name)
{
    p->round++;
    p->now.n = 0;
    enter(p, &p->now, 0);
    for (size_t at = 0; at < name.n && p->now.n > 0;) {
        uint32_t cp = decode(name, &at);
        p->round++;
        p->then.n = 0;
        for (size_t i = 0; i < p->now.n; i++) {
            const struct step *step = &p->steps[p->now.v[i]];
            if (step->kind == STEP_SET && in_set(step->set, cp)) {
                enter(p, &p->then, p->now.v[i] + 1);
            }
        }
        struct states swap = p->now;
        p->now = p->then;
        p->then = swap;
    }
    for (size_t i = 0; i < p->now.n; i++) {
        if (p->steps[p->now.v[i]].kind == STEP_END) {
            return true;
        }
    }
    return false;
}
