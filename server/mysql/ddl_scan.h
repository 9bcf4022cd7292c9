/* Tokens of SQL statements that a server has accepted: shared by the readers of statements. */
#ifndef CISTERN_MYSQL_DDL_SCAN_H
#define CISTERN_MYSQL_DDL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/str.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NAME, TOKEN_STRING, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    struct str text; /* WORD, SIGN: as written; NAME, STRING: between its quotes, not unescaped */
    char quote;      /* NAME, STRING */
};

/* Fill in arena, text and ansi_quotes, then call ddl_next() for the first token. */
struct ddl_scan {
    struct arena *arena;
    struct str text;
    size_t at; /* behind the current token */
    bool ansi_quotes;
    bool no_escapes;    /* a backslash stands for itself */
    struct token token; /* the current one */
};

void ddl_next(struct ddl_scan *s);
bool ddl_is_word(const struct ddl_scan *s, const char *word); /* in any case; never a quoted name */
bool ddl_is_sign(const struct ddl_scan *s, char sign);
/* True, and one token further, if it is that word. */
bool ddl_accept(struct ddl_scan *s, const char *word);
/* Skips any of the words of a list that ends with NULL, as often as they come. */
void ddl_accept_any(struct ddl_scan *s, const char *const *words);
void ddl_accept_if(struct ddl_scan *s);   /* IF [NOT] EXISTS */
void ddl_accept_wait(struct ddl_scan *s); /* MariaDB: WAIT n, NOWAIT */
/* The current token as a name, its quotes undoubled; goes on to the next. */
struct str ddl_identifier(struct ddl_scan *s);

#endif
