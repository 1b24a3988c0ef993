#include <zmq.h>
/* Not in Swift's Glibc module; what wakes a poll from another thread. */
#include <sys/eventfd.h>
