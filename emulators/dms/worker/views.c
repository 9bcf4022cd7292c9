/* Views: a MySQL source's are loaded like tables, by tasks that only load. Those of MariaDB are not
 * supported, as on AWS ("Using a MySQL-compatible database as a source"). */
#include "emulators/dms/worker/worker_impl.h"

/* Why no view can be moved by this task; NULL: they can. */
static const char *obstacle(const struct dms_worker *w, const struct mysql_conn *c)
{
    if (mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB) {
        return "views of a MariaDB source are not supported";
    }
    return w->captures ? "views are supported by full-load tasks only" : NULL;
}

/* Does a rule select it that means views only? */
static bool by_view_rule(const struct dms_mapping *m, const struct mysql_table_name *view)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct dms_selection *r = &m->rules[i];
        if (r->views && !r->tables && r->action != DMS_RULE_EXCLUDE &&
            dms_selection_hits(r, view->schema, view->name)) {
            return true;
        }
    }
    return false;
}

static enum status refuse(struct dms_worker *w, const struct mysql_table_name *view,
                          const char *why, struct mysql_err *err)
{
    if (!by_view_rule(&w->mapping, view)) {
        dms_line(w, "SOURCE_UNLOAD", 'W', "View '%.*s'.'%.*s' is left out: %s",
                 STR_ARG(view->schema), STR_ARG(view->name), why);
        return ST_OK;
    }
    err->kind = MYSQL_ERR_FATAL;
    snprintf(err->text, sizeof(err->text),
             "The table mappings select the view %.*s.%.*s, but %s. Select tables only "
             "(table-type table).",
             STR_ARG(view->schema), STR_ARG(view->name), why);
    return ST_INVALID;
}

static enum status take(struct dms_worker *w, const struct mysql_table_name *view, int64_t order,
                        struct mysql_err *err)
{
    struct dms_table *t = dms_tables_find(w, view->schema, view->name);
    if (!t) {
        t = dms_tables_add(w, view->schema, view->name, order);
    }
    if (!t) {
        err->kind = MYSQL_ERR_LIMIT;
        snprintf(err->text, sizeof(err->text),
                 "The table mappings select more than %d tables; select fewer.", DMS_TABLES_MAX);
        return ST_NOMEM;
    }
    t->view = true;
    return ST_OK;
}

enum status dms_views_discover(struct dms_worker *w, struct mysql_conn *c, struct arena *a,
                               struct mysql_err *err)
{
    if (!w->mapping.wants_views) {
        return ST_OK;
    }
    const char *why = obstacle(w, c);
    struct mysql_table_list list;
    enum status st = mysql_schema_views(c, a, &list, err);
    for (size_t i = 0; i < list.n && st == ST_OK; i++) {
        const struct mysql_table_name *view = &list.items[i];
        int64_t order;
        if (dms_mapping_selects_view(&w->mapping, view->schema, view->name, &order)) {
            st = why ? refuse(w, view, why, err) : take(w, view, order, err);
        }
    }
    return st;
}
