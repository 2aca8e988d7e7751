/*
 * A network on the CNN accelerator of the MAX78000. The functions are those of the maker's generated projects.
 *
 * Once:             cnn_enable(), cnn_init(), cnn_load_weights(), cnn_load_bias(), cnn_configure()
 * For each input:   write it to the data memories, cnn_start(), sleep while cnn_time is 0, cnn_unload()
 */
#ifndef CNN_H
#define CNN_H

#include <stdint.h>

#include "mxc.h"
#include "network.h"

#define CNN_FAIL 0
#define CNN_OK 1

/* Microseconds of the last inference; 0 while it runs. The application defines it. */
extern volatile uint32_t cnn_time;

/* Power, clock and interrupt of the accelerator, from MXC_S_GCR_PCLKDIV_CNNCLKSEL_* and ..._CNNCLKDIV_*. */
int cnn_enable(uint32_t clock_source, uint32_t clock_divider);
int cnn_disable(void);

int cnn_init(void);
int cnn_load_weights(void);
int cnn_verify_weights(void); /* reads all of them back */
int cnn_load_bias(void);
int cnn_configure(void);

int cnn_start(void);
int cnn_stop(void);
int cnn_continue(void); /* after cnn_stop() */

/* The outputs by channel, row and column: 32-bit accumulators, or bytes, of which four go into a word. */
int cnn_unload(uint32_t *outputs);

/* The stopwatch that cnn_start() and the interrupt of the accelerator use. */
void cnn_timer_start(void);
uint32_t cnn_timer_stop(void); /* microseconds */

void memcpy32(uint32_t *to, const uint32_t *from, int words);

#endif
