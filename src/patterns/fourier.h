/* fourier.h - a picture's plane as the sum of waves, and the derivative by their amplitudes. */
#ifndef CX_PATTERNS_FOURIER_H
#define CX_PATTERNS_FOURIER_H

#include <stddef.h>
#include <stdint.h>

#include "convscope.h"

/* For planes of one size; never changes, so that threads may share it. */
typedef struct cx_fourier {
    int64_t height, width;
    int64_t half;         /* frequencies across: width / 2 + 1, the others follow */
    float *scale;         /* of each frequency, height × half; owned, in one piece with … */
    float *down, *across; /* … the unit circle in so many parts: cosines, then sines */
} cx_fourier;

/* Slow waves weigh more: 1 / frequency^decay, as in photographs. Lucid's units: amplitudes of
 * deviation 0.01 are a faint start. */
int cx_fourier_init(cx_fourier *out, int64_t height, int64_t width, double decay, cvs_error *err);
void cx_fourier_deinit(cx_fourier *f);

/* Amplitudes of a plane: real parts, height × half, then imaginary ones. */
int64_t cx_fourier_numbers(const cx_fourier *f);
/* Floats of scratch that the two below want. */
size_t cx_fourier_room(const cx_fourier *f);

/* height × width values from amplitudes, and the amplitudes' derivatives from theirs. */
void cx_fourier_paint(const cx_fourier *f, const float *amplitudes, float *plane, float *room);
void cx_fourier_back(const cx_fourier *f, const float *dplane, float *damplitudes, float *room);

#endif
