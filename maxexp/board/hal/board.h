/* What the pieces of the hardware layer know of one another. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

extern uint32_t SystemCoreClock; /* Hz; peripherals run at half of it */

void board_init(void);
void board_use_ram_vectors(void);
void serial_init(void);
void serial_write(char byte);
void serial_write_text(char character); /* line ends as terminals want them */
uint8_t serial_read(void); /* waits for a byte */

#endif
