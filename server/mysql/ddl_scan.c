#include "server/mysql/ddl_scan.h"

/* --- tokens ----------------------------------------------------------------------------------- */

static char ch(const struct ddl_scan *s, size_t offset)
{
    return (char)(s->at + offset < s->text.n ? s->text.p[s->at + offset] : '\0');
}

static void skip_line(struct ddl_scan *s)
{
    while (s->at < s->text.n && s->text.p[s->at] != '\n') {
        s->at++;
    }
}

/* A plain comment is skipped; of one that the server executes, only its opening, with the version
 * number: its end is skipped when it comes. */
static void skip_comment(struct ddl_scan *s)
{
    size_t open = ch(s, 2) == '!' ? 3 : ch(s, 2) == 'M' && ch(s, 3) == '!' ? 4 : 0;
    if (open) {
        s->at += open;
        while (ch(s, 0) >= '0' && ch(s, 0) <= '9') {
            s->at++;
        }
        return;
    }
    ptrdiff_t end = str_find_str(str_sub(s->text, s->at + 2, s->text.n), STR("*/"));
    s->at = end < 0 ? s->text.n : s->at + 2 + (size_t)end + 2;
}

static void skip_blanks(struct ddl_scan *s)
{
    while (s->at < s->text.n) {
        char c = ch(s, 0);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            s->at++;
        } else if (c == '#' || (c == '-' && ch(s, 1) == '-' && (ch(s, 2) <= ' '))) {
            skip_line(s);
        } else if (c == '/' && ch(s, 1) == '*') {
            skip_comment(s);
        } else if (c == '*' && ch(s, 1) == '/') {
            s->at += 2;
        } else {
            return;
        }
    }
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static void quoted(struct ddl_scan *s, char quote)
{
    bool name = quote == '`' || (quote == '"' && s->ansi_quotes);
    size_t from = ++s->at;
    while (s->at < s->text.n) {
        char c = ch(s, 0);
        if ((c == '\\' && !name && !s->no_escapes) || (c == quote && ch(s, 1) == quote)) {
            s->at += 2;
        } else if (c == quote) {
            break;
        } else {
            s->at++;
        }
    }
    s->token = (struct token){ .kind = name ? TOKEN_NAME : TOKEN_STRING,
                               .text = str_sub(s->text, from, s->at),
                               .quote = quote };
    s->at = s->at < s->text.n ? s->at + 1 : s->text.n;
}

void ddl_next(struct ddl_scan *s)
{
    skip_blanks(s);
    char c = ch(s, 0);
    size_t from = s->at;
    if (s->at >= s->text.n) {
        s->token = (struct token){ .kind = TOKEN_END, .text = STR("") };
    } else if (c == '`' || c == '"' || c == '\'') {
        quoted(s, c);
    } else if (word_char(c)) {
        while (s->at < s->text.n && word_char(ch(s, 0))) {
            s->at++;
        }
        s->token = (struct token){ .kind = TOKEN_WORD, .text = str_sub(s->text, from, s->at) };
    } else {
        s->at++;
        s->token = (struct token){ .kind = TOKEN_SIGN, .text = str_sub(s->text, from, s->at) };
    }
}

bool ddl_is_word(const struct ddl_scan *s, const char *word)
{
    return s->token.kind == TOKEN_WORD && str_ieqz(s->token.text, word);
}

bool ddl_is_sign(const struct ddl_scan *s, char sign)
{
    return s->token.kind == TOKEN_SIGN && s->token.text.p[0] == sign;
}

bool ddl_accept(struct ddl_scan *s, const char *word)
{
    bool yes = ddl_is_word(s, word);
    if (yes) {
        ddl_next(s);
    }
    return yes;
}

/* Skips any of the words of a list that ends with NULL, as often as they come. */
void ddl_accept_any(struct ddl_scan *s, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (ddl_accept(s, words[i])) {
            i = (size_t)-1;
        }
    }
}

void ddl_accept_if(struct ddl_scan *s)
{
    if (ddl_accept(s, "IF")) {
        ddl_accept(s, "NOT");
        ddl_accept(s, "EXISTS");
    }
}

/* MariaDB: WAIT n, NOWAIT */
void ddl_accept_wait(struct ddl_scan *s)
{
    if (ddl_accept(s, "WAIT")) {
        ddl_next(s);
    }
    ddl_accept(s, "NOWAIT");
}

/* --- names ------------------------------------------------------------------------------------ */

struct str ddl_identifier(struct ddl_scan *s)
{
    struct token t = s->token;
    ddl_next(s);
    if (t.kind != TOKEN_NAME || str_find(t.text, t.quote, 0) < 0) {
        return t.text;
    }
    char *copy = arena_alloc(s->arena, t.text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < t.text.n; i++) {
        copy[n++] = t.text.p[i];
        i += t.text.p[i] == t.quote; /* it is doubled */
    }
    return (struct str){ copy, n };
}
