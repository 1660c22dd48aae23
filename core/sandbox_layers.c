/* The layers of a sandbox: what the kernel takes away from a process that runs
 * a stranger's script. */
#include "sandbox_layers.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- rights ----------------------------------------------------------------
 */

static int lay_no_new_privs(void) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

static int lay_capabilities(void) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
  return syscall(SYS_capset, &head, none) == 0 ? 0 : errno;
}

/* --- Landlock --------------------------------------------------------------
 * https://docs.kernel.org/userspace-api/landlock.html. A ruleset without rules
 * denies whatever it handles. */

/* What version 7 knows; the kernel is told no more than it understands. */
struct ruleset {
  uint64_t files;   /* version 1: bits 0..12, 2: 13, 3: 14, 5: 15 */
  uint64_t network; /* version 4: TCP bind and connect */
  uint64_t scoped;  /* version 6: abstract sockets and signals of others */
};

int sandbox_landlock_version(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
                         LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? (int)version : 0;
}

static uint64_t file_rights(int version) {
  static const int bits[] = {13, 14, 15, 15, 16};
  return (UINT64_C(1) << bits[version < 5 ? version - 1 : 4]) - 1;
}

static int lay_landlock(void) {
  int version = sandbox_landlock_version();
  if (version == 0) return ENOSYS;
  struct ruleset rules = {file_rights(version), version >= 4 ? 3 : 0,
                          version >= 6 ? 3 : 0};
  size_t size = offsetof(struct ruleset, network);
  if (version >= 4) size = offsetof(struct ruleset, scoped);
  if (version >= 6) size = sizeof rules;
  int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (fd < 0) return errno;
  long done = syscall(SYS_landlock_restrict_self, fd, 0);
  int error = done == 0 ? 0 : errno;
  close(fd);
  return error;
}

/* --- limits ----------------------------------------------------------------
 */

/* The seconds are a last resort for a child whose parent was stopped: the
 * parent's deadline of each call comes long before. */
static int lay_limits(void) {
  static const struct {
    int resource;
    rlim_t limit;
  } limits[] = {
      {RLIMIT_AS, SANDBOX_ADDRESS_SPACE},
      {RLIMIT_CPU, 300},
      {RLIMIT_FSIZE, 0},
      {RLIMIT_NOFILE, 0},
      {RLIMIT_NPROC, 0},
      {RLIMIT_CORE, 0},
      {RLIMIT_MEMLOCK, 0},
      {RLIMIT_MSGQUEUE, 0},
  };
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit both = {limits[i].limit, limits[i].limit};
    if (setrlimit((__rlimit_resource_t)limits[i].resource, &both) != 0)
      return errno;
  }
  return 0;
}

/* --- seccomp ---------------------------------------------------------------
 * https://docs.kernel.org/userspace-api/seccomp_filter.html. The filter reads
 *
 *   struct seccomp_data { int nr; u32 arch; u64 instruction_pointer, args[6]; }
 *
 * 32 bits at a time; of an argument it looks at the lower half, which is all
 * that descriptors, protections and flags have. */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#define FIELD(name)   (uint32_t) offsetof(struct seccomp_data, name)
#define LOAD(where)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, where)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define EQUAL(value, yes, no)                                                  \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define ANY_OF(bits, yes, no)                                                  \
  BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), yes, no)

#define ALLOW(number) EQUAL(SYS_##number, 0, 1), RETURN(SECCOMP_RET_ALLOW)
/* Only on descriptor `fd`. */
#define ALLOW_ON(number, fd)                                                   \
  EQUAL(SYS_##number, 0, 4), LOAD(FIELD(args[0])), EQUAL(fd, 0, 1),            \
      RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_KILL_PROCESS)

#ifdef THIS_ARCH
#define EXPECT_ARCH EQUAL(THIS_ARCH, 1, 0),
#else
#define EXPECT_ARCH
#endif

/* Reading requests, writing answers. */
#define HEAD                                                                   \
  LOAD(FIELD(arch)), EXPECT_ARCH RETURN(SECCOMP_RET_KILL_PROCESS),             \
      LOAD(FIELD(nr)), ALLOW_ON(read, STDIN_FILENO),                           \
      ALLOW_ON(write, STDOUT_FILENO)

/* A signal that came, and the end. */
#define TAIL                                                                   \
  ALLOW(restart_syscall), ALLOW(rt_sigreturn), ALLOW(exit_group),              \
      RETURN(SECCOMP_RET_KILL_PROCESS)

/* Memory that is no code, and the clock where the kernel must be asked. */
static const struct sock_filter script_program[] = {
    HEAD,
    EQUAL(SYS_mmap, 0, 6),
    LOAD(FIELD(args[2])),
    ANY_OF(PROT_EXEC, 3, 0),
    LOAD(FIELD(args[3])),
    ANY_OF(MAP_ANONYMOUS, 0, 1),
    RETURN(SECCOMP_RET_ALLOW),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(brk),
    ALLOW(madvise),
    ALLOW(clock_gettime),
    TAIL,
};

static const struct sock_filter signer_program[] = {
    HEAD,
    ALLOW(getrandom),
    TAIL,
};

static int lay_filter(const struct sock_filter *program, size_t count) {
#ifndef THIS_ARCH
  return ENOSYS;
#endif
  struct sock_fprog filter = {
      (unsigned short)count,
      (struct sock_filter *)(uintptr_t)program, /* it is only read */
  };
  long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
  return done == 0 ? 0 : errno;
}

static int lay_seccomp(void) {
  return lay_filter(script_program,
                    sizeof script_program / sizeof *script_program);
}

int sandbox_lay_signer(void) {
  return lay_filter(signer_program,
                    sizeof signer_program / sizeof *signer_program);
}

/* --- all of them -----------------------------------------------------------
 */

static const struct {
  const char *name;
  int (*lay)(void);
} layers[SANDBOX_LAYERS] = {
    [SANDBOX_NO_NEW_PRIVS] = {"no_new_privs", lay_no_new_privs},
    [SANDBOX_CAPABILITIES] = {"capabilities", lay_capabilities},
    [SANDBOX_LANDLOCK] = {"landlock", lay_landlock},
    [SANDBOX_LIMITS] = {"limits", lay_limits},
    [SANDBOX_SECCOMP] = {"seccomp", lay_seccomp},
};

int sandbox_lay(enum sandbox_layer layer) { return layers[layer].lay(); }

const char *sandbox_layer_name(enum sandbox_layer layer) {
  return layers[layer].name;
}
