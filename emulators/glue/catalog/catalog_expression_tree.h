/* The tree of a partition expression: made by catalog_expression.c, walked by catalog_truth.c. */
#ifndef CISTERN_GLUE_CATALOG_EXPRESSION_TREE_H
#define CISTERN_GLUE_CATALOG_EXPRESSION_TREE_H

#include "emulators/glue/catalog/catalog_expression.h"
#include "emulators/glue/catalog/catalog_value.h"

enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_COMPARE,
    NODE_BETWEEN,
    NODE_IN,
    NODE_LIKE,
    NODE_NULL,
    NODE_KEY,     /* no truth of its own: an operand */
    NODE_LITERAL, /* likewise */
};
enum order { ORDER_EQ, ORDER_NE, ORDER_LT, ORDER_LE, ORDER_GT, ORDER_GE };

struct node {
    enum node_kind kind;
    bool negated;            /* NOT IN, NOT LIKE, NOT BETWEEN, IS NOT NULL */
    enum order order;        /* COMPARE */
    size_t key;              /* KEY, and what a test is about */
    struct str text;         /* LITERAL; LIKE's pattern */
    struct catalog_value *v; /* values that a test compares with */
    size_t n_values;
    struct node *first, *end; /* children of AND, OR, NOT */
    struct node *next;
};

struct catalog_expression {
    struct node *root;
    const struct glue_column_list *keys;
};

#endif
