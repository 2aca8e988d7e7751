/* Sizes and NULL, for compilers that come without a C library; nothing is allocated. */
#ifndef STDLIB_H
#define STDLIB_H

#include <stddef.h>

#endif
