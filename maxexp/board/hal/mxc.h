/*
 * The part of a MAX78000's hardware that synthesized firmware uses, under the names that it uses.
 * Written from the part's register map (docs/hardware.md, Registers and the maker's public register headers).
 */
#ifndef MXC_H
#define MXC_H

#include <stdint.h>

/* System clocks and power. */
typedef struct {
  volatile uint32_t sysctrl, rst0, clkctrl, pm, reserved0[2], pclkdiv, reserved1[2], pclkdis0, memctrl;
} mxc_gcr_regs_t;
#define MXC_GCR ((mxc_gcr_regs_t *) 0x40000000)
#define MXC_F_GCR_PCLKDIV_CNNCLKDIV (7u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV2 (0u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV4 (1u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV8 (2u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV16 (3u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1 (4u << 14)
#define MXC_F_GCR_PCLKDIV_CNNCLKSEL (1u << 17)
#define MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK (0u << 17)

typedef enum { MXC_SYS_CLOCK_IPO } mxc_sys_system_clock_t; /* 100 MHz */
int MXC_SYS_Clock_Select(mxc_sys_system_clock_t clock);
void SystemCoreClockUpdate(void);

typedef enum {
  MXC_SYS_PERIPH_CLOCK_GPIO0 = 0,
  MXC_SYS_PERIPH_CLOCK_UART0 = 9,
  MXC_SYS_PERIPH_CLOCK_TMR0 = 15,
  MXC_SYS_PERIPH_CLOCK_CNN = 25
} mxc_sys_periph_clock_t; /* bits of pclkdis0 */
void MXC_SYS_ClockEnable(mxc_sys_periph_clock_t clock);
void MXC_SYS_ClockDisable(mxc_sys_periph_clock_t clock);

/* Instruction cache. */
typedef struct {
  volatile uint32_t info, sz, reserved0[62], ctrl, reserved1[383], invalidate;
} mxc_icc_regs_t;
#define MXC_ICC0 ((mxc_icc_regs_t *) 0x4002a000)
void MXC_ICC_Enable(mxc_icc_regs_t *cache);

/* Interrupts and sleep. */
typedef enum { CNN_IRQn = 101 } IRQn_Type;
void MXC_NVIC_SetVector(IRQn_Type interrupt, void (*handler)(void));
void MXC_LP_EnterSleepMode(void);
#define __WFI() __asm volatile("wfi")
#define __WFE() __asm volatile("wfe" ::: "memory")
#define __enable_irq() __asm volatile("cpsie i" ::: "memory")

/* Waiting, in microseconds. */
#define SEC(s) ((uint32_t) (s) * 1000000u)
#define MSEC(ms) ((uint32_t) (ms) * 1000u)
#define USEC(us) ((uint32_t) (us))
int MXC_Delay(uint32_t microseconds);

/* Stopwatch on a timer. */
typedef struct {
  volatile uint32_t cnt, cmp, pwm, intfl, ctrl0, nolcmp, ctrl1, wkfl;
} mxc_tmr_regs_t;
#define MXC_TMR0 ((mxc_tmr_regs_t *) 0x40010000)
void MXC_TMR_SW_Start(mxc_tmr_regs_t *timer);
unsigned int MXC_TMR_SW_Stop(mxc_tmr_regs_t *timer); /* microseconds since the start */

/* The serial line. */
typedef struct {
  volatile uint32_t ctrl, status, int_en, int_fl, clkdiv, osr, txpeek, pnr, fifo;
} mxc_uart_regs_t;
#define MXC_UART0 ((mxc_uart_regs_t *) 0x40042000)
int MXC_UART_ReadCharacter(mxc_uart_regs_t *uart); /* waits for a byte */

/* Pins and LEDs. */
typedef struct {
  volatile uint32_t en0, en0_set, en0_clr, outen, outen_set, outen_clr, out, out_set, out_clr, in;
  volatile uint32_t reserved[16], en1, en1_set, en1_clr, en2, en2_set, en2_clr;
} mxc_gpio_regs_t;
#define MXC_GPIO0 ((mxc_gpio_regs_t *) 0x40008000)
#define MXC_GPIO2 ((mxc_gpio_regs_t *) 0x40080400)
#define MXC_GPIO_PIN_0 (1u << 0)
#define MXC_GPIO_PIN_1 (1u << 1)
#define MXC_GPIO_PIN_2 (1u << 2)
#define MXC_GPIO_PIN_3 (1u << 3)
#define MXC_GPIO_PIN_4 (1u << 4)
#define MXC_GPIO_PIN_5 (1u << 5)
#define MXC_GPIO_PIN_6 (1u << 6)
#define MXC_GPIO_PIN_7 (1u << 7)
typedef enum { MXC_GPIO_FUNC_OUT } mxc_gpio_func_t;
typedef enum { MXC_GPIO_PAD_NONE } mxc_gpio_pad_t;
typedef struct {
  mxc_gpio_regs_t *port;
  uint32_t mask;
  mxc_gpio_func_t func;
  mxc_gpio_pad_t pad;
} mxc_gpio_cfg_t;
int MXC_GPIO_Config(const mxc_gpio_cfg_t *config);
void MXC_GPIO_OutSet(mxc_gpio_regs_t *port, uint32_t mask);
void MXC_GPIO_OutClr(mxc_gpio_regs_t *port, uint32_t mask);
void LED_On(unsigned int index);
void LED_Off(unsigned int index);

#endif
