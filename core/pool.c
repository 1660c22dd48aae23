/* Worker threads for jobs of milliseconds and more: started for the job and
 * joined at its end, so that nothing outlives the call that wanted them. */
#include "pool.h"

#include <signal.h>

struct part {
  pool_work work;
  void *context;
  size_t index;
  size_t count;
};

static void *run_part(void *argument) {
  const struct part *part = argument;
  part->work(part->context, part->index, part->count);
  return NULL;
}

bool pool_start(pthread_t *thread, void *(*run)(void *), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(thread, NULL, run, argument) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

void pool_run(size_t count, pool_work work, void *context) {
  pthread_t threads[POOL_MOST];
  struct part parts[POOL_MOST];
  bool started[POOL_MOST] = {false};
  count = count > POOL_MOST ? POOL_MOST : count;
  for (size_t i = 0; i < count; i++) {
    parts[i] = (struct part){work, context, i, count};
    if (i > 0) started[i] = pool_start(&threads[i], run_part, &parts[i]);
  }
  for (size_t i = 0; i < count; i++)
    if (!started[i]) run_part(&parts[i]);
  for (size_t i = 0; i < count; i++)
    if (started[i]) pthread_join(threads[i], NULL);
}
