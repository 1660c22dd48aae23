/* What takes a process's powers away, layer over layer: each holds alone what
 * the others hold, too. Plain C, for the child under core.sandbox. */
#ifndef BITTERN_SANDBOX_LAYERS_H
#define BITTERN_SANDBOX_LAYERS_H

#include <sys/resource.h>

/* Bytes that a sandboxed process may map. Under AddressSanitizer it maps
 * terabytes, and uses few of them. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_ADDRESS_SPACE RLIM_INFINITY
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_ADDRESS_SPACE RLIM_INFINITY
#endif
#endif
#ifndef SANDBOX_ADDRESS_SPACE
#define SANDBOX_ADDRESS_SPACE ((rlim_t)1 << 30)
#endif

/* In the order in which they are laid. */
enum sandbox_layer {
  SANDBOX_NO_NEW_PRIVS, /* no program that is run gives more rights */
  SANDBOX_CAPABILITIES, /* root's powers are given up */
  SANDBOX_LANDLOCK,     /* no file; no TCP and no foreign signal where known */
  SANDBOX_LIMITS,       /* memory, processor time, files, processes, cores */
  SANDBOX_SECCOMP,      /* a dozen system calls, death for any other */
  SANDBOX_LAYERS
};

/* Lays one layer on this process, for good. Returns 0, or an errno value where
 * the kernel has none: ENOSYS, EINVAL, EOPNOTSUPP. */
int sandbox_lay(enum sandbox_layer layer);

/* The last layer of a process that signs: reading requests on descriptor 0,
 * writing answers on 1, random bytes, the end; death for any other call. 0 or
 * an errno value. */
int sandbox_lay_signer(void);

/* Its name, as people read it. */
const char *sandbox_layer_name(enum sandbox_layer layer);

/* The version of Landlock that the kernel has; 0 when it has none. */
int sandbox_landlock_version(void);

#endif
