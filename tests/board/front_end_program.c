/*
 * A recording comes over the serial line, chunk by chunk; each clip that the front end finds is computed by the network.
 *
 * Request: 128 samples of 16 bits. Answer: a byte, 0 or, with a clip, 1 and then its bytes and the network's outputs.
 */
#include <stdio.h>

#include "board.h"
#include "cnn.h"
#include "front_end.h"
#include "mxc.h"

volatile uint32_t cnn_time;
static front_end_t front_end;
static int32_t outputs[CNN_NUM_OUTPUTS];

#define LOAD(first, address) front_end_load(&front_end, first, (volatile uint32_t *) address);

static int16_t receive(void) {
  int low = serial_read();
  return (int16_t) (low | serial_read() << 8);
}

static void send(const void *data, int size) {
  for (int i = 0; i < size; i++)
    serial_write(((const char *) data)[i]);
}

int main(void) {
  MXC_SYS_Clock_Select(MXC_SYS_CLOCK_IPO);
  cnn_enable(MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK, MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1);
  cnn_init();
  cnn_load_weights();
  cnn_load_bias();
  cnn_configure();
  for (;;) {
    char found = 0;
    for (int i = 0; i < FRONT_END_CHUNK; i++)
      found |= (char) front_end_add(&front_end, receive());
    send(&found, 1);
    if (!found)
      continue;
    send(front_end.clip, sizeof front_end.clip);
    CNN_INPUTS(LOAD)
    cnn_start();
    while (cnn_time == 0)
      MXC_LP_EnterSleepMode();
    cnn_unload((uint32_t *) outputs);
    send(outputs, sizeof outputs);
  }
}
