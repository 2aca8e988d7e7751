/* Output to the serial line, for compilers that come without a C library. */
#ifndef STDIO_H
#define STDIO_H

#include <stddef.h>

int putchar(int character);
int puts(const char *text);
/* Knows %d %i %u %x %X %c %s %% with the flags 0 and -, a width, and l. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
