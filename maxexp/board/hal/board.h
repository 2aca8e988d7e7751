/* What the pieces of the hardware layer know of one another. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

extern uint32_t SystemCoreClock; /* Hz; peripherals run at half of it */

void board_init(void);
void board_use_ram_vectors(void);
void serial_init(void);
void serial_write(char byte);
uint8_t serial_read(void); /* waits for a byte */

#endif
