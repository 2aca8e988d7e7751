/*
 * Inputs come over the serial line, results go back as text, again and again.
 *
 * A request: "ICNN", then little-endian words: those of the input arrays one after the other, and their sum.
 * The answer is one line: the class, its probability and name, and the time of the inference.
 */
#include <stdio.h>

#include "cnn.h"
#include "input.h"
#include "mxc.h"
#include "run.h"

#define REQUEST 0x4e4e4349u /* "ICNN" */

static uint8_t receive_byte(void) { return (uint8_t) MXC_UART_ReadCharacter(MXC_UART0); }

static uint32_t receive_word(void) {
  uint32_t word = 0;
  for (int shift = 0; shift < 32; shift += 8)
    word |= (uint32_t) receive_byte() << shift;
  return word;
}

/* Whatever was lost or disturbed before: the next request is found by its first word. */
static void wait_for_request(void) {
  uint32_t last = 0;
  while (last != REQUEST)
    last = last >> 8 | (uint32_t) receive_byte() << 24;
}

static uint32_t receive_array(volatile uint32_t *to, unsigned words) {
  uint32_t sum = 0;
  for (; words > 0; words--) {
    uint32_t word = receive_word();
    *to++ = word;
    sum += word;
  }
  return sum;
}

int main(void) {
  prepare_network();
  printf("*** %s: ready for inputs ***\n", CNN_NAME);
  for (;;) {
    uint32_t sum = 0;
    wait_for_request();
#define RECEIVE(address, words) sum += receive_array((volatile uint32_t *) address, words);
    INPUT_ARRAYS(RECEIVE)
    if (receive_word() == sum)
      run_network();
    else
      printf("Disturbed: the sum of the words is not the one that came; send the input again\n");
  }
}
