/*
 * Known-answer test: the network gets the sample input, and its outputs are compared with the integer network's.
 *
 * For an application of your own, replace load_input() by what writes your input, and leave check_output() out;
 * board.application=serial or camera has maxexp write one.
 */
#include <stdio.h>

#include "cnn.h"
#include "mxc.h"
#include "outputs.h"
#include "sampledata.h"
#include "sampleoutput.h"

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

static void print_outputs(const int32_t *outputs) {
#ifdef CNN_CLASSES
  printf("Classification results:\n");
  for (int i = 0; i < CNN_NUM_OUTPUTS; i++) {
    score_t score = score_of(i);
    printf("[%7d] -> Class %d: %u.%u%% %s\n", (int) outputs[i], i, score.permille / 10, score.permille % 10,
           score.name);
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
    __WFE(); /* and not wfi: an interrupt just before it would be slept through */

  if (check_output() != CNN_OK) {
    printf("\n*** FAIL ***\n\n");
    for (;;) {
    }
  }
  const int32_t *outputs = unload_outputs();
  cnn_disable();
  printf("\n*** PASS ***\n\n");
  printf("Approximate inference time: %u us\n\n", (unsigned) cnn_time);
  print_outputs(outputs);
  return 0;
}
