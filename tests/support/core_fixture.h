/* A core on a temporary folder, for unit tests: opened, run with a watchdog, restarted. */
#ifndef CISTERN_TESTS_CORE_FIXTURE_H
#define CISTERN_TESTS_CORE_FIXTURE_H

#include "server/core_run.h"

struct service;

struct core_fixture {
    char dir[64];
    struct config config;
    const struct service *const *services;
    struct core *core;
};

/* Makes the folder and the core and starts it; `services` is NULL-terminated. */
void core_fixture_open(struct core_fixture *f, const struct service *const *services);
/* The same in a folder that is there already. */
void core_fixture_open_in(struct core_fixture *f, const char *dir,
                          const struct service *const *services);
/* Ends the core in good order and starts another one on the same folder. */
void core_fixture_restart(struct core_fixture *f);
/* Ends the core and removes the folder. */
void core_fixture_close(struct core_fixture *f);
/* Runs passes until done(arg); fails the test after 20 s. */
void core_fixture_until(struct core_fixture *f, bool (*done)(void *arg), void *arg);
/* Ends the pass: commits and runs what waits for it. */
void core_fixture_pass(struct core_fixture *f);
/* Runs until no job, post or child is left. */
void core_fixture_settle(struct core_fixture *f);
/* Files below the folder `sub`, at any depth. */
int core_fixture_count_files(const struct core_fixture *f, const char *sub);

#endif
