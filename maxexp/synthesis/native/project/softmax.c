#include "softmax.h"

#define LOG2_E 94548u /* log2(e) in units of 2^-16 */
#define VANISHED 17   /* 2^-17 is 0 in these units */

/* 2^-f in units of 2^-16, of f in units of 2^-16 and below 1: a cubic polynomial, off by 6 units at most. */
static uint32_t exp2_of_fraction(uint32_t f) {
  uint32_t cubic = 15158u - (f * 2597u >> 16);
  uint32_t quadratic = 45330u - (f * cubic >> 16);
  return 65536u - (f * quadratic >> 16);
}

/* e^(-d * 2^exponent) in units of 2^-16. */
static uint32_t exp_of_distance(uint32_t d, int exponent) {
  uint64_t power = (uint64_t) d * LOG2_E;
  power = exponent < 0 ? power >> -exponent : power << exponent;
  return power >> 16 >= VANISHED ? 0 : exp2_of_fraction(power & 0xffff) >> (power >> 16);
}

void softmax(const int32_t *outputs, int count, int exponent, uint16_t *probabilities) {
  int32_t largest = outputs[0];
  for (int i = 1; i < count; i++)
    largest = outputs[i] > largest ? outputs[i] : largest;
  uint32_t sum = 0;
  for (int i = 0; i < count; i++)
    sum += exp_of_distance((uint32_t) largest - (uint32_t) outputs[i], exponent);
  for (int i = 0; i < count; i++) {
    uint32_t share = exp_of_distance((uint32_t) largest - (uint32_t) outputs[i], exponent);
    probabilities[i] = (uint16_t) ((share * (uint64_t) SOFTMAX_ONE + sum / 2) / sum);
  }
}
