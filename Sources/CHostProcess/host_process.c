#define _GNU_SOURCE
#include "host_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef CT_SWIFT_VERSION
#error "the package manifest defines CT_SWIFT_VERSION from its compiler"
#endif

int host_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

int host_forbid_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

uint32_t host_swift_version(void) { return CT_SWIFT_VERSION; }

int host_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int host_close_from(posix_spawn_file_actions_t *actions, int lowest) {
  return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}
