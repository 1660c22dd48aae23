/* Meetings of threads. They sleep while they wait: the processor may be needed
 * by others. */
#include "forward_team.h"

#include <stdint.h>

#include "pool.h"

void team_open(struct team *team) {
  *team = (struct team){.position = SIZE_MAX};
  pthread_mutex_init(&team->lock, NULL);
  pthread_cond_init(&team->met, NULL);
}

void team_close(struct team *team) {
  pthread_cond_destroy(&team->met);
  pthread_mutex_destroy(&team->lock);
}

/* The last one to come decides for all: nobody can have asked since then, and
 * nobody leaves the next meeting before all have left this one. */
bool team_meet(struct team *team) {
  pthread_mutex_lock(&team->lock);
  size_t round = team->round;
  if (++team->waiting == team->count) {
    team->waiting = 0;
    team->given_up = atomic_load(&team->stop);
    team->round++;
    pthread_cond_broadcast(&team->met);
  }
  while (round == team->round)
    pthread_cond_wait(&team->met, &team->lock);
  bool going_on = !team->given_up;
  pthread_mutex_unlock(&team->lock);
  return going_on;
}

void team_blame(struct team *team, size_t position, size_t stage) {
  size_t least = atomic_load(&team->position);
  while (position < least &&
         !atomic_compare_exchange_weak(&team->position, &least, position))
    continue;
  atomic_store(&team->stage, stage);
  atomic_store(&team->stop, true);
}

struct member {
  struct team *team;
  void (*work)(void *context, size_t index, size_t count);
  void *context;
  size_t index;
};

/* Nobody begins before it is known how many there are. */
static void *run_member(void *argument) {
  struct member *member = argument;
  struct team *team = member->team;
  pthread_mutex_lock(&team->lock);
  while (team->count == 0)
    pthread_cond_wait(&team->met, &team->lock);
  pthread_mutex_unlock(&team->lock);
  member->work(member->context, member->index, team->count);
  return NULL;
}

static void begin(struct team *team, size_t count) {
  pthread_mutex_lock(&team->lock);
  team->count = count;
  pthread_cond_broadcast(&team->met);
  pthread_mutex_unlock(&team->lock);
}

void team_run(struct team *team, size_t threads,
              void (*work)(void *context, size_t index, size_t count),
              void *context) {
  pthread_t ids[POOL_MOST];
  struct member members[POOL_MOST];
  size_t count = 1;
  for (; count < threads && count < POOL_MOST; count++) {
    members[count] = (struct member){team, work, context, count};
    if (!pool_start(&ids[count], run_member, &members[count])) break;
  }
  begin(team, count);
  work(context, 0, count);
  for (size_t i = 1; i < count; i++)
    pthread_join(ids[i], NULL);
}
