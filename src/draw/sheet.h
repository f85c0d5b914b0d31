/* sheet.h - the picture of a layer: all its channels, and what they are. */
#ifndef CX_DRAW_SHEET_H
#define CX_DRAW_SHEET_H

#include "base/file.h"
#include "draw/canvas.h"
#include "tensor/tensor.h"

/* What is drawn. All is borrowed. */
typedef struct cx_sheet {
    const char *name, *class_name; /* "conv2d_3", "Conv2D" */
    const float *data;             /* height × width × channels, channels last: one image */
    int64_t height, width, channels;
    const cx_shape *shape;         /* what the header line shows */
    const cvs_stats *whole, *each; /* statistics of the layer and of each channel */
    int channel_scale;             /* 1: each channel on its own scale */
    const char *caption;           /* small print, such as model and image file; may be NULL */
} cx_sheet;

/* What is kept from one sheet to the next, so that it is made once: glyphs and memory. A thread has
 * one of its own; all zero is a new one. */
typedef struct cx_easel {
    cx_font *font;
    cx_canvas canvas; /* the sheet drawn last */
} cx_easel;
void cx_easel_deinit(cx_easel *easel);

/* Draw a sheet as PNG, the caller's to cx_bytes_deinit(). The books' styles read name, data and
 * sizes alone. */
int cx_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_sheet *s, cvs_style style,
                  cvs_error *err);

/* The same as the easel's pixels. */
int cx_sheet_paint(cx_easel *easel, const cx_sheet *s, cvs_style style, cvs_error *err);

#endif
