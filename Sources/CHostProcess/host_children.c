#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host_process.h"

int host_can_look(void) {
  char self[32] = "";
  return readlink("/proc/self", self, sizeof self - 1) > 0 && strtol(self, NULL, 10) == getpid();
}

static int add_listed(FILE *list, pid_t *found, int count, int capacity) {
  long child;
  while (count < capacity && fscanf(list, "%ld", &child) == 1) found[count++] = (pid_t)child;
  fclose(list);
  return count;
}

// Of a kernel without CONFIG_PROC_CHILDREN.
static int children_by_parent(pid_t process, pid_t *found, int capacity) {
  DIR *all = opendir("/proc");
  if (!all) return -1;
  int count = 0;
  for (struct dirent *entry; count < capacity && (entry = readdir(all));) {
    char path[300];
    long parent = 0;
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE *file = fopen(path, "re");
    if (!file) continue;
    // The name between the parentheses may hold anything but is at most 15 bytes, and the state follows the last one.
    char line[512] = "";
    size_t length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    while (length > 0 && line[length] != ')') length--;
    if (sscanf(line + length, ") %*c %ld", &parent) == 1 && parent == process)
      found[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
  }
  closedir(all);
  return count;
}

int host_children(pid_t process, pid_t *found, int capacity) {
  if (!host_can_look()) return -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *threads = opendir(path);
  if (!threads) return -1;
  int count = 0, lists = 0;
  for (struct dirent *entry; (entry = readdir(threads));) {
    char list_path[400];
    if (entry->d_name[0] == '.') continue;
    snprintf(list_path, sizeof list_path, "%s/%s/children", path, entry->d_name);
    FILE *list = fopen(list_path, "re");
    if (!list) continue;
    lists++;
    count = add_listed(list, found, count, capacity);
  }
  closedir(threads);
  return lists > 0 ? count : children_by_parent(process, found, capacity);
}
