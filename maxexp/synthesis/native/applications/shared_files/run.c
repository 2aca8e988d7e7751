#include "run.h"

#include <stdio.h>

#include "cnn.h"
#include "mxc.h"
#include "outputs.h"

volatile uint32_t cnn_time;

void prepare_network(void) {
  MXC_ICC_Enable(MXC_ICC0); /* instruction cache */
  MXC_SYS_Clock_Select(MXC_SYS_CLOCK_IPO); /* 100 MHz */
  SystemCoreClockUpdate();
  MXC_Delay(SEC(2)); /* for a debugger: it cannot stop a processor that sleeps, so do not leave this out */
  cnn_enable(MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK, MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1); /* 50 MHz */
  cnn_init();
  cnn_load_weights();
  cnn_load_bias();
  cnn_configure();
}

static void print_result(const int32_t *outputs) {
#ifdef CNN_CLASSES
  int best = 0;
  for (int i = 1; i < CNN_NUM_OUTPUTS; i++)
    best = outputs[i] > outputs[best] ? i : best;
  score_t score = score_of(best);
  printf("Class %d: %u.%u%% %s", best, score.permille / 10, score.permille % 10, score.name);
#else
  printf("Outputs:");
  for (int i = 0; i < CNN_NUM_OUTPUTS; i++)
    printf(" %d", (int) outputs[i]);
#endif
  printf(" (%u us)\n", (unsigned) cnn_time);
}

void run_network(void) {
  cnn_start();
  while (cnn_time == 0)
    __WFE(); /* and not wfi: an interrupt just before it would be slept through */
  print_result(unload_outputs());
}
