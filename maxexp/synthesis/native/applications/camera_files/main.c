/*
 * The board's camera (OVM7692) takes a picture, the network says what it shows, again and again.
 *
 * Pixels come line by line, four bytes each: red, green, blue, nothing. The picture is made smaller as in training.
 */
#include <stdio.h>

#include "board.h"
#include "camera.h"
#include "mxc.h"
#include "network.h"
#include "picture.h"
#include "run.h"

#define CAMERA_HZ (5 * 1000 * 1000)
#define CLOCK_PRESCALER 0x11 /* register of the camera; 0 keeps up with the lines */

static int start_camera(void) {
  MXC_Delay(MSEC(200)); /* until the power supply is up */
  Camera_Power(POWER_ON);
  MXC_DMA_Init();
  int channel = MXC_DMA_AcquireChannel();
  if (camera_init(CAMERA_HZ) != STATUS_OK)
    return STATUS_ERROR;
  int status = camera_setup(FRAME_COLUMNS, FRAME_ROWS, PIXFORMAT_RGB888, FIFO_THREE_BYTE, STREAMING_DMA, channel);
  camera_write_reg(CLOCK_PRESCALER, 0);
  return status;
}

/* Returns the number of lines that came too fast. */
static unsigned take_picture(void) {
  camera_start_capture_image();
  for (int row = 0; row < FRAME_ROWS; row++) {
    uint8_t *line;
    while ((line = get_camera_stream_buffer()) == NULL && !camera_is_image_rcv()) {
    }
    if (line == NULL)
      break;
    add_line(row, line);
    release_camera_stream_buffer();
  }
  return get_camera_stream_statistic()->overflow_count;
}

int main(void) {
  prepare_network();
  if (start_camera() != STATUS_OK) {
    printf("*** FAIL: the camera does not answer ***\n");
    for (;;) {
    }
  }
  printf("*** %s: camera ready ***\n", CNN_NAME);
  for (;;) {
    unsigned lost = take_picture();
    if (lost > 0) {
      printf("Disturbed: %u lines of the picture came too fast\n", lost);
      continue;
    }
    write_input();
    run_network();
  }
}
