/* climb.c - the batch: who has a place, what is done of it all. */
#include "patterns/climb.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/threads.h"
#include "patterns/leak.h"
#include "patterns/record.h"

enum { WHILE = 32, LEAST = 96, COARSE = 4 };

#define GAIN 0.01 /* of a value in a while, below which nothing grows any more */

/* --- places --- */

/* Steps at the end in which a picture is seen straight: what small differences can still add. Of
 * what sees few pixels they are most of it; elsewhere too many of them would be grain. */
static int settling(const cx_climb *c)
{
    return (int)(c->recipe->settle * c->steps) / (c->is_fine ? 1 : COARSE);
}

static void sit_down(const cx_climb *c, cx_climber *k, int item)
{
    const cx_painting *p = &c->painting;
    const int64_t size = p->inner_height * p->inner_width * p->channels;
    const uint64_t own = cx_random_stream(c->stream, (uint64_t)c->channels[item] + 1);
    k->item = item;
    k->step = k->frame = 0;
    k->settles = c->steps - settling(c);
    k->average = k->before = -INFINITY;
    memset(k->first, 0, (size_t)p->n * sizeof *k->first);
    memset(k->second, 0, (size_t)p->n * sizeof *k->second);
    if (c->start)
        cx_painting_begin(p, c->start + item % c->n_starts * size, k->numbers, k->picture, k->room);
    else
        cx_painting_start(p, cx_random_stream(own, (uint64_t)(item % c->group)), k->numbers);
}

/* Memory of all places in one piece. */
static int make_places(cx_climb *c, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const size_t picture = (size_t)(p->height * p->width * p->channels);
    const size_t seen = (size_t)(p->out_height * p->out_width * p->channels);
    const size_t room = p->room > seen ? p->room : seen;
    const size_t each = 4 * (size_t)p->n + 2 * picture + room;
    c->climbers = cx_calloc((size_t)c->batch, sizeof *c->climbers);
    c->values = cx_calloc((size_t)c->batch, sizeof *c->values);
    c->memory = cx_calloc((size_t)c->batch, each * sizeof(float));
    if (!c->climbers || !c->values || !c->memory)
        return cx_no_memory(err, (size_t)c->batch * each * sizeof(float));
    for (int i = 0; i < c->batch; i++) {
        cx_climber *k = &c->climbers[i];
        k->item = -1;
        k->numbers = c->memory + (size_t)i * each;
        k->dnumbers = k->numbers + p->n;
        k->first = k->dnumbers + p->n;
        k->second = k->first + p->n;
        k->picture = k->second + p->n;
        k->dpicture = k->picture + picture;
        k->room = k->dpicture + picture;
    }
    return 0;
}

/* --- what is done --- */

/* A pixel as the model's input has it. */
static void put_pixel(const cx_climb *c, const float *pixel, float *to)
{
    const cx_painting *p = &c->painting;
    float v[CX_PATTERN_CHANNELS];
    for (int64_t k = 0; k < p->channels; k++) v[k] = pixel[k] * (float)(255 / c->recipe->top);
    if (c->recipe->paint == CX_PAINT_INPUT)
        memcpy(to, pixel, (size_t)p->channels * sizeof *to);
    else
        cx_units_apply(&p->units, v, to);
}

/* Frames up to the one that `last` is the number of show the picture as it is now. */
static void keep_frames(const cx_climb *c, cx_climber *k, int last)
{
    const cvs_patterns *a = c->out;
    const int64_t size = a->shown_height * a->shown_width * a->channels;
    if (k->frame > last) return;
    cx_painting_develop(&c->painting, k->picture, cx_painting_crop(&c->painting), k->room);
    for (; k->frame <= last; k->frame++) {
        unsigned char *to = a->film + ((int64_t)k->item * a->frames + k->frame) * size;
        for (int64_t i = 0; i < size; i++) to[i] = (unsigned char)(k->room[i] * 255 + 0.5F);
    }
}

/* The picture as it is now, to be looked at. */
static void show(const cx_climb *c, cx_climber *k)
{
    const cvs_patterns *a = c->out;
    cx_painting_draw(&c->painting, k->numbers, k->picture, k->room);
    cx_painting_develop(&c->painting, k->picture, cx_painting_crop(&c->painting),
                        a->shown + k->item * a->shown_height * a->shown_width * a->channels);
    a->climbed[k->item] = k->value;
    a->steps[k->item] = k->step;
}

/* The same as the caller gets it in the end. */
static void hand_over(const cx_climb *c, cx_climber *k)
{
    const cx_painting *p = &c->painting;
    const cvs_patterns *a = c->out;
    float *data = a->data + k->item * a->height * a->width * a->channels;
    show(c, k);
    for (int64_t y = 0; y < a->height; y++)
        for (int64_t x = 0; x < a->width; x++, data += p->channels)
            put_pixel(c, k->picture + ((y + p->margin) * p->width + x + p->margin) * p->channels,
                      data);
    keep_frames(c, k, a->frames - 1);
}

/* Whether the picture is done. Where nothing grows any more, the smoothed value hardly for a while,
 * it settles at once. */
