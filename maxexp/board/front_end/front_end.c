#include "front_end.h"

#include <string.h>

#define PROCESSORS 64

static int32_t clipped(int32_t value, int32_t highest) {
  return value > highest ? highest : value < -highest - 1 ? -highest - 1 : value;
}

/* y(n) = x(n) - x(n-1) + 0.995 y(n-1). */
static int32_t high_pass(front_end_t *state, int32_t sample) {
  int32_t kept = (FRONT_END_FEEDBACK * state->output + (1 << 14)) >> 15;
  state->output = clipped(sample - state->input + kept, INT16_MAX);
  state->input = sample;
  return state->output;
}

/* Returns 1 where the chunk completes the clip. */
static int add_chunk(front_end_t *state, uint32_t loudness) {
  memcpy(state->before + state->oldest, state->chunk, sizeof state->chunk);
  state->oldest = (state->oldest + FRONT_END_CHUNK) % (int) sizeof state->before;
  if (state->length == 0) {
    if (loudness >= FRONT_END_LOUD) {
      int newer = (int) sizeof state->before - state->oldest;
      memcpy(state->clip, state->before + state->oldest, (uint32_t) newer);
      memcpy(state->clip + newer, state->before, (uint32_t) state->oldest);
      state->length = sizeof state->before;
      state->quiet = 0;
    }
    return 0;
  }
  memcpy(state->clip + state->length, state->chunk, sizeof state->chunk);
  state->length += FRONT_END_CHUNK;
  state->quiet = loudness < FRONT_END_QUIET && state->length >= FRONT_END_SAMPLES / 3 ? state->quiet + 1 : 0;
  if (state->quiet > FRONT_END_PATIENCE) {
    memset(state->clip + state->length, 0, (uint32_t) (FRONT_END_SAMPLES - state->length));
    state->length = FRONT_END_SAMPLES;
  }
  if (state->length < FRONT_END_SAMPLES)
    return 0;
  state->length = 0;
  return 1;
}

int front_end_add(front_end_t *state, int32_t sample) {
  int32_t y = high_pass(state, sample);
  if (state->settled < FRONT_END_SETTLE) {
    state->settled++;
    return 0;
  }
  state->magnitudes += (uint32_t) (y < 0 ? -y : y);
  state->chunk[state->filled++] = (int8_t) clipped(y * FRONT_END_GAIN / 256, INT8_MAX);
  if (state->filled < FRONT_END_CHUNK)
    return 0;
  uint32_t loudness = state->magnitudes / FRONT_END_CHUNK;
  state->filled = 0;
  state->magnitudes = 0;
  return add_chunk(state, loudness);
}

void front_end_load(const front_end_t *state, int first, volatile uint32_t *memory) {
  for (int at = first; at < FRONT_END_SAMPLES; at += PROCESSORS) {
    uint32_t word;
    memcpy(&word, state->clip + at, sizeof word);
    *memory++ = word;
  }
}
