/*
 * In place of the synthesizer's main.c: inputs come over the serial line, outputs go back, for as long as asked.
 *
 * A request is a list of blocks, all in little-endian words: address, number of words, the words; address 0 ends
 * it. The answer: sum of all words of the request, microseconds of the inference, the outputs, sum of the answer.
 */
#include <stdio.h>

#include "board.h"
#include "mxc.h"

#include "cnn.h" /* needs what mxc.h declares */

volatile uint32_t cnn_time;
static uint32_t sum;
static int32_t ml_data[CNN_NUM_OUTPUTS]; /* last in memory by its name, see max78000.ld */

static uint32_t receive(void) {
  uint32_t word = 0;
  for (int shift = 0; shift < 32; shift += 8)
    word |= (uint32_t) serial_read() << shift;
  sum += word;
  return word;
}

static void send(uint32_t word) {
  sum += word;
  for (int shift = 0; shift < 32; shift += 8)
    serial_write((char) (word >> shift));
}

int main(void) {
  MXC_ICC_Enable(MXC_ICC0);
  MXC_SYS_Clock_Select(MXC_SYS_CLOCK_IPO);
  MXC_Delay(SEC(2)); /* for a debugger that wants to stop a program that sleeps */
  cnn_enable(MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK, MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1);
  cnn_init();
  cnn_load_weights();
  cnn_load_bias();
  cnn_configure();
  printf("*** Inference Server, %d outputs ***\n", CNN_NUM_OUTPUTS);
  for (;;) {
    uint32_t address;
    sum = 0;
    while ((address = receive()) != 0) {
      volatile uint32_t *to = (volatile uint32_t *) address;
      for (uint32_t words = receive(); words > 0; words--)
        *to++ = receive();
    }
    cnn_start();
    while (cnn_time == 0)
      MXC_LP_EnterSleepMode();
    cnn_unload((uint32_t *) ml_data);
    uint32_t request = sum;
    sum = 0;
    send(request);
    send(cnn_time);
    for (int i = 0; i < CNN_NUM_OUTPUTS; i++)
      send((uint32_t) ml_data[i]);
    send(sum);
  }
}
