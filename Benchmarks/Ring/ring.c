// A limit: the same number of hops over bare ZeroMQ, PUSH to PULL, four processes, no store and no acknowledgement.
// ring MESSAGES prints messages per second through three hops and back.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

static void forward(const char *from, const char *to) {
  void *context = zmq_ctx_new();
  void *in = zmq_socket(context, ZMQ_PULL), *out = zmq_socket(context, ZMQ_PUSH);
  int unlimited = 0;
  zmq_setsockopt(in, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(out, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
  zmq_bind(in, from);
  zmq_connect(out, to);
  for (;;) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, in, 0) < 0 || zmq_msg_send(&message, out, 0) < 0) _exit(1);
  }
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 100000;
  char address[4][64];
  for (int i = 0; i < 4; i++) snprintf(address[i], sizeof address[i], "ipc:///tmp/carbontube-ring-%d-%d", (int)getpid(), i);
  pid_t children[3];
  for (int i = 0; i < 3; i++) {
    children[i] = fork();
    if (children[i] == 0) forward(address[i], address[i + 1]);
  }
  void *context = zmq_ctx_new();
  void *in = zmq_socket(context, ZMQ_PULL), *out = zmq_socket(context, ZMQ_PUSH);
  int unlimited = 0;
  zmq_setsockopt(in, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(out, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
  zmq_bind(in, address[3]);
  zmq_connect(out, address[0]);
  char body[34];
  memset(body, 'x', sizeof body);
  zmq_send(out, body, sizeof body, 0);
  zmq_recv(in, body, sizeof body, 0);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long i = 0; i < count; i++) zmq_send(out, body, sizeof body, 0);
  for (long i = 0; i < count; i++) zmq_recv(in, body, sizeof body, 0);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
  printf("%.0f\n", (double)count / seconds);
  for (int i = 0; i < 3; i++) kill(children[i], 9);
  for (int i = 0; i < 4; i++) unlink(address[i] + 6);
  return 0;
}
