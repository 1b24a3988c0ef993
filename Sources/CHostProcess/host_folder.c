#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_process.h"

// Folders within folders are first moved up to the top, so that neither a path nor a stack nor the number of open
// descriptors grows with the depth of what a plugin has left. Links are removed, never followed.

enum { ATTEMPTS = 4 };

static int is_folder(int parent, const struct dirent *entry) {
  if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
  struct stat found;
  return fstatat(parent, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
}

// In a folder that its maker has closed to himself nothing can be removed.
static int open_folder(int parent, const char *name) {
  int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int folder = openat(parent, name, flags);
  if (folder < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0) folder = openat(parent, name, flags);
  if (folder >= 0) fchmod(folder, 0700);
  return folder;
}

static DIR *entries_of(int folder) {
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *entries = copy < 0 ? NULL : fdopendir(copy);
  if (!entries && copy >= 0) close(copy);
  return entries;
}

static int is_itself(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

// Unlinks the files of `folder`; its folders go up to `top` under numbers that nobody has.
static void flatten(int folder, int top, unsigned long *number) {
  DIR *entries = entries_of(folder);
  if (!entries) return;
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (is_itself(entry->d_name)) continue;
    if (!is_folder(folder, entry)) {
      unlinkat(folder, entry->d_name, 0);
      continue;
    }
    // A folder can be moved only by whoever may write into it: its `..` changes.
    int inner = open_folder(folder, entry->d_name);
    if (inner >= 0) close(inner);
    char name[48];
    do snprintf(name, sizeof name, ".carbontube-emptying-%lu", ++*number);
    while (renameat2(folder, entry->d_name, top, name, RENAME_NOREPLACE) != 0 && errno == EEXIST);
  }
  closedir(entries);
}

// One pass over what lies at the top. Whether it got on, or found no folder.
static int pass(int top, unsigned long *number) {
  DIR *entries = entries_of(top);
  if (!entries) return 0;
  int folders = 0, moved = 0;
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (is_itself(entry->d_name)) continue;
    if (!is_folder(top, entry)) {
      if (unlinkat(top, entry->d_name, 0) == 0) moved = 1;
      continue;
    }
    folders++;
    int folder = open_folder(top, entry->d_name);
    if (folder < 0) continue;
    flatten(folder, top, number);
    close(folder);
    if (unlinkat(top, entry->d_name, AT_REMOVEDIR) == 0) moved = 1;
  }
  closedir(entries);
  return moved || folders == 0;
}

static int is_empty(int folder) {
  DIR *entries = entries_of(folder);
  if (!entries) return 0;
  int found = 0;
  for (struct dirent *entry; !found && (entry = readdir(entries));) found = !is_itself(entry->d_name);
  closedir(entries);
  return !found;
}

int host_empty_folder(int folder) {
  fchmod(folder, 0700);
  unsigned long number = 0;
  // A reader may pass over what is put into a folder while it reads, so that it is looked at again until nothing is found.
  for (int stuck = 0; stuck < ATTEMPTS && !is_empty(folder);) stuck += !pass(folder, &number);
  if (is_empty(folder)) return 0;
  errno = EBUSY;
  return -1;
}
