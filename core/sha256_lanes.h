/* SHA-256 of several messages at once, their rounds interleaved on one core: a
 * round of one message waits for the round before, and the unit that computes
 * it can take another message's in the meantime. Needs the SHA instructions. */
#ifndef BITTERN_SHA256_LANES_H
#define BITTERN_SHA256_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES_MOST = 3, LANE_BLOCK = 64, LANE_DIGEST = 32 };

/* One message. */
struct lane {
  uint32_t state[8];
  uint64_t size; /* bytes of the blocks so far */
};

/* Whether this processor has the instructions; nothing else may be called
 * where it has not. */
bool lanes_here(void);

void lane_begin(struct lane *lane);

/* Takes `blocks` whole blocks of each of `count` messages, 1 to LANES_MOST. */
void lanes_update(struct lane *const *lanes, const uint8_t *const *data,
                  int count, size_t blocks);

/* The digest of a message that ends with `size` < LANE_BLOCK more bytes. */
void lane_finish(struct lane *lane, const uint8_t *rest, size_t size,
                 uint8_t digest[LANE_DIGEST]);

#endif
