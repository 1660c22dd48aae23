/* The thread that hashes a file while others fill it. */
#include "sha256_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool.h"

enum { CHUNK = 1 << 20 };

/* Hashes the bytes from `from` to `to`. Returns 0 or an errno value. */
static int hash_range(const struct follower *follower, uint64_t from,
                      uint64_t to) {
  while (from < to) {
    size_t room = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
    ssize_t got = pread(follower->fd, follower->chunk, room, (off_t)from);
    if (bind_interrupted()) return EINTR;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return EIO; /* the file is shorter than was said */
    if (!EVP_DigestUpdate(follower->context, follower->chunk, (size_t)got))
      return EIO;
    from += (uint64_t)got;
  }
  return 0;
}

/* With the lock held: whether there is something to hash, after waiting. */
static bool wait_for_bytes(struct follower *follower) {
  while (follower->ready == follower->done && !follower->ending)
    pthread_cond_wait(&follower->moved, &follower->lock);
  return follower->ready > follower->done && follower->error == 0;
}

static void *follow(void *user) {
  struct follower *follower = user;
  pthread_mutex_lock(&follower->lock);
  while (wait_for_bytes(follower)) {
    uint64_t from = follower->done, to = follower->ready;
    if (to - from > CHUNK) to = from + CHUNK;
    pthread_mutex_unlock(&follower->lock);
    int error = hash_range(follower, from, to);
    pthread_mutex_lock(&follower->lock);
    follower->error = error;
    if (error == 0) follower->done = to;
  }
  pthread_mutex_unlock(&follower->lock);
  return NULL;
}

int follower_open(struct follower *follower, const char *path) {
  follower->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (follower->fd < 0) return errno;
  pthread_mutex_init(&follower->lock, NULL);
  pthread_cond_init(&follower->moved, NULL);
  follower->chunk = malloc(CHUNK);
  follower->context = EVP_MD_CTX_new();
  if (follower->chunk == NULL || follower->context == NULL ||
      !EVP_DigestInit_ex(follower->context, EVP_sha256(), NULL)) {
    follower_close(follower);
    return ENOMEM;
  }
  follower->running = pool_start(&follower->thread, follow, follower);
  return 0;
}

void follower_advance(struct follower *follower, uint64_t ready) {
  pthread_mutex_lock(&follower->lock);
  if (ready > follower->ready) follower->ready = ready;
  pthread_cond_signal(&follower->moved);
  pthread_mutex_unlock(&follower->lock);
}

static void join(struct follower *follower) {
  if (!follower->running) return;
  pthread_mutex_lock(&follower->lock);
  follower->ending = true;
  pthread_cond_signal(&follower->moved);
  pthread_mutex_unlock(&follower->lock);
  pthread_join(follower->thread, NULL);
  follower->running = false;
}

int follower_finish(struct follower *follower, unsigned char digest[32]) {
  join(follower);
  int error = follower->error;
  /* Without a thread nothing is hashed yet. */
  if (error == 0) error = hash_range(follower, follower->done, follower->ready);
  if (error == 0 && !EVP_DigestFinal_ex(follower->context, digest, NULL))
    error = EIO;
  follower_close(follower);
  return error;
}

void follower_close(struct follower *follower) {
  if (follower->fd < 0) return;
  pthread_mutex_lock(&follower->lock);
  follower->ready = follower->done; /* what is left is not wanted */
  pthread_mutex_unlock(&follower->lock);
  join(follower);
  close(follower->fd);
  follower->fd = -1;
  EVP_MD_CTX_free(follower->context);
  free(follower->chunk);
  pthread_cond_destroy(&follower->moved);
  pthread_mutex_destroy(&follower->lock);
}
