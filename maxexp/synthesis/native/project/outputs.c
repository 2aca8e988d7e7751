#include "outputs.h"

#include "cnn.h"
#include "softmax.h"

static int32_t outputs[CNN_NUM_OUTPUTS];

#ifdef CNN_CLASSES
static const char *const classes[CNN_NUM_OUTPUTS] = CNN_CLASSES;
static uint16_t probabilities[CNN_NUM_OUTPUTS];

score_t score_of(int number) {
  unsigned permille = (1000u * probabilities[number] + SOFTMAX_ONE / 2) / SOFTMAX_ONE;
  return (score_t) {classes[number], outputs[number], permille};
}
#endif

const int32_t *unload_outputs(void) {
  cnn_unload((uint32_t *) outputs);
#if CNN_OUTPUT_BYTES == 1
  /* From the last on, for the bytes begin where the first number will be. */
  for (int i = CNN_NUM_OUTPUTS - 1; i >= 0; i--)
    outputs[i] = ((int8_t *) outputs)[i];
#endif
#ifdef CNN_CLASSES
  softmax(outputs, CNN_NUM_OUTPUTS, CNN_OUTPUT_EXPONENT, probabilities);
#endif
  return outputs;
}
