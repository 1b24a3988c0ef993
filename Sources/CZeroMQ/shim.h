#include <zmq.h>
/* Not in Swift's Glibc module: what a poll waits with, and what wakes it from another thread. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
