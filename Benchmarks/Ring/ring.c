// A limit: the same number of hops over bare ZeroMQ, PUSH to PULL in a ring of as many processes, no store and no
// acknowledgement. `ring HOPS MESSAGES PROBES` prints messages per second, then the milliseconds of each probe: one message
// at a time, once around.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { MOST_HOPS = 64, BYTES = 34 };

static char addresses[MOST_HOPS][64];

static void *open_socket(void *context, int type) {
  void *opened = zmq_socket(context, type);
  int unlimited = 0, none = 0;
  zmq_setsockopt(opened, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(opened, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(opened, ZMQ_LINGER, &none, sizeof none);
  return opened;
}

static void join_ring(const char *from, const char *to, void **in, void **out) {
  void *context = zmq_ctx_new();
  *in = open_socket(context, ZMQ_PULL);
  *out = open_socket(context, ZMQ_PUSH);
  if (zmq_bind(*in, from) != 0 || zmq_connect(*out, to) != 0) {
    perror("ring");
    _exit(1);
  }
}

static void forward(const char *from, const char *to) {
  void *in, *out;
  join_ring(from, to, &in, &out);
  for (;;) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, in, 0) < 0 || zmq_msg_send(&message, out, 0) < 0) _exit(1);
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pass(void *in, void *out, long count) {
  char body[BYTES] = {0};
  for (long i = 0; i < count; i++) zmq_send(out, body, sizeof body, 0);
  for (long i = 0; i < count; i++) zmq_recv(in, body, sizeof body, 0);
}

int main(int argc, char **argv) {
  int hops = argc > 1 ? atoi(argv[1]) : 8;
  long count = argc > 2 ? atol(argv[2]) : 100000, probes = argc > 3 ? atol(argv[3]) : 1000;
  if (hops < 2 || hops > MOST_HOPS) return 64;
  for (int i = 0; i < hops; i++)
    snprintf(addresses[i], sizeof addresses[i], "ipc:///tmp/carbontube-ring-%d-%d", (int)getpid(), i);
  pid_t children[MOST_HOPS];
  for (int i = 1; i < hops; i++) {
    children[i] = fork();
    if (children[i] == 0) forward(addresses[i], addresses[(i + 1) % hops]);
  }
  void *in, *out;
  join_ring(addresses[0], addresses[1], &in, &out);
  // The first makes the connections.
  pass(in, out, 1);
  double start = now();
  pass(in, out, count);
  printf("%.0f\n", (double)count / (now() - start));
  for (long i = 0; i < probes; i++) {
    // As long as the pauses of the rig's client are on average.
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    double sent = now();
    pass(in, out, 1);
    printf("%.4f\n", (now() - sent) * 1000);
  }
  for (int i = 1; i < hops; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < hops; i++) unlink(addresses[i] + strlen("ipc://"));
  return 0;
}
