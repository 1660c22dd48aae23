/* argv, the install tree, the exit code. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "sandbox_child.h"

static int has_boot(const char *root) {
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s/lua/boot.lua", root);
  return length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0;
}

/* The tree whose scripts we run: the checkout that the binary was built in
 * (<root>/build/bittern), else what `make install` laid beside it
 * (<prefix>/bin/bittern, <prefix>/share/bittern). */
static const char *find_root(const char *exe, char *out, size_t size) {
  char prefix[PATH_MAX];
  snprintf(prefix, sizeof prefix, "%s", exe);
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(prefix, '/');
    if (slash != NULL) *slash = '\0';
  }
  int length = snprintf(out, size, "%s", prefix);
  if (!has_boot(out)) length = snprintf(out, size, "%s/share/bittern", prefix);
  return length > 0 && (size_t)length < size && has_boot(out) ? out : NULL;
}

/* A standard stream that the caller closed leaves its number to the next file
 * that is opened, a ledger or a socket, and what is printed would land there.
 * /dev/null takes the place: reading ends at once, writing fails. */
static void fill_standard_streams(void) {
  int fd = open("/dev/null", O_RDONLY);
  while (fd >= 0 && fd <= STDERR_FILENO)
    fd = open("/dev/null", O_RDONLY);
  if (fd > STDERR_FILENO) close(fd);
}

int main(int argc, char **argv) {
  char exe[PATH_MAX] = {0};
  char root[PATH_MAX];
  struct host_memory memory = {0};
  fill_standard_streams();
  if (argc > 0 && strcmp(argv[0], SANDBOX_ROLE) == 0) sandbox_child();
  if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) {
    perror("bittern: /proc/self/exe");
    return EXIT_FAILURE;
  }
  if (find_root(exe, root, sizeof root) == NULL) {
    fprintf(stderr, "bittern: no scripts beside %s\n", exe);
    return EXIT_FAILURE;
  }
  lua_State *L = host_new(&memory);
  if (L == NULL) {
    fputs("bittern: not enough memory to start\n", stderr);
    return EXIT_FAILURE;
  }
  host_catch_signals(L);
  int status = host_boot(L, root, exe, argc, argv);
  lua_close(L);
  return status;
}
