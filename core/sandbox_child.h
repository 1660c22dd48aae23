/* The process in which a stranger's script runs: this program again, under a
 * name of its own, without powers. It and its parent send each other messages
 * over its standard streams: 32 bits of length, then so many bytes. */
#ifndef BITTERN_SANDBOX_CHILD_H
#define BITTERN_SANDBOX_CHILD_H

/* What argv[0] says in such a process. */
#define SANDBOX_ROLE "bittern: sandbox"

enum { SANDBOX_MESSAGE_MAX = 2 << 20 };

/* Gives all powers up, tells the parent which layers hold ("name error" lines,
 * 0 for a layer that does), runs the Lua text of the first message, and serves
 * until the parent closes the pipe. */
_Noreturn void sandbox_child(void);

#endif
