/* Threads that work on one document side by side and meet between steps. */
#ifndef BITTERN_FORWARD_TEAM_H
#define BITTERN_FORWARD_TEAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct team {
  pthread_mutex_t lock;
  pthread_cond_t met;
  size_t count, waiting, round;
  bool given_up; /* as of the last meeting */
  atomic_bool stop;
  atomic_bool no_memory;
  atomic_size_t position; /* least one that is not finite, else SIZE_MAX */
  atomic_size_t stage;    /* where that was */
};

void team_open(struct team *team);
void team_close(struct team *team);

/* Waits for the others; false, for all alike, once somebody asked to stop. */
bool team_meet(struct team *team);

/* Something at `position` is not finite: asks to stop. All who blame between
 * two meetings do so at the same stage. */
void team_blame(struct team *team, size_t position, size_t stage);

/* Calls work(context, i, team->count) for every i on a thread of its own, the
 * first on this one; on fewer threads where so many cannot be had. */
void team_run(struct team *team, size_t threads,
              void (*work)(void *context, size_t index, size_t count),
              void *context);

#endif
