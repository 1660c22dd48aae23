/* Threads that share one job. */
#ifndef BITTERN_POOL_H
#define BITTERN_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* One thread's part: `index` of `count`, of the job `context`. It must not call
 * Lua, and what it computes may depend on `index` and `count` in nothing but
 * which rows it takes. */
typedef void (*pool_work)(void *context, size_t index, size_t count);

/* Calls work(context, i, count) for every i < count, each on a thread of its
 * own, the first on this one, and waits for them. Where a thread cannot be had,
 * this one does its part. */
void pool_run(size_t count, pool_work work, void *context);

enum { POOL_MOST = 256 };

/* Starts a thread that gets no signals: they are for the one that runs Lua.
 * False when there is none to be had. */
bool pool_start(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
