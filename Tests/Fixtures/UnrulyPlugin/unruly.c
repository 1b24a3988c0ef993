// A phase that leaves processes behind, breaks the channels of its own process, or says what nobody can take.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static const ct_job *running;

static int is_told(const ct_job *job, const char *deed) {
  char member[64];
  int length = snprintf(member, sizeof member, "\"do\":\"%s\"", deed);
  return memmem(job->instructions.ptr, job->instructions.len, member, (size_t)length) != NULL;
}

static void say(const ct_job *job, const char *words, int number) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s %d", words, number);
  job->log(job, CT_LOG_INFO, (ct_str){line, (size_t)length});
}

static void sleep_for_good(void) {
  for (;;) pause();
}

// A process that holds everything this one has; its number is logged once it lives.
static void start_helper(const ct_job *job, int own_session, int orphaned) {
  int ends[2], number = 0;
  if (pipe(ends) != 0) abort();
  pid_t first = fork();
  if (first == 0) {
    if (own_session) setsid();
    if (orphaned && fork() != 0) _exit(0);
    number = getpid();
    if (write(ends[1], &number, sizeof number) < 0) _exit(1);
    sleep_for_good();
  }
  if (read(ends[0], &number, sizeof number) < 0) abort();
  if (orphaned) waitpid(first, NULL, 0);
  close(ends[0]), close(ends[1]);
  say(job, "helper", number);
}

// A server that create() starts; the process between the two ends when it is told to.
static struct { pid_t server, starter; int leave; } started;

static ct_status create(const ct_phase *phase, void **instance, ct_error *err) {
  (void)phase, (void)instance, (void)err;
  if (!getenv("UNRULY_SERVER")) return CT_OK;
  int up[2], down[2];
  if (pipe(up) != 0 || pipe(down) != 0) abort();
  started.starter = fork();
  if (started.starter == 0) {
    close(down[1]);
    pid_t server = fork();
    if (server == 0) setsid(), sleep_for_good();
    char end;
    if (write(up[1], &server, sizeof server) < 0 || read(down[0], &end, 1) < 0) _exit(1);
    _exit(0);
  }
  if (read(up[0], &started.server, sizeof started.server) < 0) abort();
  started.leave = down[1];
  return CT_OK;
}

static void orphan_server(const ct_job *job) {
  close(started.leave);
  waitpid(started.starter, NULL, 0);
  say(job, "helper", started.server);
}

static void wait_for_cancel(const ct_job *job) {
  say(job, "waiting", getpid());
  while (!job->is_cancelled(job)) usleep(1000);
}

static void put(ct_buffer *buffer, const char *text) {
  size_t length = strlen(text);
  buffer->len = (uint32_t)(length < buffer->cap ? length : buffer->cap);
  memcpy(buffer->ptr, text, buffer->len);
}

static void print_and_abort(void) {
  printf("half of the way\n");
  abort();
}

static void write_wildly(void) {
  static const char junk[] = "\x09\0\0\0\x84 no frame";
  if (write(3, junk, sizeof junk) < 0) abort();
  sleep_for_good();
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance;
  running = job;
  if (is_told(job, "helper-abort")) start_helper(job, 1, 0), abort();
  if (is_told(job, "helper-hang")) start_helper(job, 1, 1), sleep_for_good();
  if (is_told(job, "helper-fail")) return start_helper(job, 0, 0), put(&err->message, "no"), CT_FAILED;
  if (is_told(job, "orphan-server")) return orphan_server(job), CT_OK;
  if (is_told(job, "daemon")) start_helper(job, 1, 1);
  if (is_told(job, "close-channel")) close(3);
  if (is_told(job, "close-channel-hang")) close(3), sleep_for_good();
  if (is_told(job, "close-all")) close_range(3, ~0u, 0), sleep_for_good();
  if (is_told(job, "shut-control")) shutdown(4, SHUT_RDWR), sleep_for_good();
  if (is_told(job, "junk")) write_wildly();
  if (is_told(job, "print-abort")) print_and_abort();
  if (is_told(job, "cancel")) return wait_for_cancel(job), put(&err->message, "stopped"), CT_CANCELLED;
  if (is_told(job, "list")) job->set_result(job, (ct_bytes){"[1]", 3});
  if (is_told(job, "return-list")) return job->set_result(job, (ct_bytes){"[1]", 3});
  if (is_told(job, "never")) return err->retry_after_ms = UINT64_MAX, put(&err->message, "never"), CT_RETRY;
  static const char numbers[] = "{\"huge\": 1e309, \"wei\":18446744073709551616, \"s\" : -0.0}";
  if (is_told(job, "numbers")) return job->set_result(job, (ct_bytes){numbers, sizeof numbers - 1});
  return CT_OK;
}

static void cancel(const ct_phase *phase, void *instance) {
  (void)phase, (void)instance;
  say(running, "cancel called in", getpid());
  running->progress(running, 1, (ct_str){"cancelling", 10});
}

static const ct_phase phase = {
    .struct_size = sizeof(ct_phase),
    .job_type = "unruly",
    .version = "1.0.0",
    .summary = "Breaks rules",
    .create = create,
    .run = run,
    .cancel = cancel,
};
static const ct_phase *const phases[] = {&phase};
static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.unruly",
    .version = "1.0.0",
    .summary = "Breaks rules",
    .build = "c",
    .phase_count = 1,
    .phases = phases,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}
