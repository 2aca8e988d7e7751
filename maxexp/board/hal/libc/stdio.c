/* Formatted output to the serial line. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "board.h"

#define MOST_DIGITS 10 /* of 32 bits in decimal */

typedef struct {
  bool left, zeros;
  int width;
} field_t;

int putchar(int character) {
  serial_write_text((char) character);
  return character;
}

int puts(const char *text) {
  while (*text)
    putchar(*text++);
  return putchar('\n');
}

static int pad(char character, int count) {
  for (int i = 0; i < count; i++)
    putchar(character);
  return count > 0 ? count : 0;
}

/* A text of known length, after a sign that comes before zeros and behind blanks. */
static int put_field(field_t field, const char *sign, const char *text, int length) {
  int signs = (int) strlen(sign), missing = field.width - signs - length, count = signs + length;
  if (!field.left && !field.zeros)
    count += pad(' ', missing);
  for (; *sign; sign++)
    putchar(*sign);
  if (!field.left && field.zeros)
    count += pad('0', missing);
  for (int i = 0; i < length; i++)
    putchar(text[i]);
  return field.left ? count + pad(' ', missing) : count;
}

static int put_number(field_t field, const char *sign, uint32_t value, uint32_t base, const char *digits) {
  char text[MOST_DIGITS], *start = text + MOST_DIGITS;
  do {
    *--start = digits[value % base];
    value /= base;
  } while (value);
  return put_field(field, sign, start, (int) (text + MOST_DIGITS - start));
}

static int put_signed(field_t field, int32_t value) {
  uint32_t magnitude = value < 0 ? 0u - (uint32_t) value : (uint32_t) value;
  return put_number(field, value < 0 ? "-" : "", magnitude, 10, "0123456789");
}

int printf(const char *format, ...) {
  va_list values;
  int count = 0;
  va_start(values, format);
  for (; *format; format++) {
    if (*format != '%') {
      putchar(*format);
      count++;
      continue;
    }
    field_t field = {false, false, 0};
    for (format++; *format == '-' || *format == '0'; format++) {
      field.left |= *format == '-';
      field.zeros |= *format == '0';
    }
    for (; *format >= '0' && *format <= '9'; format++)
      field.width = 10 * field.width + *format - '0';
    while (*format == 'l')
      format++; /* a long has 32 bits, as an int */
    switch (*format) {
    case 'd':
    case 'i':
      count += put_signed(field, va_arg(values, int32_t));
      break;
    case 'u':
      count += put_number(field, "", va_arg(values, uint32_t), 10, "0123456789");
      break;
    case 'x':
      count += put_number(field, "", va_arg(values, uint32_t), 16, "0123456789abcdef");
      break;
    case 'X':
      count += put_number(field, "", va_arg(values, uint32_t), 16, "0123456789ABCDEF");
      break;
    case 'c': {
      char character = (char) va_arg(values, int);
      count += put_field(field, "", &character, 1);
      break;
    }
    case 's': {
      const char *text = va_arg(values, const char *);
      count += put_field(field, "", text, (int) strlen(text));
      break;
    }
    default: /* %% and what is not known */
      putchar(*format);
      count++;
    }
    if (!*format)
      break;
  }
  va_end(values);
  return count;
}
