/* The network's outputs, and what they mean. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include <stdint.h>

#include "network.h"

/* CNN_NUM_OUTPUTS numbers by channel, row and column, read from the accelerator; valid until the next call. */
const int32_t *unload_outputs(void);

#ifdef CNN_CLASSES
typedef struct {
  const char *name;
  int32_t output;
  unsigned permille; /* probability */
} score_t;

/* The score of one class after unload_outputs(). */
score_t score_of(int number);
#endif

#endif
