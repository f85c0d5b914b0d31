/* open.c - how a question begins: the inputs it is about, what stands for "nothing", the goal. */
#include <string.h>

#include "methods/method.h"
#include "tensor/npy.h"

/* The input that is explained: the first that is an image, else the first. */
static int explained_input(const cvs_model *m)
{
    for (int i = 0; i < m->n_inputs; i++)
        if (m->nodes[m->inputs[i]].shape.ndim == 4) return i;
    return 0;
}

static int take_inputs(cx_question *q, const cvs_run *run, int slot, cvs_error *err)
{
    const cvs_model *m = q->model;
    q->x = cx_calloc((size_t)m->n_inputs, sizeof *q->x);
    if (!q->x) return cx_no_memory(err, (size_t)m->n_inputs * sizeof *q->x);
    if (!run->planned) return cx_fail(err, CVS_E_ARG, "the run has no input yet");
    for (int i = 0; i < m->n_inputs; i++) {
        const cx_slot *s = &run->slots[m->inputs[i]];
        cx_shape shape = s->shape;
        if (!s->needed) continue;
        if (slot < 0 || slot >= shape.d[0])
            return cx_fail(err, CVS_E_ARG, "the run has no slot %d", slot);
        shape.d[0] = 1;
        q->x[i] = cx_tensor_view(s->y.data + slot * cx_shape_count(&shape), &shape);
    }
    q->input = explained_input(m);
    return 0;
}

/* The mean of each channel of the input, as a whole input. */
static int mean_baseline(float **out, const cx_question *q, cvs_error *err)
{
    const cx_tensor *x = &q->x[q->input];
    const cx_shape *s = &x->shape;
    const int axis = cx_node_channel_axis(q->model, q->model->inputs[q->input]);
    const int64_t n = cx_shape_count(s), after = cx_shape_count_range(s, axis + 1, s->ndim);
    const int64_t channels = s->d[axis];
    float *b = *out = cx_calloc((size_t)n, sizeof *b);
    if (!b) return cx_no_memory(err, (size_t)n * sizeof *b);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            if (i / after % channels == c) sum += (double)x->data[i];
        for (int64_t i = 0; i < n; i++)
            if (i / after % channels == c) b[i] = (float)(sum * (double)channels / (double)n);
    }
    return 0;
}

static int read_baseline(float **out, const cx_question *q, cvs_error *err)
{
    const int64_t n = cx_shape_count(&q->x[q->input].shape);
    const char *path = q->o->baseline_file;
    cx_tensor t = {0};
    int rc;
    TRY(cx_npy_read(&t, path, err));
    if (cx_shape_count(&t.shape) != n)
        TRY(cx_fail(err, CVS_E_FORMAT, "%s: %lld numbers, but an input of the model has %lld", path,
                    (long long)cx_shape_count(&t.shape), (long long)n));
    *out = cx_calloc((size_t)n, sizeof **out);
    if (!*out) TRY(cx_no_memory(err, (size_t)n * sizeof **out));
    memcpy(*out, t.data, (size_t)n * sizeof **out);
out:
    cx_tensor_deinit(&t);
    return rc;
}

/* What stands for "nothing" where a file or the input itself says it. */
static int take_baseline(cx_question *q, cvs_error *err)
{
    int rc = 0;
    if (q->o->baseline) return 0;
    if (q->o->baseline_file)
        TRY(read_baseline(&q->baseline, q, err));
    else if (q->o->baseline_mean)
        TRY(mean_baseline(&q->baseline, q, err));
    if (!q->baseline) goto out;
    q->resolved = *q->o;
    q->resolved.baseline = q->baseline;
    q->o = &q->resolved;
out:
    return rc;
}

int cx_question_open(cx_question *q, const cvs_run *run, int slot, cvs_error *err)
{
    int rc;
    TRY(take_inputs(q, run, slot, err));
    TRY(take_baseline(q, err));
    TRY(cx_goal_init(&q->goal, q->model, q->o, q->method->automatic, err));
out:
    return rc;
}

void cx_question_close(cx_question *q)
{
    cx_goal_deinit(&q->goal);
    cx_free(q->baseline);
    cx_free(q->x);
    q->baseline = NULL;
    q->x = NULL;
}
