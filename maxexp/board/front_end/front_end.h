/*
 * From the samples of a microphone, 16 kHz, to the input of a keyword network: 128 channels of 128 samples.
 *
 * A high-pass takes out the offset; 8 of 16 bits are kept. A clip begins with a loud chunk of 128 samples and holds
 * what was before it, too, the preamble; it ends early where it becomes quiet, and is filled with zeros. What is done and
 * its constants are those of the maker's demonstration (msdk, Examples/MAX78000/CNN/kws20_demo); where that wraps
 * around, this saturates. maxexp/data/front_end.py does the same in Python.
 */
#ifndef FRONT_END_H
#define FRONT_END_H

#include <stdint.h>

#define FRONT_END_CHANNELS 128
#define FRONT_END_SETTLE 10000  /* samples at the start that are only filtered: the microphone charges */
#define FRONT_END_CHUNK 128     /* samples whose loudness is taken together */
#define FRONT_END_SAMPLES 16384 /* of a clip */
#define FRONT_END_PREAMBLE 30   /* chunks, with the loud one */
#define FRONT_END_LOUD 350      /* mean magnitude of a chunk that begins a clip */
#define FRONT_END_QUIET 100     /* mean magnitude below which a chunk is quiet */
#define FRONT_END_PATIENCE 20   /* quiet chunks in turn that do not end a clip */
#define FRONT_END_FEEDBACK 32604 /* of the high-pass, in units of 2^-15: 0.995 */
#define FRONT_END_GAIN 4        /* before the lower 8 bits are dropped */

/* All zero at the start. */
typedef struct {
  int32_t input, output; /* of the high-pass, the last */
  int settled;           /* samples since the start, up to FRONT_END_SETTLE */
  int8_t chunk[FRONT_END_CHUNK];
  int filled;           /* samples of the chunk */
  uint32_t magnitudes;  /* their sum */
  int8_t before[FRONT_END_PREAMBLE * FRONT_END_CHUNK]; /* the last chunks, in a ring */
  int oldest;
  int8_t clip[FRONT_END_SAMPLES];
  int length; /* of the clip; 0 while nothing is loud */
  int quiet;  /* chunks in turn */
} front_end_t;

/* Takes the next sample, 16 bits; returns 1 where it completes the clip, which stays until the next one begins. */
int front_end_add(front_end_t *state, int32_t sample);

/* Writes the clip's channels from `first` on, four to a word, to a data memory of the accelerator: sample n of the
 * clip is in channel n % 128, at time n / 128. The 64 processors of the input hold two words of each time. */
void front_end_load(const front_end_t *state, int first, volatile uint32_t *memory);

#endif
