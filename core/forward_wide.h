/* Functions in several widths of vectors; the processor decides. */
#ifndef BITTERN_FORWARD_WIDE_H
#define BITTERN_FORWARD_WIDE_H

/* Wider vectors where the processor has them; -DKERNELS_PLAIN leaves them out.
 */
#if defined(__x86_64__) && !defined(KERNELS_PLAIN)
#define WIDE 1
#endif
/* ThreadSanitizer is not there yet when the loader asks for the width. */
#if defined(WIDE) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define KERNEL __attribute__((target_clones("avx2", "default")))
#else
#define KERNEL
#endif
#define INLINE static inline __attribute__((always_inline))

#endif
