#include "picture.h"

#include "input.h"

/* The part of the frame that the network sees, with as many columns as its input. */
static uint8_t lines[CUT_ROWS][INPUT_COLUMNS][INPUT_CHANNELS];

/* Sums of products are in units of 2^-22; weights of a bilinear filter are not negative. */
static uint8_t rounded(uint32_t sum) { return (uint8_t) ((sum + (1u << 21)) >> 22); }

static uint8_t channel_of(const uint8_t *pixel, int channel) {
#if INPUT_CHANNELS == 1
  (void) channel;
  return (uint8_t) ((19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 0x8000u) >> 16); /* ITU-R 601 luma */
#else
  return pixel[channel];
#endif
}

void add_line(int row, const uint8_t *pixels) {
  if (row < CUT_TOP || row >= CUT_TOP + CUT_ROWS)
    return;
  const uint32_t *weights = column_weights;
  for (int column = 0; column < INPUT_COLUMNS; column++) {
    const span_t span = column_spans[column];
    const uint8_t *from = pixels + 4 * (CUT_LEFT + span.first);
    for (int channel = 0; channel < INPUT_CHANNELS; channel++) {
      uint32_t sum = 0;
      for (int i = 0; i < span.count; i++)
        sum += weights[i] * channel_of(from + 4 * i, channel);
      lines[row - CUT_TOP][column][channel] = rounded(sum);
    }
    weights += span.count;
  }
}

static uint8_t pixel_at(int row, int column, int channel, const uint32_t *weights) {
  const span_t span = row_spans[row];
  uint32_t sum = 0;
  for (int i = 0; i < span.count; i++)
    sum += weights[i] * lines[span.first + i][column][channel];
  return rounded(sum);
}

void write_input(void) {
  volatile uint32_t *input = (volatile uint32_t *) INPUT_ADDRESS;
  const uint32_t *weights = row_weights;
  for (int row = 0; row < INPUT_ROWS; row++) {
    for (int column = 0; column < INPUT_COLUMNS; column++) {
      uint32_t word = 0;
      for (int channel = 0; channel < INPUT_CHANNELS; channel++)
        word |= (uint32_t) (uint8_t) input_number(pixel_at(row, column, channel, weights)) << 8 * channel;
      *input++ = word;
    }
    weights += row_spans[row].count;
  }
}
