/* Power of the accelerator's four quadrants, one bit each (docs/hardware.md, Registers). */
#ifndef GCFR_REGS_H
#define GCFR_REGS_H

#include <stdint.h>

typedef struct {
  volatile uint32_t reg0; /* power */
  volatile uint32_t reg1; /* memory */
  volatile uint32_t reg2; /* isolation */
  volatile uint32_t reg3; /* reset */
} mxc_gcfr_regs_t;
#define MXC_GCFR ((mxc_gcfr_regs_t *) 0x40005800)

#endif
