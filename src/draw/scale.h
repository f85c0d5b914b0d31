/* scale.h - which number gets which colour of a sheet. */
#ifndef CX_DRAW_SCALE_H
#define CX_DRAW_SCALE_H

#include "draw/sheet.h"

/* Colours go from 0 to `limit`, or from -limit to limit where there are negative values: the same
 * for all channels, so that an emptier channel looks emptier. Where most values are small beside
 * the limit, colours go by the square root of a value's size, which keeps that order and lets faint
 * channels be seen. */
typedef struct cx_scale {
    int is_signed;
    int is_root;
    int per_channel;                /* each channel's own largest value is the limit instead */
    int is_cut_above, is_cut_below; /* values beyond the ends exist and look like these */
    double limit;                   /* 0 when there is nothing but zeros */
} cx_scale;

void cx_scale_choose(cx_scale *out, const cx_sheet *s);

/* The limit of one channel. */
double cx_scale_limit(const cx_scale *scale, const cx_sheet *s, int64_t channel);

/* A level is the whole part of value * gain + offset, cut to 0 … CX_LEVELS - 1; on a root scale of
 * ±sqrt(|value * gain|) + offset. */
float cx_scale_gain(const cx_scale *scale, double limit);
float cx_scale_offset(const cx_scale *scale);

/* Where on the colour bar, 0 … 1, the share -1 … 1 of the limit lies. */
double cx_scale_place(const cx_scale *scale, double share);

/* "0.304", "1,204", "−3.1e−5": up to three figures. Gives buf back. */
enum { CX_NUMBER_TEXT = 48 };
char *cx_number_text(char buf[CX_NUMBER_TEXT], double value);

#endif
