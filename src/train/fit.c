/* fit.c - the loop over epochs and batches. */
#include "train/fit.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* --- made --- */

static int check(const cx_fit_options *o, const cx_data *data, const cx_data *validation,
                 cvs_error *err)
{
    const int wants_validation =
        o->monitor == CVS_MONITOR_VAL_LOSS || o->monitor == CVS_MONITOR_VAL_ACCURACY;
    if (data->n < 1) return cx_fail(err, CVS_E_ARG, "no examples to learn from");
    if (validation && validation->n < 1)
        return cx_fail(err, CVS_E_ARG, "no examples of validation");
    if (o->epochs < 1 || o->epochs > 1000000)
        return cx_fail(err, CVS_E_ARG, "%lld epochs", (long long)o->epochs);
    if (wants_validation && !validation)
        return cx_fail(err, CVS_E_ARG, "a number of validation is watched, but there is none");
    if (validation && validation->n_classes != data->n_classes)
        return cx_fail(err, CVS_E_ARG, "%d classes to learn, %d of validation", data->n_classes,
                       validation->n_classes);
    if (o->patience < 0 || o->rate_patience < 0)
        return cx_fail(err, CVS_E_ARG, "a patience of less than 0");
    if (!(o->rate_factor >= 0 && o->rate_factor < 1) || !(o->rate_floor >= 0) ||
        !(o->min_delta >= 0))
        return cx_fail(err, CVS_E_ARG, "a plateau's factor of %g, floor of %g, delta of %g",
                       o->rate_factor, o->rate_floor, o->min_delta);
    return 0;
}

static int64_t *numbers(int64_t n)
{
    int64_t *v = n >= 0 ? cx_calloc((size_t)n + 1, sizeof *v) : NULL;
    for (int64_t i = 0; v && i < n; i++) v[i] = i;
    return v;
}

static int init(cx_fit *f, const cvs_model *m, const cx_data *data, const cx_data *validation,
                const cx_fit_options *o, cvs_error *err)
{
    cx_trainer_options trainer = o->trainer;
    int rc;
    f->o = *o;
    f->data = *data;
    if (validation) f->validation = *validation;
    if (o->rate_factor <= 0) f->o.rate_factor = 0.1;
    if (o->monitor == CVS_MONITOR_AUTO)
        f->o.monitor = validation ? CVS_MONITOR_VAL_LOSS : CVS_MONITOR_LOSS;
    f->state = (cx_fit_state){.rate_factor = 1, .best_epoch = -1};
    TRY(check(o, data, validation, err));
    trainer.n_classes = data->n_classes;
    if (trainer.batch > data->n) trainer.batch = (int)data->n;
    TRY(cx_trainer_init(&f->trainer, m, &trainer, err));
    f->history = cx_calloc((size_t)o->epochs, sizeof *f->history);
    f->order = numbers(data->n);
    f->places = numbers(f->validation.n);
    if (!f->history || !f->order || !f->places)
        TRY(cx_no_memory(err, (size_t)data->n * sizeof *f->order));
    if (o->restore_best) TRY(cx_block_init(&f->best, f->trainer.variant.model.weights.size, err));
out:
    return rc;
}

int cx_fit_new(cx_fit **out, const cvs_model *m, const cx_data *data, const cx_data *validation,
               const cx_fit_options *o, cvs_error *err)
{
    *out = NULL;
    cx_fit *f = cx_calloc(1, sizeof *f);
    if (!f) return cx_no_memory(err, sizeof *f);
    int rc = init(f, m, data, validation, o, err);
    if (rc < 0)
        cx_fit_free(f);
    else
        *out = f;
    return rc;
}

void cx_fit_free(cx_fit *f)
{
    if (!f) return;
    cx_trainer_deinit(&f->trainer);
    cx_block_deinit(&f->best);
    cx_free(f->history);
    cx_free(f->order);
    cx_free(f->places);
    cx_free(f);
}

/* --- an epoch --- */

