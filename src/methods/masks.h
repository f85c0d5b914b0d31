/* masks.h - the input seen through what the channels of a layer give. */
#ifndef CX_METHODS_MASKS_H
#define CX_METHODS_MASKS_H

#include "methods/picture.h"
#include "methods/scorer.h"

typedef struct cx_masks {
    cvs_run *base;
    cx_stack a; /* what the layer gives */
    cx_picture p;
    cx_scorer seen;
    float *room; /* a mask for each variant of a batch */
} cx_masks;

/* For `variants` inputs that will be scored. Chooses the goal's class if that is still to be done.
 * To be ended in any case. */
int cx_masks_init(cx_masks *out, cx_question *q, int layer, int64_t variants, cvs_error *err);
void cx_masks_deinit(cx_masks *m);

/* What the channel gives, at the input's size and from 0 to 1, all 0 where it is the same
 * everywhere: the mask of variant i, for a function that makes it. */
float *cx_masks_of(const cx_masks *m, int64_t channel, int64_t i);

/* item times the mask. */
void cx_masks_apply(const cx_masks *m, const float *mask, float *item);

#endif
