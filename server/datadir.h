/* The data folder: made, locked for this process, removed again when it is temporary. */
#ifndef CISTERN_DATADIR_H
#define CISTERN_DATADIR_H

#include <stdbool.h>

#include "server/config.h"

struct datadir {
    char *path;
    int lock_fd;
    bool ephemeral;
};

/* With --ephemeral makes a fresh folder below TMPDIR and names it in config->data_dir. ST_CONFLICT:
 * another process uses the folder; ST_IO. The reason and the remedy were printed to `err`. */
enum status datadir_open(struct config *config, struct datadir *ret, FILE *err) MUST_CHECK;
/* Writes DIR/endpoint, where client commands look for a running server. */
enum status datadir_publish(const struct datadir *d, const char *endpoint) MUST_CHECK;
/* Takes the endpoint back, unlocks, removes a temporary folder. Safe on a zeroed one. */
void datadir_close(struct datadir *d);

#endif
