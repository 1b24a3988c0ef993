// What Swift cannot say itself: fork, calls with variable arguments, calls of GNU only, and the version of its compiler.
#ifndef CARBONTUBE_HOST_PROCESS_H
#define CARBONTUBE_HOST_PROCESS_H

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

/// From now on no exec in this process or below gains privileges. 0, or -1 and errno.
int host_forbid_new_privileges(void);

/// The Swift version this program was built with, 603 for Swift 6.3: what a plugin's note is compared with.
uint32_t host_swift_version(void);

/// Loads those libraries that `plugin`, a file that is whole and that nobody writes to, needs directly and that lie in the
/// folder of this process's libswiftCore.so, by their paths: whatever search paths the plugin carries from the machine it was
/// built on, it gets the runtime that this program has. Libraries that are not there are left to the loader. 0, or -1 where one
/// of them cannot be loaded; dlerror() then says why.
int host_load_runtime_for(const char *plugin);

/// A pipe whose ends do not survive an exec, from the first moment on. 0, or -1 and errno.
int host_pipe(int ends[2]);

/// The spawned process closes every descriptor from `lowest` on. 0, or an error number.
int host_close_from(posix_spawn_file_actions_t *actions, int lowest);

/// Standard output goes out line by line, although it is a pipe. Before the first byte is written.
void host_print_by_lines(void);

/// From now on what Swift's runtime tells of a crash in a library without frame pointers begins with the function that called
/// into it. Where the runtime tells of crashes at all; before a plugin is loaded, so that handlers of its own stay.
void host_trace_from_callers(void);

/// Gives the calling thread a stack for the handlers of signals, which tells of a crash even when its own is used up.
void host_make_room_for_handlers(void);

/// A descriptor (pidfd) that is readable once the process has ended; does not survive an exec. -1 and errno.
int host_open_process(pid_t process);

/// Whether the process behind a pidfd has ended. It stays to be waited for. Blocks until then where `blocking`.
int host_has_ended(int descriptor, int blocking);

/// Whether this process has children, ended ones that nobody has waited for among them. One system call.
int host_has_children(void);

/// Whether /proc is there and shows this process under its number. In a PID namespace that kept the /proc of another one,
/// the numbers in it are those of strangers.
int host_can_look(void);

/// Writes the living and ended children of `process` into `found`, at most `capacity`. Their number, or -1 where that cannot be
/// known.
int host_children(pid_t process, pid_t *found, int capacity);

/// Removes all that lies below `folder`, to any depth, whatever its modes; follows no link. 0, or -1 and errno where something
/// stays, a mounted file system for one. Takes time by the number of files.
int host_empty_folder(int folder);

/// What a guard is told to do.
enum host_order {
  /// Kill the child and all below it, and end.
  HOST_ORDER_END,
  /// The child's channel has closed: let a child that is ending end, kill one that lives on, and end.
  HOST_ORDER_CHANNEL_CLOSED,
};

/// Also where the guard was stopped by somebody.
void host_give_order(pid_t guard, enum host_order order);

/// Divides this process, while it has one thread: a guard stays, and the call returns in a child of it, whose group is its
/// own. The guard lives until the child has ended, it is ordered to end it, the peer of `control` or the thread that
/// spawned it is gone; then it kills every process below it, sessions of their own included, and ends as the child
/// ended. Signals are passed on to the child.
///
/// - broken: the code that the guard ends with where the child lived on without its channels.
/// 0 in the child; -1 and errno in the undivided process.
int host_divide(int control, int broken);

#endif
