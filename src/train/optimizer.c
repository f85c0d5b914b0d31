/* optimizer.c - the optimizers of Keras 3; the arithmetic of a step is in kernels/. */
#include "train/optimizer.h"

#include <math.h>

#include "base/str.h"

static const struct {
    const char *name;
    double rate, weight_decay;
} table[] = {
    [CX_SGD] = {"sgd", 0.01, 0},
    [CX_RMSPROP] = {"rmsprop", 0.001, 0},
    [CX_ADAM] = {"adam", 0.001, 0},
    [CX_ADAMW] = {"adamw", 0.001, 0.004},
};
enum { N_OPTIMIZERS = sizeof table / sizeof *table };

void cx_optimizer_defaults(cx_optimizer *out, cx_optimizer_kind kind)
{
    *out = (cx_optimizer){.kind = kind,
                          .learning_rate = table[kind].rate,
                          .rho = 0.9,
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .epsilon = 1e-7,
                          .weight_decay = table[kind].weight_decay};
}

int cx_optimizer_by_name(cx_optimizer_kind *out, const char *name, cvs_error *err)
{
    const char *names[N_OPTIMIZERS];
    for (int i = 0; i < N_OPTIMIZERS; i++) {
        names[i] = table[i].name;
        if (!cx_streq(name, names[i])) continue;
        *out = (cx_optimizer_kind)i;
        return 0;
    }
    cx_fail(err, CVS_E_ARG, "no optimizer is called \"%.80s\"", name);
    cx_hint_nearest(err, name, names, N_OPTIMIZERS);
    return CVS_E_ARG;
}

const char *cx_optimizer_name(cx_optimizer_kind kind)
{
    return table[kind].name;
}

int cx_optimizer_check(const cx_optimizer *o, cvs_error *err)
{
    const struct {
        const char *name;
        double value, below;
    } limits[] = {
        {"learning rate", o->learning_rate, INFINITY},
        {"momentum", o->momentum, 1},
        {"rho", o->rho, 1},
        {"beta 1", o->beta1, 1},
        {"beta 2", o->beta2, 1},
        {"epsilon", o->epsilon, INFINITY},
        {"weight decay", o->weight_decay, INFINITY},
        {"limit of derivatives", o->clip_value, INFINITY},
        {"limit of the length of a derivative", o->clip_norm, INFINITY},
        {"limit of the length of all derivatives", o->global_clip_norm, INFINITY},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!(limits[i].value >= 0 && limits[i].value < limits[i].below))
            return cx_fail(err, CVS_E_ARG, "a %s of %g", limits[i].name, limits[i].value);
    if ((o->clip_value > 0) + (o->clip_norm > 0) + (o->global_clip_norm > 0) > 1)
        return cx_fail(err, CVS_E_ARG, "derivatives can be limited in one way only");
    if (o->nesterov && o->momentum <= 0) return cx_fail(err, CVS_E_ARG, "Nesterov's momentum of 0");
    return cx_schedule_check(&o->schedule, err);
}

/* --- what is remembered --- */

/* A bit for each slot of kernels' cx_update that the optimizer has. */
static int slots_of(const cx_optimizer *o)
{
    if (o->kind == CX_SGD) return o->momentum > 0;
    if (o->kind == CX_RMSPROP) return 1 | (o->momentum > 0) << 1 | (o->centered != 0) << 2;
    return 3 | (o->amsgrad != 0) << 2;
}

int cx_optimizer_init(cx_optimizer_state *out, const cx_optimizer *o, const cx_parameter *p, int n,
                      cvs_error *err)
{
    const int slots = slots_of(o);
    size_t total = 0, size;
    int rc;
    *out = (cx_optimizer_state){.o = *o, .p = p, .n = n};
    TRY(cx_optimizer_check(o, err));
    for (int i = 0; i < n; i++) total += (size_t)p[i].n;
    total *= (size_t)((slots & 1) + (slots >> 1 & 1) + (slots >> 2));
    if (cx_mul_size(&size, total, sizeof(float))) TRY(cx_no_memory(err, total));
    out->slot = cx_calloc((size_t)n + 1, sizeof *out->slot);
    if (!out->slot) TRY(cx_no_memory(err, (size_t)n * sizeof *out->slot));
    TRY(cx_block_init(&out->memory, size, err));
    float *at = out->memory.data;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < CX_UPDATE_SLOTS; k++) {
            if (!(slots >> k & 1)) continue;
            out->slot[i][k] = at;
            at += p[i].n;
        }
out:
    if (rc < 0) cx_optimizer_deinit(out);
    return rc;
}

void cx_optimizer_deinit(cx_optimizer_state *s)
{
    cx_free(s->slot);
    cx_block_deinit(&s->memory);
    *s = (cx_optimizer_state){0};
}

/* --- a step --- */

double cx_optimizer_rate(const cx_optimizer_state *s, double factor)
{
    return factor * cx_schedule_rate(&s->o.schedule, s->o.learning_rate, s->step);
}

static cx_update_rule rule_of(const cx_optimizer *o)
{
    if (o->kind == CX_RMSPROP) return CX_UPDATE_RMSPROP;
    if (o->kind != CX_SGD) return CX_UPDATE_ADAM;
    if (o->momentum <= 0) return CX_UPDATE_PLAIN;
    return o->nesterov ? CX_UPDATE_NESTEROV : CX_UPDATE_MOMENTUM;
}

/* What brings a derivative of that length to `limit`. */
static float scale_to(double limit, double squares)
{
    const double length = sqrt(squares);
    return (float)(length > limit ? limit / length : 1);
}

int cx_optimizer_step(cx_optimizer_state *s, double rate)
{
    const cx_optimizer *o = &s->o;
    cx_update u = {.rule = rule_of(o),
                   .rate = (float)rate,
                   .scale = 1,
                   .limit = o->clip_value > 0 ? (float)o->clip_value : INFINITY,
                   .shrink = (float)(rate * o->weight_decay),
                   .momentum = (float)o->momentum,
                   .rho = (float)o->rho,
                   .beta1 = (float)o->beta1,
                   .beta2 = (float)o->beta2,
                   .epsilon = (float)o->epsilon,
                   .epsilon_outside = o->epsilon_outside};
    int finite = 1;
    s->step++;
    /* Adam's moments begin at 0, and this makes up for it. */
    if (u.rule == CX_UPDATE_ADAM)
        u.rate = (float)(rate * sqrt(1 - pow(o->beta2, (double)s->step)) /
                         (1 - pow(o->beta1, (double)s->step)));
    if (o->global_clip_norm > 0) {
        double squares = 0;
        for (int i = 0; i < s->n; i++) squares += cx_sum_of_squares(s->p[i].n, s->p[i].g);
        u.scale = scale_to(o->global_clip_norm, squares);
    }
    for (int i = 0; i < s->n; i++) {
        const cx_parameter *p = &s->p[i];
        if (o->clip_norm > 0) u.scale = scale_to(o->clip_norm, cx_sum_of_squares(p->n, p->g));
        finite &= cx_update_weights(&u, p->n, p->w, p->g, s->slot[i]);
    }
    return finite;
}
