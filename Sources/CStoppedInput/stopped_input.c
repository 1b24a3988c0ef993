#define _GNU_SOURCE
#include "stopped_input.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Where more messages of a peer wait than the high-water mark allows, libzmq stops reading from its connection. The kernel tells of
// a reset all the same, and libzmq 4.3.4 notes that as an error of the engine. Where a heartbeat of the peer (PING) is among the
// bytes that had been read already, libzmq answers it once it goes on, and aborts the process: `!_io_error` in
// stream_engine_base_t::out_event. Later versions do the same.
//
// So a connection of which libzmq wants no input is not watched at all: what has become of it is heard when its messages have
// been taken, by reading on, which libzmq handles well. Nothing is written to such a peer meanwhile. And where input and a reset
// come at once, libzmq is told of one of them: it would look twice, and stop reading in between.

enum { watched_descriptors = 1 << 16 };
enum state { unknown, reads, is_stopped };

// Each is used by the one I/O thread that has the descriptor.
static _Atomic unsigned char states[watched_descriptors];

static int set(int epoll, int operation, int descriptor, struct epoll_event *event) {
  return (int)syscall(SYS_epoll_ctl, epoll, operation, descriptor, event);
}

static int is_thread_of_libzmq(void) {
  static _Thread_local int known;
  if (known == 0) {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    known = strncmp(name, "ZMQbg/IO", 8) == 0 ? 1 : -1;
  }
  return known == 1;
}

// Takes the place of glibc's for libzmq; whoever else calls it gets what glibc would do.
int epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event) {
  if (descriptor < 0 || descriptor >= watched_descriptors || !is_thread_of_libzmq())
    return set(epoll, operation, descriptor, event);
  _Atomic unsigned char *state = &states[descriptor];
  int was_stopped = atomic_load_explicit(state, memory_order_relaxed) == is_stopped;
  int wants_input = operation != EPOLL_CTL_DEL && (event->events & EPOLLIN);
  if (operation == EPOLL_CTL_MOD && !wants_input && atomic_load_explicit(state, memory_order_relaxed) != unknown) {
    atomic_store_explicit(state, is_stopped, memory_order_relaxed);
    return was_stopped ? 0 : set(epoll, EPOLL_CTL_DEL, descriptor, event);
  }
  atomic_store_explicit(state, wants_input ? reads : unknown, memory_order_relaxed);
  if (!was_stopped) return set(epoll, operation, descriptor, event);
  return operation == EPOLL_CTL_DEL ? 0 : set(epoll, EPOLL_CTL_ADD, descriptor, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
  int count = (int)syscall(SYS_epoll_pwait, epoll, events, most, milliseconds, NULL, 0);
  if (count <= 0 || !is_thread_of_libzmq()) return count;
  for (int index = 0; index < count; index++)
    if (events[index].events & (EPOLLERR | EPOLLHUP)) events[index].events &= ~(unsigned)EPOLLIN;
  return count;
}
