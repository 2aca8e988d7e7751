#include "camera.h"

#include <stdio.h>

#include "board.h"

#define MOST_COLUMNS 640

static uint8_t line[4 * MOST_COLUMNS];
static int columns, rows, rows_left;
static stream_stat_t statistic;

int Camera_Power(int on) { return on ? STATUS_OK : STATUS_ERROR; }
int MXC_DMA_Init(void) { return 0; }
int MXC_DMA_AcquireChannel(void) { return 0; }

int camera_init(uint32_t clock_hz) { return clock_hz > 0 ? STATUS_OK : STATUS_ERROR; }

int camera_setup(int wanted_columns, int wanted_rows, pixformat_t format, fifomode_t fifo, dmamode_t dma, int channel) {
  (void) channel;
  columns = wanted_columns;
  rows = wanted_rows;
  int able = format == PIXFORMAT_RGB888 && fifo == FIFO_THREE_BYTE && dma == STREAMING_DMA;
  return able && columns <= MOST_COLUMNS ? STATUS_OK : STATUS_ERROR;
}

int camera_write_reg(uint8_t address, uint8_t value) {
  (void) address, (void) value;
  return STATUS_OK;
}

int camera_start_capture_image(void) {
  printf("%s\n", FRAME_WANTED);
  rows_left = rows;
  return STATUS_OK;
}

int camera_is_image_rcv(void) { return rows_left == 0; }

uint8_t *get_camera_stream_buffer(void) {
  if (rows_left == 0)
    return NULL;
  for (int i = 0; i < 4 * columns; i++)
    line[i] = i % 4 < 3 ? serial_read() : 0;
  rows_left--;
  statistic.dma_transfer_count++;
  return line;
}

void release_camera_stream_buffer(void) {}

stream_stat_t *get_camera_stream_statistic(void) { return &statistic; }
