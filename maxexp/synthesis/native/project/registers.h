/* The registers of the accelerator's layers by number, and how layers.h lists them. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

enum {
  REG_ROWS = 0,                 /* of the input with its padding, minus 1; padding from bit 16 */
  REG_COLUMNS = 1,              /* likewise */
  REG_KERNEL_FORM = 2,          /* length, first byte in its column, element-wise sum */
  REG_POOL_ROWS = 3,            /* of the window, minus 1 */
  REG_POOL_COLUMNS = 4,         /* likewise */
  REG_POOL_STRIDE = 5,          /* minus 1 */
  REG_WRITE_START = 6,          /* word in a data memory, and which memory from bit 13 */
  REG_WRITE_SLOT_STEP = 7,      /* words from a time slot to the next */
  REG_WRITE_INSTANCE_STEP = 8,  /* words from a data memory to the next */
  REG_WRITE_PASS_STEP = 9,      /* words from an output pass to the next */
  REG_READ_START = 10,          /* word in the data memories */
  REG_LAYER_CONTROL = 11,       /* pooling, ReLU, 32-bit output; quadrants whose sums are added from bit 12 */
  REG_KERNEL_RANGE = 12,        /* last kernel; first kernel from bit 16; in eighths */
  REG_LINE_BUFFER = 13,         /* last entry */
  REG_PROCESSORS = 14,          /* of the input in a quadrant; those with kernels from bit 16 */
  REG_POST_PROCESSING = 15,     /* first bias, output shift, bits of a weight */
  REG_OUTPUT_STEPS = 20,        /* input passes, output passes, output channels of a pass */
};

/* One value in the quadrants whose bits are set. */
typedef struct {
  uint8_t layer, number, quadrants;
  uint32_t value;
} layer_register_t;

#endif
