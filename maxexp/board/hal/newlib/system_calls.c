/* What newlib needs of a system without files. */
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "board.h"

extern char heap_start, heap_end;

int _write(int file, const char *text, int length) {
  (void) file;
  for (int i = 0; i < length; i++)
    serial_write_text(text[i]);
  return length;
}

void *_sbrk(ptrdiff_t increment) {
  static char *end = &heap_start;
  char *block = end;
  if (end + increment > &heap_end) {
    errno = ENOMEM;
    return (void *) -1;
  }
  end += increment;
  return block;
}

/* Standard output is a terminal, so that newlib sends each line when it is complete. */
int _fstat(int file, struct stat *status) {
  (void) file;
  status->st_mode = S_IFCHR;
  return 0;
}
int _isatty(int file) {
  (void) file;
  return 1;
}
int _close(int file) {
  (void) file;
  return -1;
}
int _lseek(int file, int offset, int whence) {
  (void) file, (void) offset, (void) whence;
  return 0;
}
int _read(int file, char *to, int length) {
  (void) file, (void) to, (void) length;
  return 0;
}
