/* From reset to main(). */
#include <stdint.h>

#include "board.h"
#include "mxc.h"

#define VECTORS 128 /* 16 of the core, the rest of the peripherals */
#define SCB_VTOR (*(volatile uint32_t *) 0xe000ed08)
#define NVIC_ISER ((volatile uint32_t *) 0xe000e100)

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;
int main(void);

typedef void (*handler_t)(void);
static handler_t ram_vectors[VECTORS] __attribute__((aligned(512)));

static void unexpected(void) {
  for (;;) {
  }
}

void reset(void) {
  for (uint32_t *to = &data_start, *from = &data_load; to < &data_end;)
    *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;)
    *to++ = 0;
  board_use_ram_vectors();
  board_init();
  main();
  for (;;)
    __WFI();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, reset,      unexpected, unexpected, unexpected, unexpected, unexpected, unexpected,
    unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected,
};

void board_use_ram_vectors(void) {
  for (int i = 0; i < VECTORS; i++)
    ram_vectors[i] = unexpected;
  SCB_VTOR = (uint32_t) ram_vectors;
}

void MXC_NVIC_SetVector(IRQn_Type interrupt, void (*handler)(void)) {
  ram_vectors[16 + interrupt] = handler;
  NVIC_ISER[interrupt / 32] = 1u << (interrupt % 32);
}
