/* Whole files, and lines that nobody sees. */
#include "keybox_read.h"

#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "base.h"

/* read(2) that only a user's wish to stop interrupts. */
static ssize_t read_some(int fd, uint8_t *out, size_t room) {
  ssize_t got;
  do
    got = read(fd, out, room);
  while (got < 0 && errno == EINTR && !bind_interrupted());
  return got;
}

int keybox_fill(int fd, uint8_t *out, size_t room, size_t *size) {
  *size = 0;
  while (*size < room) {
    ssize_t got = read_some(fd, out + *size, room - *size);
    if (got < 0) return errno;
    if (got == 0) break;
    *size += (size_t)got;
  }
  return 0;
}

/* One byte at a time: what follows the line is somebody else's. */
static int read_line(int fd, uint8_t *out, size_t room, size_t *size) {
  ssize_t got;
  for (*size = 0; *size < room; ++*size) {
    got = read_some(fd, out + *size, 1);
    if (got < 0) return errno;
    if (got == 0 || out[*size] == '\n') break;
  }
  if (*size == room) return EMSGSIZE;
  if (*size > 0 && out[*size - 1] == '\r') --*size;
  return 0;
}

int keybox_line(int fd, uint8_t *out, size_t room, size_t *size) {
  struct termios shown, hidden;
  if (tcgetattr(fd, &shown) != 0) return read_line(fd, out, room, size);
  hidden = shown;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  hidden.c_lflag |= ECHONL; /* the end of the line is no secret */
  if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0) return errno;
  int error = read_line(fd, out, room, size);
  tcsetattr(fd, TCSAFLUSH, &shown);
  return error;
}
