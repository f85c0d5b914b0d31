/* schedule.c - learning rates by Keras' formulas. */
#include "train/schedule.h"

#include <math.h>

#include "base/random.h"

int cx_schedule_check(const cx_schedule *s, cvs_error *err)
{
    const int wants_steps = s->kind == CX_RATE_EXPONENTIAL || s->kind == CX_RATE_INVERSE_TIME ||
                            s->kind == CX_RATE_COSINE;
    if (wants_steps && !(s->steps > 0 && isfinite(s->steps)))
        return cx_fail(err, CVS_E_ARG, "a schedule of %g steps", s->steps);
    if (s->kind == CX_RATE_EXPONENTIAL && !(s->factor > 0 && isfinite(s->factor)))
        return cx_fail(err, CVS_E_ARG, "a rate that decays by %g", s->factor);
    if (s->kind == CX_RATE_INVERSE_TIME && !(s->factor >= 0 && isfinite(s->factor)))
        return cx_fail(err, CVS_E_ARG, "a rate that decays by %g", s->factor);
    if (s->kind == CX_RATE_COSINE && !(s->warmup_steps >= 0 && s->warmup_rate >= 0))
        return cx_fail(err, CVS_E_ARG, "a warm-up of %g steps", s->warmup_steps);
    if (s->kind != CX_RATE_STEPS) return 0;
    if (s->n < 1 || s->n > CX_RATE_MAX_STEPS)
        return cx_fail(err, CVS_E_ARG, "%d rates, 1 to %d are possible", s->n, CX_RATE_MAX_STEPS);
    for (int i = 0; i + 2 < s->n; i++)
        if (s->until[i + 1] <= s->until[i])
            return cx_fail(err, CVS_E_ARG, "the steps at which the rate changes do not rise");
    return 0;
}

static double cosine(const cx_schedule *s, double rate, double step)
{
    if (s->warmup_steps > 0) {
        if (step < s->warmup_steps) return rate + (s->warmup_rate - rate) * step / s->warmup_steps;
        step -= s->warmup_steps;
        rate = s->warmup_rate;
    }
    const double part = fmin(step, s->steps) / s->steps;
    return rate * ((1 - s->floor) * 0.5 * (1 + cos(CX_PI * part)) + s->floor);
}

double cx_schedule_rate(const cx_schedule *s, double rate, int64_t step)
{
    double part = (double)step / s->steps;
    int i = 0;
    switch (s->kind) {
    case CX_RATE_CONSTANT:
        break;
    case CX_RATE_EXPONENTIAL:
        return rate * pow(s->factor, s->staircase ? floor(part) : part);
    case CX_RATE_INVERSE_TIME:
        return rate / (1 + s->factor * (s->staircase ? floor(part) : part));
    case CX_RATE_COSINE:
        return cosine(s, rate, (double)step);
    case CX_RATE_STEPS:
        while (i + 1 < s->n && step > s->until[i]) i++;
        return s->value[i];
    }
    return rate;
}
