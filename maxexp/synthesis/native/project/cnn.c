/* Driver of the CNN accelerator: the same for every network, which is described in network.h, layers.h, weights.h. */
#include "cnn.h"

#include "gcfr_regs.h"
#include "layers.h"
#include "weights.h"

#define QUADRANTS 4u
#define QUADRANT(q) (0x50100000u + 0x400000u * (q))
#define REGISTER(q, offset) (*(volatile uint32_t *) (QUADRANT(q) + (offset)))
#define CONTROL(q) REGISTER(q, 0x0)
#define MEMORY_TIMING(q) REGISTER(q, 0x4)
#define LAST_LAYER(q) REGISTER(q, 0x8)
#define LAYER_REGISTER(q, number, layer) REGISTER(q, 0x10 + 4u * (32u * (number) + (layer)))
#define BIASES(q) ((volatile uint32_t *) (QUADRANT(q) + 0x8000))
#define DATA(processor) (QUADRANT((processor) / 16) + 0x300000 + 0x8000 * ((processor) % 16 / 4))
#define ALWAYS_ON_CONTROL (*(volatile uint32_t *) 0x50001000)

#define CONTROL_ENABLE (1u << 0)
#define CONTROL_CLOCK (1u << 3)
#define CONTROL_FOLLOW (1u << 11) /* waits for the master, quadrant 0 */
#define CONTROL_DONE (1u << 12)
#define CONTROL_PACKED (1u << 20) /* kernels are loaded as a stream of bytes */
#define CONTROL_STOPPED (CONTROL_CLOCK | CONTROL_PACKED)
#define NORMAL_TIMING 0x40eu

#define EACH_QUADRANT(q) (unsigned q = 0; q < QUADRANTS; q++) if (CNN_QUADRANTS >> q & 1)

#define COLUMN_BYTES 9
#define KERNEL_BYTES 0x4000u /* addresses of one processor's kernels */

static void on_done(void) {
  for EACH_QUADRANT(q)
    CONTROL(q) &= ~(CONTROL_DONE | CONTROL_ENABLE);
  uint32_t time = cnn_timer_stop();
  cnn_time = time > 0 ? time : 1; /* 0 says that it still runs */
}

int cnn_enable(uint32_t clock_source, uint32_t clock_divider) {
  MXC_GCFR->reg3 = 0xf; /* reset all quadrants, */
  MXC_GCFR->reg1 = 0xf; /* memories on, */
  MXC_GCFR->reg0 = 0xf; /* power on, */
  MXC_GCFR->reg2 = 0x0; /* not isolated, */
  MXC_GCFR->reg3 = 0x0; /* reset ends */

  const uint32_t clock = MXC_F_GCR_PCLKDIV_CNNCLKDIV | MXC_F_GCR_PCLKDIV_CNNCLKSEL;
  MXC_GCR->pclkdiv = (MXC_GCR->pclkdiv & ~clock) | clock_divider | clock_source;
  MXC_SYS_ClockEnable(MXC_SYS_PERIPH_CLOCK_CNN);
  MXC_NVIC_SetVector(CNN_IRQn, on_done);
  return CNN_OK;
}

int cnn_disable(void) {
  MXC_SYS_ClockDisable(MXC_SYS_PERIPH_CLOCK_CNN);
  MXC_GCFR->reg3 = 0xf;
  MXC_GCFR->reg2 = 0xf;
  MXC_GCFR->reg0 = 0x0;
  MXC_GCFR->reg1 = 0x0;
  MXC_GCFR->reg3 = 0x0;
  return CNN_OK;
}

int cnn_init(void) {
  ALWAYS_ON_CONTROL = 0;
  for EACH_QUADRANT(q) {
    CONTROL(q) = CONTROL_STOPPED;
    MEMORY_TIMING(q) = NORMAL_TIMING;
    LAST_LAYER(q) = CNN_LAYERS - 1;
  }
  return CNN_OK;
}

/* Blocks of address, number of words, words; a byte at the address selects the first column. */
int cnn_load_weights(void) {
  for (const uint32_t *block = kernels; *block != 0;) {
    volatile uint32_t *to = (volatile uint32_t *) *block++;
    *((volatile uint8_t *) to + 1) = 1;
    for (uint32_t words = *block++; words > 0; words--)
      *to++ = *block++;
  }
  return CNN_OK;
}

