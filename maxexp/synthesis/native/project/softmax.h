/* Probabilities of classes in integer arithmetic. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

#include <stdint.h>

#define SOFTMAX_ONE 32768u

/*
 * outputs: of the network; the unit of a logit is 2^exponent of an output.
 * probabilities: in units of 1 / SOFTMAX_ONE; they are off by less than 0.1 percent.
 */
void softmax(const int32_t *outputs, int count, int exponent, uint16_t *probabilities);

#endif
