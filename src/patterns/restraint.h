/* restraint.h - what keeps a picture from becoming a riddle while it climbs: neighbours that should
 * not differ, values that should not be large, edges that should not be sharp. */
#ifndef CX_PATTERNS_RESTRAINT_H
#define CX_PATTERNS_RESTRAINT_H

#include <stddef.h>
#include <stdint.h>

/* Weights of what is taken off the objective, and the blur after each step. The penalties are those
 * of tf-keras-vis (Kubota 2019): means over all numbers of a picture, in the units of the model's
 * input. Lucid's total variation is the sum, so its weight times that many numbers is ours. */
typedef struct cx_restraint {
    double variation;
    double size, power; /* of the norm; power 1 where it is 0 */
    double blur;        /* pixels: the deviation of a Gauss window */
} cx_restraint;

/* weight / n times the sum of |differences to the pixel below and to that on the right| of a
 * picture of n numbers, channels last; its derivative is taken off `d`, which may be NULL. */
double cx_restrain_variation(const float *x, int64_t height, int64_t width, int64_t channels,
                             double weight, float *d);

/* weight times (mean of |x - gray|^power)^(1 / power); the same with its derivative. */
double cx_restrain_size(const float *x, int64_t n, double gray, double power, double weight,
                        float *d);

/* Blur in place; pixels beyond the edge are those before it, mirrored. Room for height × width ×
 * channels numbers. */
void cx_restrain_blur(float *x, int64_t height, int64_t width, int64_t channels, double sigma,
                      float *room);

#endif