static int is_done(const cx_climb *c, cx_climber *k)
{
    if (k->step >= k->settles + settling(c)) return 1;
    if (c->recipe->most > 0 && k->value > c->recipe->most) return 1;
    k->average = k->average == -INFINITY ? k->value : k->average + (k->value - k->average) / 16;
    if (!c->recipe->finishes || c->group > 1 || k->step % WHILE) return 0;
    const double gained = k->average - k->before;
    k->before = k->average;
    if (k->step >= LEAST && k->step < k->settles && gained < GAIN * fabs(k->average))
        k->settles = k->step;
    return k->step >= k->settles + settling(c);
}

typedef struct turn {
    cx_climb *c;
    int busy; /* places that are taken: the first ones */
} turn;

static void look(void *arg, int i, int worker)
{
    const cx_climb *c = ((const turn *)arg)->c;
    cx_climber *k = &c->climbers[i];
    (void)worker;
    cx_climber_look(c, i);
    keep_frames(c, k, c->out->frames > 1 ? k->step * (c->out->frames - 1) / c->steps : -1);
}

static void step(void *arg, int i, int worker)
{
    const cx_climb *c = ((const turn *)arg)->c;
    cx_climber *k = &c->climbers[i];
    (void)worker;
    cx_climber_step(c, i);
    k->value = c->values[i];
    k->step++;
}

static int take_turn(turn *t, cvs_error *err)
{
    cx_climb *c = t->c;
    int64_t channels[CX_MAX_CLIMBERS];
    double leak = c->recipe->leak;
    const cx_rule rule = {.arg = &leak, .activation = cx_leak_activation};
    const int leaks = leak > 0 && c->climbers[0].step < c->steps / 4;
    int rc;
    cx_parallel(t->busy, look, t);
    for (int i = 0; i < t->busy; i++) channels[i] = c->channels[c->climbers[i].item];
    TRY(cx_gradient_forward(c->g, err));
    TRY(cx_objective_measure(c->objective, c->g->run, c->g, channels, t->busy, c->group, c->values,
                             err));
    TRY(cx_gradient_backward(c->g, leaks ? &rule : NULL, err));
    cx_parallel(t->busy, step, t);
out:
    return rc;
}

/* The last place's picture moves to place i: one that is done leaves no gap. */
static void close_gap(cx_climb *c, int i, int last)
{
    const cx_climber gone = c->climbers[i];
    c->climbers[i] = c->climbers[last];
    c->climbers[last] = gone;
    c->climbers[last].item = -1;
}

static double share_done(const cx_climb *c)
{
    return c->begun + c->part * (double)c->steps_done / ((double)c->steps * c->n);
}

static void let_look(cx_climb *c, int busy)
{
    const cvs_pattern_options *o = c->o;
    if (!o->look || busy == 0 || (c->looked > 0 && cx_seconds() - c->looked < o->look_after))
        return;
    for (int i = 0; i < busy; i++) show(c, &c->climbers[i]);
    c->out->done = share_done(c);
    o->look(o->look_arg, c->out);
    c->looked = cx_seconds();
}

int cx_climb_run(cx_climb *c, cvs_error *err)
{
    turn t = {c, 0};
    int next = 0, rc;
    TRY(make_places(c, err));
    for (;;) {
        for (; t.busy < c->batch && next < c->n; next++) {
            if (c->done[next])
                c->steps_done += c->steps;
            else
                sit_down(c, &c->climbers[t.busy++], next);
        }
        if (t.busy == 0) break;
        TRY(take_turn(&t, err));
        c->steps_done += t.busy;
        for (int i = t.busy - 1; i >= 0; i--) {
            if (!is_done(c, &c->climbers[i])) continue;
            hand_over(c, &c->climbers[i]);
            TRY(cx_record_put(c, c->climbers[i].item, err));
            c->steps_done += c->steps - c->climbers[i].step;
            close_gap(c, i, --t.busy);
        }
        let_look(c, t.busy);
        if (c->o->progress && c->o->progress(c->o->progress_arg, share_done(c))) break;
    }
    c->out->done = share_done(c);
    for (int i = 0; i < t.busy; i++) hand_over(c, &c->climbers[i]); /* stopped */
out:
    return rc;
}

/* --- what the network makes of it --- */

int cx_climb_respond(cx_climb *c, const float *shown, const int64_t *channels, int n,
                     double *values, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int64_t size = p->inner_height * p->inner_width * p->channels;
    cx_tensor *x = &c->g->run->slots[c->m->inputs[0]].y;
    const int64_t one = cx_shape_count_range(&x->shape, 1, x->shape.ndim);
    int rc = 0;
    for (int i = 0; i < n; i += c->batch) {
        const int some = n - i < c->batch ? n - i : c->batch;
        for (int k = 0; k < some; k++)
            cx_painting_photograph(p, shown + (i + k) * size, x->data + k * one,
                                   c->climbers[k].room);
        TRY(cx_gradient_forward(c->g, err));
        TRY(cx_objective_measure(c->seen, c->g->run, NULL, channels + i, some, c->group, values + i,
                                 err));
    }
out:
    return rc;
}
