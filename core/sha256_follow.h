/* A hash that follows a file while it is filled: on a thread of its own, from
 * the first byte on, as far as it was told. The bytes it reads are still in
 * memory. Plain C under core.sha256. */
#ifndef BITTERN_SHA256_FOLLOW_H
#define BITTERN_SHA256_FOLLOW_H

#include <pthread.h>

#include <openssl/evp.h>

#include "base.h"

struct follower {
  int fd; /* -1 once closed */
  EVP_MD_CTX *context;
  uint8_t *chunk;
  bool running; /* the thread is there */
  pthread_t thread;
  pthread_mutex_t lock; /* of what follows */
  pthread_cond_t moved;
  uint64_t ready; /* bytes that are there to be hashed */
  uint64_t done;  /* bytes that are hashed */
  bool ending;    /* the thread ends when it has done them */
  int error;      /* an errno value: it stopped at `done` */
};

/* Opens `path` and starts. `follower` is all zero but for fd = -1. Returns 0 or
 * an errno value. */
int follower_open(struct follower *follower, const char *path);

/* The first `ready` bytes of the file are there; never fewer than before. */
void follower_advance(struct follower *follower, uint64_t ready);

/* Waits for the hash of the bytes that are there, fills `digest` and closes.
 * Returns 0 or an errno value. */
int follower_finish(struct follower *follower, unsigned char digest[32]);

/* Stops and frees; may be called again. */
void follower_close(struct follower *follower);

#endif
