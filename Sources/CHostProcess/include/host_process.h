// What Swift cannot say itself: calls with variable arguments, calls of GNU only, and the version of its own compiler.
#ifndef CARBONTUBE_HOST_PROCESS_H
#define CARBONTUBE_HOST_PROCESS_H

#include <spawn.h>
#include <stdint.h>

/// Has the kernel send `signal` to this process when the thread that spawned it ends. 0, or -1 and errno.
int host_die_with_parent(int signal);

/// From now on no exec in this process or below gains privileges. 0, or -1 and errno.
int host_forbid_new_privileges(void);

/// The Swift version this program was built with, 603 for Swift 6.3: what a plugin's note is compared with.
uint32_t host_swift_version(void);

/// A pipe whose ends do not survive an exec, from the first moment on. 0, or -1 and errno.
int host_pipe(int ends[2]);

/// The spawned process closes every descriptor from `lowest` on. 0, or an error number.
int host_close_from(posix_spawn_file_actions_t *actions, int lowest);

#endif
