/*
 * Known-answer test: the network gets the sample input, and its outputs are compared with the integer network's.
 *
 * For an application, replace load_input() by what writes your own input, and leave check_output() out.
 */
#include <stdio.h>

#include "cnn.h"
#include "mxc.h"
#include "sampledata.h"
#include "sampleoutput.h"
#include "softmax.h"

volatile uint32_t cnn_time;

/* An array of words for each data memory that the input is in, and the address of that memory. */
#define DECLARE_INPUT(number, address) static const uint32_t input_##number[] = SAMPLE_INPUT_##number;
#define LOAD_INPUT(number, address) memcpy32((uint32_t *) address, input_##number, sizeof input_##number / 4);
CNN_INPUTS(DECLARE_INPUT)

static void load_input(void) { CNN_INPUTS(LOAD_INPUT) }

/* Blocks of address, mask, number of words, words. */
static const uint32_t sample_output[] = SAMPLE_OUTPUT;

static int check_output(void) {
  for (const uint32_t *block = sample_output; *block != 0;) {
    volatile uint32_t *at = (volatile uint32_t *) *block++;
    uint32_t mask = *block++, words = *block++;
    for (uint32_t i = 1; i <= words; i++, at++, block++)
      if ((*at & mask) != *block) {
        printf("Data mismatch (%u/%u) at address 0x%08x: Expected 0x%08x, read 0x%08x.\n", (unsigned) i,
               (unsigned) words, (unsigned) (uintptr_t) at, (unsigned) *block, (unsigned) (*at & mask));
        return CNN_FAIL;
      }
  }
  return CNN_OK;
}

static int32_t outputs[CNN_NUM_OUTPUTS];

static void unload_outputs(void) {
  cnn_unload((uint32_t *) outputs);
#if CNN_OUTPUT_BYTES == 1
  /* From the last on, for the bytes begin where the first number will be. */
  for (int i = CNN_NUM_OUTPUTS - 1; i >= 0; i--)
    outputs[i] = ((int8_t *) outputs)[i];
#endif
}

static void print_outputs(void) {
#ifdef CNN_CLASSES
  static const char *const classes[CNN_NUM_OUTPUTS] = CNN_CLASSES;
  static uint16_t probabilities[CNN_NUM_OUTPUTS];
  softmax(outputs, CNN_NUM_OUTPUTS, CNN_OUTPUT_EXPONENT, probabilities);
  printf("Classification results:\n");
  for (int i = 0; i < CNN_NUM_OUTPUTS; i++) {
    int permille = (int) ((1000u * probabilities[i] + SOFTMAX_ONE / 2) / SOFTMAX_ONE);
    printf("[%7d] -> Class %d: %d.%d%% %s\n", (int) outputs[i], i, permille / 10, permille % 10, classes[i]);
  }
#else
  printf("Outputs:\n");
  for (int i = 0; i < CNN_NUM_OUTPUTS; i++)
    printf("[%7d]\n", (int) outputs[i]);
#endif
}

int main(void) {
  MXC_ICC_Enable(MXC_ICC0); /* instruction cache */
  MXC_SYS_Clock_Select(MXC_SYS_CLOCK_IPO); /* 100 MHz */
  SystemCoreClockUpdate();
  printf("Waiting...\n");
  MXC_Delay(SEC(2)); /* for a debugger: it cannot stop a processor that sleeps, so do not leave this out */

  printf("\n*** CNN Inference Test %s ***\n", CNN_NAME);
  cnn_enable(MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK, MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1); /* 50 MHz */
  cnn_init();
  cnn_load_weights();
  cnn_load_bias();
  cnn_configure();
  load_input();
  cnn_start();
  while (cnn_time == 0)
    MXC_LP_EnterSleepMode();

  if (check_output() != CNN_OK) {
    printf("\n*** FAIL ***\n\n");
    for (;;) {
    }
  }
  unload_outputs();
  cnn_disable();
  printf("\n*** PASS ***\n\n");
  printf("Approximate inference time: %u us\n\n", (unsigned) cnn_time);
  print_outputs();
  return 0;
}
