/* A door that one thread waits at until another one opens it, once. */
#ifndef CISTERN_LOOP_GATE_H
#define CISTERN_LOOP_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
};

static inline void gate_init(struct gate *g)
{
    pthread_mutex_init(&g->mutex, NULL);
    pthread_cond_init(&g->opened, NULL);
    g->open = false;
}

/* The gate may be gone when this returns. */
static inline void gate_open(struct gate *g)
{
    pthread_mutex_lock(&g->mutex);
    g->open = true;
    pthread_cond_signal(&g->opened);
    pthread_mutex_unlock(&g->mutex);
}

/* Waits for gate_open(), then ends the gate. */
static inline void gate_wait(struct gate *g)
{
    pthread_mutex_lock(&g->mutex);
    while (!g->open) {
        pthread_cond_wait(&g->opened, &g->mutex);
    }
    pthread_mutex_unlock(&g->mutex);
    pthread_cond_destroy(&g->opened);
    pthread_mutex_destroy(&g->mutex);
}

#endif
