/* UART0, which the boards' debugger shows as a USB serial port: 115200 baud, 8N1. */
#include "board.h"
#include "mxc.h"

#define UART0_PINS 3u /* P0.0 receives, P0.1 transmits, as their alternate function 1 */

#define BAUD 115200u
#define IBRO_HZ 7372800u
#define CTRL_RX_THRESHOLD_1 1u
#define CTRL_8_BITS (3u << 10)
#define CTRL_CLOCK_ON (1u << 15)
#define CTRL_CLOCK_IBRO (2u << 16)
#define CTRL_CLOCK_READY (1u << 19)
#define STATUS_RX_EMPTY (1u << 4)
#define STATUS_TX_FULL (1u << 7)

void serial_init(void) {
  MXC_SYS_ClockEnable(MXC_SYS_PERIPH_CLOCK_UART0);
  MXC_GPIO0->en1_clr = UART0_PINS;
  MXC_GPIO0->en2_clr = UART0_PINS;
  MXC_GPIO0->en0_clr = UART0_PINS;
  MXC_UART0->clkdiv = IBRO_HZ / BAUD;
  MXC_UART0->ctrl = CTRL_RX_THRESHOLD_1 | CTRL_8_BITS | CTRL_CLOCK_IBRO | CTRL_CLOCK_ON;
  while (!(MXC_UART0->ctrl & CTRL_CLOCK_READY)) {
  }
}

void serial_write(char byte) {
  while (MXC_UART0->status & STATUS_TX_FULL) {
  }
  MXC_UART0->fifo = (uint8_t) byte;
}

void serial_write_text(char character) {
  if (character == '\n')
    serial_write('\r');
  serial_write(character);
}

int MXC_UART_ReadCharacter(mxc_uart_regs_t *uart) {
  while (uart->status & STATUS_RX_EMPTY) {
  }
  return (uint8_t) uart->fifo;
}

uint8_t serial_read(void) { return (uint8_t) MXC_UART_ReadCharacter(MXC_UART0); }
