/* From the camera's lines to the network's input, in the numbers that training made of the same picture. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

#include "resample.h" /* FRAME_COLUMNS, FRAME_ROWS: the camera's frame */

/* Takes one line of the frame: FRAME_COLUMNS pixels of red, green, blue and a byte without meaning. */
void add_line(int row, const uint8_t *pixels);

/* Writes the picture of the last FRAME_ROWS lines to the accelerator's data memory. */
void write_input(void);

#endif
