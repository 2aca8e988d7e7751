/*
 * A camera for a board without one, under the names of the SDK's driver: frames come over the serial line.
 *
 * Each frame is announced by the firmware with FRAME_WANTED on a line; then its pixels are read, three bytes each
 * (red, green, blue), row by row.
 */
#ifndef CAMERA_H
#define CAMERA_H

#include <stddef.h>
#include <stdint.h>

#define STATUS_OK 0
#define STATUS_ERROR (-1)
#define FRAME_WANTED "*** frame, please ***"

typedef enum { PIXFORMAT_RGB888 = 4 } pixformat_t;
typedef enum { FIFO_THREE_BYTE, FIFO_FOUR_BYTE } fifomode_t;
typedef enum { NO_DMA, USE_DMA, STREAMING_DMA } dmamode_t;
typedef struct {
  uint32_t dma_transfer_count, overflow_count;
} stream_stat_t;

enum { POWER_OFF, POWER_ON };
int Camera_Power(int on); /* of the SDK's board.h */
int MXC_DMA_Init(void);
int MXC_DMA_AcquireChannel(void);

int camera_init(uint32_t clock_hz);
int camera_setup(int columns, int rows, pixformat_t format, fifomode_t fifo, dmamode_t dma, int channel);
int camera_write_reg(uint8_t address, uint8_t value);
int camera_start_capture_image(void);
int camera_is_image_rcv(void); /* all of it was taken */
uint8_t *get_camera_stream_buffer(void); /* one line of four bytes per pixel */
void release_camera_stream_buffer(void);
stream_stat_t *get_camera_stream_statistic(void);

#endif
