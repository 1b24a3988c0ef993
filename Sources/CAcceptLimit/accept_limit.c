#define _GNU_SOURCE
#include "accept_limit.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int lowest_refused = INT_MAX;
static void (*_Atomic when_refused)(void);

void accept_below(int lowest, void (*refused)(void)) {
  atomic_store(&when_refused, refused);
  atomic_store(&lowest_refused, lowest);
}

// Takes the place of glibc's for libzmq and SwiftNIO alike. Both accept in threads of their own until nothing is left, and
// libdispatch ends a process that cannot open a file for it. The kernel gives the lowest descriptor that is free, so the
// number of this one says how many are left.
int accept4(int socket, void *address, unsigned *length, int flags) {
  int connection = (int)syscall(SYS_accept4, socket, address, length, flags);
  if (connection < atomic_load_explicit(&lowest_refused, memory_order_relaxed)) return connection;
  close(connection);
  void (*refused)(void) = atomic_load(&when_refused);
  if (refused) refused();
  // What both take for a client that went away again.
  errno = ECONNABORTED;
  return -1;
}
