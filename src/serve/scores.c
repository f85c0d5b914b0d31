/* scores.c - what a network says. */
#include "serve/scores.h"

#include <math.h>
#include <stdlib.h>

#include "base/str.h"

typedef struct score {
    int64_t class;
    double value;
} score;

/* NaN goes last; equal scores keep their order. */
static int by_value(const void *a, const void *b)
{
    const score *x = a, *y = b;
    if (isnan(x->value) || isnan(y->value)) {
        if (isnan(x->value) != isnan(y->value)) return isnan(x->value) ? 1 : -1;
    } else if (x->value != y->value) {
        return x->value < y->value ? 1 : -1;
    }
    return x->class < y->class ? -1 : 1;
}

static int is_two_sided(const cvs_model *m, int64_t size)
{
    return size == 1 && cx_streq(cvs_model_output_activation(m, 0), "sigmoid");
}

int64_t cx_scores_classes(const cvs_model *m)
{
    const cx_shape *s = &m->nodes[m->outputs[0]].shape;
    if (s->ndim != 2 || s->d[1] < 1) return 0;
    return is_two_sided(m, s->d[1]) ? 2 : s->d[1] == 1 ? 0 : s->d[1];
}

static void add_score(cx_json_writer *w, const cx_view_model *model, const score *s, int is_class)
{
    cx_json_open(w, NULL, '{');
    if (is_class) {
        cx_json_add_int(w, "class", s->class);
        cx_json_add_string(w, "name",
                           model->classes ? cvs_classes_name(model->classes, (int)s->class) : NULL);
    }
    cx_json_add_number(w, "score", s->value);
    cx_json_close(w, '}');
}

/* The scores of one input; of a batch the first. */
static score *read_scores(int64_t *n, const cvs_model *m, const float *data, int64_t size,
                          cvs_error *err)
{
    const int two = is_two_sided(m, size);
    *n = two ? 2 : size;
    score *all = cx_calloc((size_t)*n, sizeof *all);
    if (!all) {
        cx_no_memory(err, (size_t)*n * sizeof *all);
        return NULL;
    }
    for (int64_t i = 0; i < *n; i++) all[i] = (score){i, (double)data[two ? 0 : i]};
    if (two) all[0].value = 1 - all[1].value;
    qsort(all, (size_t)*n, sizeof *all, by_value);
    return all;
}

int cx_scores_add(cx_json_writer *w, const cx_view_model *model, const cvs_run *run, int64_t top,
                  cvs_error *err)
{
    const cvs_model *m = model->m;
    const char *end = cvs_model_output_activation(m, 0);
    const float *data;
    int64_t dims[CVS_MAX_DIMS], n = 0;
    int ndim, rc;
    score *all = NULL;
    TRY(cvs_run_activation(&data, dims, &ndim, run, m->outputs[0], err));
    const int64_t size = ndim == 2 ? dims[1] : ndim == 1 ? 1 : 0;
    const int64_t classes = size == 1 && !is_two_sided(m, 1) ? 0 : size == 1 ? 2 : size;
    if (size > 0 && !(all = read_scores(&n, m, data, size, err))) {
        rc = CVS_E_NOMEM;
        goto out;
    }
    cx_json_add_string(w, "output", m->nodes[m->outputs[0]].name);
    cx_json_add_int(w, "n_classes", classes);
    cx_json_add_bool(w, "is_probability",
                     classes > 0 && (cx_streq(end, "softmax") || cx_streq(end, "sigmoid")));
    cx_json_open(w, "scores", '[');
    for (int64_t i = 0; i < n && i < top; i++) add_score(w, model, &all[i], classes > 0);
    cx_json_close(w, ']');
out:
    cx_free(all);
    return rc;
}
