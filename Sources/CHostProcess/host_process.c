#define _GNU_SOURCE
#include "host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CT_SWIFT_VERSION
#error "the package manifest defines CT_SWIFT_VERSION from its compiler"
#endif

int host_forbid_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

uint32_t host_swift_version(void) { return CT_SWIFT_VERSION; }

int host_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int host_close_from(posix_spawn_file_actions_t *actions, int lowest) {
  return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

void host_print_by_lines(void) { setvbuf(stdout, NULL, _IOLBF, BUFSIZ); }

int host_open_process(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int host_has_ended(int descriptor, int blocking) {
  siginfo_t information = {0};
  int options = WEXITED | WNOWAIT | (blocking ? 0 : WNOHANG);
  int failed;
  do failed = waitid(P_PIDFD, (id_t)descriptor, &information, options);
  while (failed < 0 && errno == EINTR);
  return failed == 0 && information.si_signo != 0;
}

int host_has_children(void) {
  siginfo_t information;
  return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}