/* The order of the examples of an epoch depends on the seed and its number alone (Fisher and Yates
 * 1938). */
static void shuffle(cx_fit *f)
{
    const uint64_t seed =
        cx_random_stream(cx_random_stream(f->o.trainer.seed, 0x5f1e), (uint64_t)f->state.epoch);
    for (int64_t i = 0; i < f->data.n; i++) f->order[i] = i;
    for (int64_t i = f->data.n - 1; !f->o.in_order && i > 0; i--) {
        const int64_t k = cx_random_below(seed, (uint64_t)i, i + 1), other = f->order[k];
        f->order[k] = f->order[i];
        f->order[i] = other;
    }
}

static int64_t batches_of(const cx_fit *f, int64_t n)
{
    return (n + f->trainer.batch - 1) / f->trainer.batch;
}

static int size_of_batch(const cx_fit *f, int64_t n, int64_t i)
{
    const int64_t left = n - i * f->trainer.batch;
    return left < f->trainer.batch ? (int)left : f->trainer.batch;
}

/* Of the next step. The floor does not raise a rate that a schedule has below it. */
static double rate_factor(const cx_fit *f)
{
    const double rate = cx_optimizer_rate(&f->trainer.optimizer, 1), factor = f->state.rate_factor;
    if (rate <= 0 || rate * factor >= f->o.rate_floor) return factor;
    return fmin(1, f->o.rate_floor / rate);
}

static cvs_epoch so_far(const cx_fit *f, double rate)
{
    const double n = (double)f->state.seen;
    return (cvs_epoch){f->state.loss_sum / n, (double)f->state.right / n, NAN, NAN, rate};
}

static int tell(const cx_fit *f, const cvs_train_event *e)
{
    return f->o.tell ? f->o.tell(f->o.tell_arg, e) : 0;
}

/* Say which batch follows in this epoch. */
static void announce(const cx_fit *f)
{
    const cx_data *d = &f->data;
    const int64_t next = f->state.batch + 1;
    if (d->expect && next < batches_of(f, d->n))
        d->expect(d->self, f->order + next * f->trainer.batch, size_of_batch(f, d->n, next),
                  f->state.epoch);
}

/* One step; gives 1 where the caller wants to stop. */
static int run_batch(cx_fit *f, cvs_error *err)
{
    cx_fit_state *s = &f->state;
    const cx_batch b = {&f->data, f->order + s->batch * f->trainer.batch,
                        size_of_batch(f, f->data.n, s->batch), s->epoch};
    const double factor = rate_factor(f), rate = cx_optimizer_rate(&f->trainer.optimizer, factor);
    cx_score score;
    announce(f);
    f->trainer.is_watched = s->batch + 1 == batches_of(f, f->data.n);
    int rc = cx_trainer_step(&score, &f->trainer, &b, factor, err);
    if (rc < 0)
        return cx_where(err, rc, "epoch %lld, batch %lld", (long long)s->epoch + 1,
                        (long long)s->batch + 1);
    s->loss_sum += score.loss * b.n;
    s->right += score.right;
    s->seen += b.n;
    s->batch++;
    f->history[s->epoch] = so_far(f, rate);
    const cvs_train_event e = {.epoch = s->epoch,
                               .batch = s->batch,
                               .n_batches = batches_of(f, f->data.n),
                               .so_far = f->history[s->epoch]};
    return tell(f, &e) != 0;
}

int cx_fit_test(cx_fit *f, const cx_data *data, double *loss, double *accuracy, cvs_error *err)
{
    int64_t *places = data->n == f->validation.n ? f->places : numbers(data->n), right = 0;
    double sum = 0;
    int rc = 0;
    *loss = *accuracy = NAN;
    if (data->n < 1) TRY(cx_fail(err, CVS_E_ARG, "no examples"));
    if (!places) TRY(cx_no_memory(err, (size_t)data->n * sizeof *places));
    for (int64_t i = 0; i < batches_of(f, data->n); i++) {
        const cx_batch b = {data, places + i * f->trainer.batch, size_of_batch(f, data->n, i), 0};
        cx_score score;
        TRY(cx_trainer_test(&score, &f->trainer, &b, err));
        sum += score.loss * b.n;
        right += score.right;
    }
    *loss = sum / (double)data->n;
    *accuracy = (double)right / (double)data->n;
out:
    if (places != f->places) cx_free(places);
    return rc < 0 ? cx_where(err, rc, "validation") : 0;
}

