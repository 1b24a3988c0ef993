// Loads the parts of Swift's runtime that a plugin needs from where this program's own runtime lies.
#define _GNU_SOURCE
#include "host_process.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mapped_file {
  const unsigned char *bytes;
  size_t size;
};

static const void *bytes_at(const struct mapped_file *file, uint64_t offset, uint64_t count) {
  if (offset > file->size || count > file->size - offset) return NULL;
  return file->bytes + offset;
}

/// Where in the file lies what is mapped at `address`; UINT64_MAX where nothing of the file is.
static uint64_t offset_of(const Elf64_Phdr *segments, int count, uint64_t address) {
  for (int i = 0; i < count; i++) {
    const Elf64_Phdr *segment = &segments[i];
    if (segment->p_type == PT_LOAD && address >= segment->p_vaddr && address - segment->p_vaddr < segment->p_filesz)
      return segment->p_offset + (address - segment->p_vaddr);
  }
  return UINT64_MAX;
}

static int find_runtime(struct dl_phdr_info *object, size_t size, void *found) {
  (void)size;
  const char *name = strrchr(object->dlpi_name, '/');
  if (!name || strcmp(name, "/libswiftCore.so") != 0) return 0;
  size_t length = (size_t)(name - object->dlpi_name);
  if (length >= PATH_MAX) return 0;
  memcpy(found, object->dlpi_name, length);
  ((char *)found)[length] = '\0';
  return 1;
}

/// Whether the name is one of a file in a folder, as the loader looks for it on its paths.
static int is_plain_name(const char *name) { return *name && !strchr(name, '/') && strlen(name) < NAME_MAX; }

static int load_beside(const char *folder, const char *name) {
  char path[PATH_MAX];
  if (!is_plain_name(name)) return 0;
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return 0;
  // A plugin's other libraries are the loader's to find, by the plugin's own paths and the system's.
  if (access(path, R_OK) != 0) return 0;
  return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) ? 0 : -1;
}

static int load_needed(const struct mapped_file *file, const char *folder) {
  const Elf64_Ehdr *header = bytes_at(file, 0, sizeof *header);
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) return 0;
  const Elf64_Phdr *segments = bytes_at(file, header->e_phoff, (uint64_t)header->e_phnum * sizeof *segments);
  if (!segments || header->e_phentsize != sizeof *segments || header->e_phoff % _Alignof(Elf64_Phdr)) return 0;
  const Elf64_Dyn *entries = NULL;
  uint64_t count = 0, names = UINT64_MAX;
  for (int i = 0; i < header->e_phnum && !entries; i++) {
    if (segments[i].p_type != PT_DYNAMIC || segments[i].p_offset % _Alignof(Elf64_Dyn)) continue;
    entries = bytes_at(file, segments[i].p_offset, segments[i].p_filesz);
    count = segments[i].p_filesz / sizeof *entries;
  }
  for (uint64_t i = 0; entries && i < count && entries[i].d_tag != DT_NULL; i++)
    if (entries[i].d_tag == DT_STRTAB) names = offset_of(segments, header->e_phnum, entries[i].d_un.d_ptr);
  if (names >= file->size) return 0;
  for (uint64_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
    if (entries[i].d_tag != DT_NEEDED || entries[i].d_un.d_val >= file->size - names) continue;
    const char *name = (const char *)file->bytes + names + entries[i].d_un.d_val;
    if (!memchr(name, '\0', file->size - names - entries[i].d_un.d_val)) continue;
    if (load_beside(folder, name) != 0) return -1;
  }
  return 0;
}

int host_load_runtime_for(const char *plugin) {
  char folder[PATH_MAX];
  if (!dl_iterate_phdr(find_runtime, folder)) return 0;
  int descriptor = open(plugin, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  struct stat status;
  int result = 0;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    struct mapped_file file = {.size = (size_t)status.st_size};
    void *bytes = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes != MAP_FAILED) {
      file.bytes = bytes;
      result = load_needed(&file, folder);
      munmap(bytes, file.size);
    }
  }
  close(descriptor);
  return result;
}
