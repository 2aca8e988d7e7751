/* Clocks, cache, waiting, sleep, pins. Unverified on silicon; the emulator runs all of it. */
#include "board.h"
#include "mxc.h"

#define CLKCTRL_DIVIDER (7u << 6)
#define CLKCTRL_SELECT (7u << 9)
#define CLKCTRL_SELECT_IPO (4u << 9)
#define CLKCTRL_READY (1u << 13)
#define CLKCTRL_IPO_ON (1u << 19)
#define CLKCTRL_IBRO_ON (1u << 20)
#define CLKCTRL_IPO_READY (1u << 27)
#define CLKCTRL_IBRO_READY (1u << 28)
#define IPO_HZ 100000000u
#define ISO_HZ 60000000u /* the clock after reset */

#define LPGCR_PCLKDIS (*(volatile uint32_t *) 0x4008000c)
#define LPGCR_PCLKDIS_GPIO2 1u
#define SIMO_VREGO_C (*(volatile uint32_t *) 0x4000440c)
#define SIMO_CNN_VOLTAGE 0x43u

#define ICC_ENABLE 1u
#define ICC_READY (1u << 16)

#define SYSTICK_CTRL (*(volatile uint32_t *) 0xe000e010)
#define SYSTICK_LOAD (*(volatile uint32_t *) 0xe000e014)
#define SYSTICK_VALUE (*(volatile uint32_t *) 0xe000e018)
#define SYSTICK_ON_CORE_CLOCK 5u
#define SYSTICK_EXPIRED (1u << 16)

#define LEDS 3u

uint32_t SystemCoreClock = ISO_HZ;

void board_init(void) {
  /* The serial line's clock does not depend on the system's. */
  MXC_GCR->clkctrl |= CLKCTRL_IBRO_ON;
  while (!(MXC_GCR->clkctrl & CLKCTRL_IBRO_READY)) {
  }
  MXC_SYS_ClockEnable(MXC_SYS_PERIPH_CLOCK_GPIO0);
  LPGCR_PCLKDIS &= ~LPGCR_PCLKDIS_GPIO2;
  serial_init();
  mxc_gpio_cfg_t leds = {MXC_GPIO2, (1u << LEDS) - 1, MXC_GPIO_FUNC_OUT, MXC_GPIO_PAD_NONE};
  MXC_GPIO_Config(&leds);
  for (unsigned int i = 0; i < LEDS; i++)
    LED_Off(i);
  SIMO_VREGO_C = SIMO_CNN_VOLTAGE;
  SystemCoreClockUpdate();
  MXC_Delay(MSEC(200)); /* until the supply of the accelerator is there */
}

int MXC_SYS_Clock_Select(mxc_sys_system_clock_t clock) {
  (void) clock;
  MXC_GCR->clkctrl |= CLKCTRL_IPO_ON;
  while (!(MXC_GCR->clkctrl & CLKCTRL_IPO_READY)) {
  }
  MXC_GCR->clkctrl = (MXC_GCR->clkctrl & ~(CLKCTRL_SELECT | CLKCTRL_DIVIDER)) | CLKCTRL_SELECT_IPO;
  while (!(MXC_GCR->clkctrl & CLKCTRL_READY)) {
  }
  SystemCoreClockUpdate();
  return 0;
}

void SystemCoreClockUpdate(void) {
  uint32_t control = MXC_GCR->clkctrl;
  uint32_t source = (control & CLKCTRL_SELECT) == CLKCTRL_SELECT_IPO ? IPO_HZ : ISO_HZ;
  SystemCoreClock = source >> ((control & CLKCTRL_DIVIDER) >> 6);
}

void MXC_SYS_ClockEnable(mxc_sys_periph_clock_t clock) { MXC_GCR->pclkdis0 &= ~(1u << clock); }

void MXC_SYS_ClockDisable(mxc_sys_periph_clock_t clock) { MXC_GCR->pclkdis0 |= 1u << clock; }

void MXC_ICC_Enable(mxc_icc_regs_t *cache) {
  cache->invalidate = 1;
  while (!(cache->ctrl & ICC_READY)) {
  }
  cache->ctrl |= ICC_ENABLE;
  while (!(cache->ctrl & ICC_READY)) {
  }
}

/* Firmware sleeps until a variable says that the accelerator is done. If its interrupt comes after the variable was
   looked at, nothing would end a wfi; wfe knows that there was an interrupt, and goes on. */
void MXC_LP_EnterSleepMode(void) { __asm volatile("wfe" ::: "memory"); }

int MXC_Delay(uint32_t microseconds) {
  /* Pieces of at most 100 ms fit the 24 bits of the system timer. */
  while (microseconds > 0) {
    uint32_t piece = microseconds < 100000 ? microseconds : 100000;
    SYSTICK_LOAD = SystemCoreClock / 1000000 * piece - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CTRL = SYSTICK_ON_CORE_CLOCK;
    while (!(SYSTICK_CTRL & SYSTICK_EXPIRED)) {
    }
    SYSTICK_CTRL = 0;
    microseconds -= piece;
  }
  return 0;
}

int MXC_GPIO_Config(const mxc_gpio_cfg_t *config) {
  config->port->outen_set = config->mask;
  config->port->en0_set = config->mask;
  return 0;
}

void MXC_GPIO_OutSet(mxc_gpio_regs_t *port, uint32_t mask) { port->out_set = mask; }

void MXC_GPIO_OutClr(mxc_gpio_regs_t *port, uint32_t mask) { port->out_clr = mask; }

/* The LEDs of MAX78000FTHR light when their pin is low. */
void LED_On(unsigned int index) { MXC_GPIO_OutClr(MXC_GPIO2, 1u << index); }

void LED_Off(unsigned int index) { MXC_GPIO_OutSet(MXC_GPIO2, 1u << index); }
