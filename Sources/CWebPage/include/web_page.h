// The files of the web page, embedded into the program.
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include <stddef.h>

typedef struct {
  const char *path;         // in the URL
  const char *content_type; // for the header
  const unsigned char *bytes;
  size_t count;
} web_file;

// Static, both.
const web_file *web_files(void);
size_t web_file_count(void);

#endif
