/* leak.h - a way out for rectifiers that are shut: where their derivative is 0, a part of what
 * comes back passes if it would open them. Lucid redirects gradients so for the first steps of a
 * climb (Olah et al. 2017); without it a picture stays where a start has shut what it is to excite.
 */
#ifndef CX_PATTERNS_LEAK_H
#define CX_PATTERNS_LEAK_H

#include "graph/gradient.h"

/* How much passes, 0 … 1, is the rule's `arg`, a double. */
int cx_leak_activation(void *arg, int node, const cx_activation *a, const float *x,
                       const cx_tensor *y, const float *dy, float *dx, cvs_error *err);

#endif
