/* A function's code: the zip as it came, checked and unpacked by a worker into
 * DATA/functions/<account>/<name>/<sha256 in hex>/ with the zip beside it. A folder appears under
 * its name only when it is complete. */
#ifndef CISTERN_LAMBDA_PACKAGE_H
#define CISTERN_LAMBDA_PACKAGE_H

#include "emulators/lambda/lambda_state.h"

/* One unpacking. Input is set by the owner before lambda_package_start() and belongs to the worker
 * until done() is called. */
struct lambda_package {
    struct arena *arena;                    /* for results; made by lambda_package_start() */
    struct str folder;                      /* DATA/functions/<account>/<name>, outlives the job */
    struct str zip;                         /* the bytes, outlive the job; or, when absent: */
    int fd;                                 /* a file to read; closed by the job; else -1 */
    bool may_be_empty;                      /* registered executables need no code */
    void (*done)(struct lambda_package *p); /* core thread; then lambda_package_fini() */

    bool good;
    struct str why;         /* !good: what the client is told */
    bool ours;              /* !good: the trouble is this machine's, not the zip's */
    struct str sha256, dir; /* base64, hex; in `arena` */
    int64_t size;           /* bytes of the zip */
};

void lambda_package_start(struct lambda *l, struct lambda_package *p);
void lambda_package_fini(struct lambda_package *p);
/* For the worker and tests: unpacks into the existing, empty folder `dir`. ST_INVALID: refused,
 * *ret_why (in `a`) says why. ST_IO: this machine could not write it. */
enum status lambda_unzip(struct arena *a, struct str zip, const char *dir, bool may_be_empty,
                         struct str *ret_why) MUST_CHECK;

/* Absolute paths, in the arena: of the account's and name's folder, of the unpacked code. */
struct str lambda_package_folder(struct lambda *l, struct arena *a, const struct lambda_key *key);
struct str lambda_package_root(struct lambda *l, struct arena *a, const struct lambda_row *row);

/* Removes code of this account and name that no stored function uses, after this pass's commit.
 * Does nothing while code of that name is being unpacked. */
void lambda_package_sweep(struct lambda *l, const struct lambda_key *key);
/* The same for all functions, at the start; also drafts of the last process. */
void lambda_package_sweep_all(struct lambda *l);
/* Everything goes (reset). */
void lambda_package_remove_all(struct lambda *l);

#endif
