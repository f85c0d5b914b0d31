/* schedule.h - how the learning rate goes with the steps. */
#ifndef CX_TRAIN_SCHEDULE_H
#define CX_TRAIN_SCHEDULE_H

#include <stdint.h>

#include "base/error.h"

typedef enum cx_schedule_kind {
    CX_RATE_CONSTANT,
    CX_RATE_EXPONENTIAL,  /* rate * factor^(step / steps) */
    CX_RATE_INVERSE_TIME, /* rate / (1 + factor * step / steps): Keras 1 and 2's `decay` with
                             steps 1 */
    CX_RATE_COSINE, /* down half a cosine to `floor` times the rate at `steps`, after a warm-up */
    CX_RATE_STEPS,  /* value[i] up to and with step until[i], then the next; the last stays */
} cx_schedule_kind;

enum { CX_RATE_MAX_STEPS = 16 };

/* Named after Keras' LearningRateSchedule classes, and with their formulas. Steps are batches,
 * counted from 0 over all epochs. */
typedef struct cx_schedule {
    cx_schedule_kind kind;
    double steps;                     /* decay_steps */
    double factor;                    /* decay_rate */
    int staircase;                    /* 1: the exponent is a whole number */
    double floor;                     /* alpha of a cosine */
    double warmup_steps, warmup_rate; /* of a cosine: a line from the rate to this one first */
    int n;                            /* of CX_RATE_STEPS: values */
    int64_t until[CX_RATE_MAX_STEPS]; /* n - 1, rising */
    double value[CX_RATE_MAX_STEPS];
} cx_schedule;

int cx_schedule_check(const cx_schedule *s, cvs_error *err);
/* The rate of a step that begins with `rate`. */
double cx_schedule_rate(const cx_schedule *s, double rate, int64_t step);

#endif
