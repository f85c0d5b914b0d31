/* upsample.h - maps brought to another size, on one thread and without memory of its own. */
#ifndef CX_METHODS_UPSAMPLE_H
#define CX_METHODS_UPSAMPLE_H

#include <stdint.h>

/* y[to_h][to_w] from h × w numbers that lie `step` apart: bilinear with half-pixel centres, as
 * tf.image.resize. */
void cx_upsample(const float *x, int64_t step, int64_t h, int64_t w, float *y, int64_t to_h,
                 int64_t to_w);

/* Bring n numbers to 0 … 1 by the least and the largest of them; 0 if there is no NaN and they are
 * all the same, which leaves zeros: there is nothing to see. */
int cx_stretch(float *x, int64_t n);

#endif
