// Preloaded into a program under valgrind 3.19, which does not know pidfd_open: the descriptor is opened by whoever listens
// at PROCESS_DESCRIPTORS (counted_coordinator.py) and passed over. Everything else goes to the C library.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int received(int from) {
  char byte, control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message)) return -1;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
  return descriptor;
}

static int open_elsewhere(pid_t process) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, getenv("PROCESS_DESCRIPTORS"), sizeof address.sun_path - 1);
  int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), descriptor = -1;
  if (connect(line, (struct sockaddr *)&address, sizeof address) == 0 && write(line, &process, sizeof process) > 0)
    descriptor = received(line);
  close(line);
  if (descriptor < 0) errno = ENOSYS;
  return descriptor;
}

static long (*library_syscall)(long, ...);

__attribute__((constructor)) static void find_library_syscall(void) {
  library_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long), e = va_arg(list, long),
       f = va_arg(list, long);
  va_end(list);
  if (number == SYS_pidfd_open) return open_elsewhere((pid_t)a);
  if (!library_syscall) find_library_syscall();
  return library_syscall(number, a, b, c, d, e, f);
}
