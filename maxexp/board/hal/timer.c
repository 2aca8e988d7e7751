/* A stopwatch: timer A and B of one timer as 32 bits, on the peripheral clock. */
#include "board.h"
#include "mxc.h"

#define CTRL0_CONTINUOUS 1u
#define CTRL0_CLOCK_ON (1u << 14)
#define CTRL0_ENABLE (1u << 15)
#define CTRL1_CLOCK_ENABLED (1u << 2)
#define CTRL1_CLOCK_READY (1u << 3)
#define CTRL1_CASCADE (1u << 31)
#define INTFL_WRITE_DONE (1u << 8)

void MXC_TMR_SW_Start(mxc_tmr_regs_t *timer) {
  MXC_SYS_ClockEnable(MXC_SYS_PERIPH_CLOCK_TMR0);
  timer->ctrl0 = 0;
  timer->ctrl1 = CTRL1_CASCADE;
  timer->ctrl0 = CTRL0_CONTINUOUS | CTRL0_CLOCK_ON;
  while (!(timer->ctrl1 & CTRL1_CLOCK_READY)) {
  }
  timer->cnt = 1; /* its lowest value */
  while (!(timer->intfl & INTFL_WRITE_DONE)) {
  }
  timer->cmp = 0xffffffff;
  timer->ctrl0 |= CTRL0_ENABLE;
  while (!(timer->ctrl1 & CTRL1_CLOCK_ENABLED)) {
  }
}

unsigned int MXC_TMR_SW_Stop(mxc_tmr_regs_t *timer) {
  uint32_t ticks = timer->cnt;
  ticks = timer->cnt; /* the first reading may be stale */
  timer->ctrl0 = 0;
  uint32_t microseconds = (uint64_t) (ticks - 1) * 1000000 / (SystemCoreClock / 2);
  return microseconds > 0 ? microseconds : 1; /* firmware takes 0 for "still running" */
}