/* Byte i of a block's words. */
static uint32_t kernel_byte(const uint32_t *words, uint32_t i) { return words[i / 4] >> (24 - 8 * (i % 4)) & 0xff; }

/* A column reads as its first byte, two words of the others, and zero. */
int cnn_verify_weights(void) {
  for (const uint32_t *block = kernels; *block != 0; block += 2 + block[1]) {
    uint32_t first = *block % KERNEL_BYTES / 4, columns = 4 * block[1] / COLUMN_BYTES;
    for (uint32_t column = 0; column < columns; column++) {
      volatile uint32_t *at = (volatile uint32_t *) (*block - *block % KERNEL_BYTES) + 4 * (first + column);
      uint32_t expected[3] = {0, 0, 0};
      for (uint32_t i = 0; i < COLUMN_BYTES; i++) {
        uint32_t *word = &expected[(i + 3) / 4];
        *word = *word << 8 | kernel_byte(block + 2, COLUMN_BYTES * column + i);
      }
      if (at[0] != expected[0] || at[1] != expected[1] || at[2] != expected[2])
        return CNN_FAIL;
    }
  }
  return CNN_OK;
}

int cnn_load_bias(void) {
  for EACH_QUADRANT(q)
    for (int i = 0; i < bias_counts[q]; i++)
      BIASES(q)[i] = biases[q][i];
  return CNN_OK;
}

/* Registers that are not in the table are 0 since the reset in cnn_enable(). */
int cnn_configure(void) {
  for (unsigned i = 0; i < sizeof layers / sizeof layers[0]; i++)
    for EACH_QUADRANT(q)
      if (layers[i].quadrants >> q & 1)
        LAYER_REGISTER(q, layers[i].number, layers[i].layer) = layers[i].value;
  return CNN_OK;
}

int cnn_start(void) {
  cnn_time = 0;
  for EACH_QUADRANT(q)
    CONTROL(q) = CONTROL_STOPPED | (q == 0 ? 0 : CONTROL_FOLLOW | CONTROL_ENABLE);
  cnn_timer_start();
  CONTROL(0) = CONTROL_STOPPED | CONTROL_ENABLE;
  return CNN_OK;
}

int cnn_stop(void) {
  CONTROL(0) &= ~CONTROL_ENABLE;
  return CNN_OK;
}

int cnn_continue(void) {
  cnn_time = 0;
  CONTROL(0) |= CONTROL_ENABLE;
  return CNN_OK;
}

/* Four processors share a data memory, a byte of its words each; accumulators take four words where bytes take one. */
int cnn_unload(uint32_t *outputs) {
  const uint32_t words = CNN_OUTPUT_BYTES;
  uint8_t *bytes = (uint8_t *) outputs;
  for (uint32_t channel = 0; channel < CNN_OUTPUT_CHANNELS; channel++) {
    uint32_t pass = channel / CNN_OUTPUT_PER_PASS, rank = channel % CNN_OUTPUT_PER_PASS;
    uint32_t processor = CNN_OUTPUT_PROCESSOR + rank, lane = processor % 4;
    uint32_t first = DATA(processor) + CNN_OUTPUT_OFFSET + 4 * words * pass;
    for (uint32_t pixel = 0; pixel < CNN_OUTPUT_PIXELS; pixel++) {
      volatile uint32_t *at = (volatile uint32_t *) first + words * CNN_OUTPUT_PASSES * pixel;
      if (CNN_OUTPUT_BYTES == 4)
        *outputs++ = at[lane];
      else
        *bytes++ = (uint8_t) (*at >> (8 * lane));
    }
  }
  return CNN_OK;
}

void cnn_timer_start(void) { MXC_TMR_SW_Start(MXC_TMR0); }

uint32_t cnn_timer_stop(void) { return MXC_TMR_SW_Stop(MXC_TMR0); }

void memcpy32(uint32_t *to, const uint32_t *from, int words) {
  while (words-- > 0)
    *to++ = *from++;
}
