#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host_process.h"

// Signals that nobody else sends, so that all others can be passed on.
#define SIGNAL_END (SIGRTMIN + 1)
#define SIGNAL_CHANNEL_CLOSED (SIGRTMIN + 2)

enum {
  // For what sleeps in the kernel and cannot be killed.
  PATIENCE_MILLISECONDS = 5000,
  // For what cannot be found, or cannot be seen to be ending, where /proc does not show it.
  BLIND_PATIENCE_MILLISECONDS = 500,
  LOOK_AGAIN_MILLISECONDS = 20,
  MOST_CHILDREN = 1024,
  // A flag of /proc/PID/stat: the thread is on its way out (PF_EXITING of the kernel).
  THREAD_IS_EXITING = 4,
};

struct guard {
  pid_t child;
  int control;
  int signals;
  int broken;
  // /proc shows what is below.
  int can_look;
  // Of the child, once it is reaped: not before its group was killed, so that the group's number stays its own.
  int status;
  int is_reaped;
};

void host_give_order(pid_t guard, enum host_order order) {
  kill(guard, order == HOST_ORDER_END ? SIGNAL_END : SIGNAL_CHANNEL_CLOSED);
  kill(guard, SIGCONT);
}

// ---------- the end of the child ----------

static _Noreturn void leave_as(int status) {
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  int number = WTERMSIG(status);
  prctl(PR_SET_DUMPABLE, 0);
  signal(number, SIG_DFL);
  raise(number);
  sigset_t it;
  sigemptyset(&it);
  sigaddset(&it, number);
  sigprocmask(SIG_UNBLOCK, &it, NULL);
  _exit(128 + number);
}

static int reap(struct guard *guard) {
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended == 0) return 1;
    if (ended < 0) return errno != ECHILD;
    if (ended != guard->child) continue;
    guard->status = status;
    guard->is_reaped = 1;
  }
}

static void kill_children(void) {
  pid_t found[MOST_CHILDREN];
  int count = host_children(getpid(), found, MOST_CHILDREN);
  for (int index = 0; index < count; index++) kill(found[index], SIGKILL);
}

static void forget_signals(const struct guard *guard) {
  struct signalfd_siginfo information;
  while (read(guard->signals, &information, sizeof information) > 0) continue;
}

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Sleeps until a signal comes, or it is time to look again.
static void wait_a_little(const struct guard *guard) {
  struct pollfd polled = {guard->signals, POLLIN, 0};
  poll(&polled, 1, LOOK_AGAIN_MILLISECONDS);
  forget_signals(guard);
}

// Whoever loses its parent becomes a child of the guard (PR_SET_CHILD_SUBREAPER), so killing children until there are
// none reaches everybody.
static void kill_all(struct guard *guard) {
  kill(-guard->child, SIGKILL);
  kill(guard->child, SIGKILL);
  long long deadline = milliseconds() + (guard->can_look ? PATIENCE_MILLISECONDS : BLIND_PATIENCE_MILLISECONDS);
  while (reap(guard) && milliseconds() < deadline) {
    kill_children();
    wait_a_little(guard);
  }
  if (!guard->is_reaped) guard->status = SIGKILL;
}

static _Noreturn void end(struct guard *guard) {
  kill_all(guard);
  leave_as(guard->status);
}

static _Noreturn void end_broken(struct guard *guard) {
  kill_all(guard);
  _exit(guard->broken);
}

// ---------- while it lives ----------

static int has_ended(pid_t process) {
  siginfo_t information = {0};
  return waitid(P_PID, (id_t)process, &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_pid != 0;
}

static int thread_is_exiting(pid_t process, const char *thread) {
  char path[400], line[512] = "";
  snprintf(path, sizeof path, "/proc/%d/task/%s/stat", process, thread);
  FILE *file = fopen(path, "re");
  if (!file) return 1;
  size_t length = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  while (length > 0 && line[length] != ')') length--;
  unsigned long flags = 0;
  return sscanf(line + length, ") %*c %*d %*d %*d %*d %*d %lu", &flags) != 1 || (flags & THREAD_IS_EXITING);
}

static int ends_soon(const struct guard *guard) {
  long long deadline = milliseconds() + BLIND_PATIENCE_MILLISECONDS;
  while (!has_ended(guard->child) && milliseconds() < deadline) wait_a_little(guard);
  return has_ended(guard->child);
}

// The kernel closes the descriptors of a process after all its threads were marked as exiting, and before it can be
// waited for.
static int is_ending(const struct guard *guard) {
  if (!guard->can_look) return ends_soon(guard);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", guard->child);
  DIR *threads = opendir(path);
  if (!threads) return has_ended(guard->child);
  int all = 1;
  for (struct dirent *entry; all && (entry = readdir(threads));)
    if (entry->d_name[0] != '.') all = thread_is_exiting(guard->child, entry->d_name);
  closedir(threads);
  return all;
}

static void obey(struct guard *guard, int number) {
  if (number == SIGCHLD || number == SIGCONT) return;
  if (number == SIGNAL_END) end(guard);
  if (number == SIGNAL_CHANNEL_CLOSED) {
    if (!is_ending(guard)) end_broken(guard);
    return;
  }
  kill(guard->child, number);
}

// All but the child, which is reaped last.
static void reap_orphans(const struct guard *guard) {
  siginfo_t information;
  for (;;) {
    information.si_pid = 0;
    if (waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) != 0 || information.si_pid == 0) return;
    if (information.si_pid == guard->child) return;
    waitpid(information.si_pid, NULL, WNOHANG);
  }
}

static _Noreturn void watch(struct guard *guard) {
  for (;;) {
    struct pollfd polled[2] = {{guard->signals, POLLIN, 0}, {guard->control, POLLRDHUP, 0}};
    poll(polled, 2, -1);
    struct signalfd_siginfo information;
    while (read(guard->signals, &information, sizeof information) > 0) obey(guard, (int)information.ssi_signo);
    // After the news of it was read: what comes later wakes the next poll.
    if (has_ended(guard->child)) end(guard);
    if (polled[1].revents != 0) end_broken(guard);
    reap_orphans(guard);
  }
}

// It holds nothing of what its child has, but the end of `control`: else the ends of pipes would not be seen.
static int prepare(struct guard *guard, const sigset_t *signals) {
  guard->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
  guard->control = fcntl(guard->control, F_DUPFD_CLOEXEC, 3);
  return guard->signals < 0 || guard->control < 0 ? -1 : 0;
}

static void let_go(const struct guard *guard) {
  prctl(PR_SET_NAME, "plugin-guard");
  for (int descriptor = 0; descriptor < 16; descriptor++)
    if (descriptor != guard->signals && descriptor != guard->control) close(descriptor);
}

// ---------- the child ----------

static int become_child(const struct guard *guard, pid_t parent) {
  close(guard->signals);
  close(guard->control);
  setpgid(0, 0);
  // Only where somebody kills the guard itself.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(guard->broken);
  // What a job has started stays below this process, so that it can be found when the job is over.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, NULL);
}

int host_divide(int control, int broken) {
  struct guard guard = {.control = control, .broken = broken, .can_look = host_can_look()};
  sigset_t all;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, NULL) != 0 || prepare(&guard, &all) != 0) return -1;
  if (prctl(PR_SET_PDEATHSIG, SIGNAL_END) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return -1;
  pid_t self = getpid();
  guard.child = fork();
  if (guard.child < 0) return -1;
  if (guard.child == 0) return become_child(&guard, self);
  let_go(&guard);
  watch(&guard);
}