/* --- what an epoch decides --- */

static double watched(const cx_fit *f, const cvs_epoch *e, int *more_is_better)
{
    *more_is_better = 0;
    switch (f->o.monitor) {
    case CVS_MONITOR_AUTO:
    case CVS_MONITOR_LOSS:
        break;
    case CVS_MONITOR_VAL_LOSS:
        return e->val_loss;
    case CVS_MONITOR_ACCURACY:
        *more_is_better = 1;
        return e->accuracy;
    case CVS_MONITOR_VAL_ACCURACY:
        *more_is_better = 1;
        return e->val_accuracy;
    }
    return e->loss;
}

/* Gives 1 where the epoch is the best so far. */
static int judge(cx_fit *f, const cvs_epoch *e)
{
    cx_fit_state *s = &f->state;
    int more;
    const double now = watched(f, e, &more), sign = more ? 1 : -1;
    const int is_first = s->best_epoch < 0 && !isnan(now);
    const int is_best = is_first || sign * (now - s->best) > f->o.min_delta;
    const int is_on = is_first || sign * (now - s->rate_best) > 1e-4;
    s->wait = is_best ? 0 : s->wait + 1;
    s->rate_wait = is_on ? 0 : s->rate_wait + 1;
    if (is_on) s->rate_best = now;
    if (is_best) {
        s->best = now;
        s->best_epoch = s->epoch;
    }
    if (f->o.patience > 0 && s->wait >= f->o.patience) s->ended = 1;
    if (f->o.rate_patience > 0 && s->rate_wait >= f->o.rate_patience) {
        s->rate_factor *= f->o.rate_factor;
        s->rate_wait = 0;
    }
    return is_best;
}

static int end_epoch(cx_fit *f, cvs_error *err)
{
    cx_fit_state *s = &f->state;
    cvs_epoch *e = &f->history[s->epoch];
    if (f->validation.n > 0) {
        int rc = cx_fit_test(f, &f->validation, &e->val_loss, &e->val_accuracy, err);
        if (rc < 0) return cx_where(err, rc, "epoch %lld", (long long)s->epoch + 1);
    }
    cvs_train_event event = {
        .epoch = s->epoch, .batch = s->batch, .n_batches = s->batch, .epoch_ends = 1, .so_far = *e};
    event.is_best = judge(f, e);
    if (event.is_best && f->best.data)
        memcpy(f->best.data, f->trainer.variant.model.weights.data, f->best.size);
    s->epoch++;
    s->batch = s->right = s->seen = 0;
    s->loss_sum = 0;
    return tell(f, &event) != 0;
}

int cx_fit_is_done(const cx_fit *f)
{
    return f->state.epoch >= f->o.epochs || f->state.ended;
}

int cx_fit_run(cx_fit *f, cvs_error *err)
{
    int rc = 0, stop = 0;
    if (cx_fit_is_done(f)) return 0;
    while (!stop && !cx_fit_is_done(f)) {
        shuffle(f);
        while (!stop && f->state.batch < batches_of(f, f->data.n)) {
            TRY(run_batch(f, err));
            stop = rc;
        }
        if (stop) break; /* perhaps after the last batch: the end of the epoch comes later */
        TRY(end_epoch(f, err));
        stop = rc;
    }
    rc = 0;
    if (cx_fit_is_done(f) && f->best.data) {
        memcpy(f->trainer.variant.model.weights.data, f->best.data, f->best.size);
        TRY(cx_trainer_reload(&f->trainer, err));
    }
out:
    return rc;
}
