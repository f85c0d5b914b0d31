/* page_compute.c - each input through the network: its pictures, what the model says, the sheets.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/input.h"
#include "report/page.h"

enum { UNLIKELY = 2 }; /* classes that are explained unless told: the first and its rival */

/* --- the answer --- */

/* The likeliest first; NaN is never chosen before a number, equal scores keep their order. */
static void choose_top(cx_page_input *in, const cx_page_score *all)
{
    for (in->n_top = 0; in->n_top < CX_PAGE_TOP && in->n_top < in->n_scores; in->n_top++) {
        int64_t best = -1;
        for (int64_t i = 0; i < in->n_scores; i++) {
            int is_taken = 0;
            for (int k = 0; k < in->n_top; k++) is_taken |= in->top[k].index == i;
            if (is_taken) continue;
            if (best < 0 || all[i].value > all[best].value ||
                (isnan(all[best].value) && !isnan(all[i].value)))
                best = i;
        }
        in->top[in->n_top] = all[best];
    }
}

/* Of one unit with a sigmoid the number is the score of class 1, the rest that of class 0. */
static int read_scores(cx_page_input *in, const cx_page *p, const cvs_run *run, cvs_error *err)
{
    const float *data;
    int64_t dims[CVS_MAX_DIMS];
    int ndim, rc;
    const char *end = cvs_model_output_activation(p->m, p->output_number);
    cx_page_score *all = NULL;
    TRY(cvs_run_activation(&data, dims, &ndim, run, p->output, err));
    if (ndim > 2) goto out;
    const int64_t size = ndim > 1 ? dims[1] : 1;
    const int two = size == 1 && cx_streq(end, "sigmoid");
    if (size == 1 && !two) {
        in->top[in->n_top++] = (cx_page_score){-1, (double)data[0]};
        goto out;
    }
    in->n_scores = two ? 2 : size;
    in->is_probability = two || cx_streq(end, "softmax") || cx_streq(end, "sigmoid");
    all = cx_calloc((size_t)in->n_scores, sizeof *all);
    if (!all) TRY(cx_no_memory(err, (size_t)in->n_scores * sizeof *all));
    for (int64_t i = 0; i < in->n_scores; i++)
        all[i] = (cx_page_score){i, (double)data[two ? 0 : i]};
    if (two) all[0].value = 1 - all[1].value;
    choose_top(in, all);
out:
    cx_free(all);
    return rc;
}

static void choose_classes(cx_page_input *in, const cvs_report_options *o)
{
    if (in->n_top > 0 && in->n_scores == 0) {
        in->classes[in->n_classes++] = -1;
        return;
    }
    if (in->n_scores == 0) return;
    for (int i = 0; i < o->n_classes && i < CX_PAGE_CLASSES; i++)
        in->classes[in->n_classes++] = o->classes[i];
    if (in->n_classes > 0) return;
    for (int i = 0; i < in->n_top && i < UNLIKELY; i++)
        in->classes[in->n_classes++] = in->top[i].index;
}

/* --- pictures --- */

static int take_pictures(cx_page_input *in, const cx_page *p, const cvs_run *run,
                         const cvs_input *data, cvs_error *err)
{
    const int node = p->m->inputs[p->pictured];
    const cx_slot *slot = &run->slots[node];
    const int first = cx_node_channel_axis(p->m, node) == 1;
    const int64_t n = slot->y.data ? cx_shape_count(&slot->shape) : 0;
    cx_image image = {0};
    int rc = 0;
    in->low = INFINITY;
    in->high = -INFINITY;
    in->squeeze = 1;
    for (int64_t i = 0; i < n; i++) {
        in->low = fmin(in->low, (double)slot->y.data[i]);
        in->high = fmax(in->high, (double)slot->y.data[i]);
    }
    TRY(cx_input_picture(&image, data, err));
    if (!image.data) goto out;
    TRY(cx_page_photo(&in->photo, &image, err));
    if (slot->shape.ndim < 3 || !data->picture.data) goto out;
    const int64_t h = slot->shape.d[1 + first], w = slot->shape.d[2 + first];
    if (h < 1 || w < 1 || h > CX_IMAGE_MAX_SIDE || w > CX_IMAGE_MAX_SIDE) goto out;
    in->squeeze = (double)w / (double)h * image.height / image.width;
    TRY(cx_page_resized(&in->seen, &image, (int)w, (int)h, p->image.resize, err));
out:
    cx_image_deinit(&image);
    return rc;
}

/* --- an input --- */

static int add_layers(cx_page *p, const cvs_run *run, cvs_error *err)
{
    if (p->layers) return 0;
    p->layers = cx_calloc((size_t)run->n_taps + 1, sizeof *p->layers);
    if (!p->layers) return cx_no_memory(err, sizeof *p->layers);
    for (; p->n_layers < run->n_taps; p->n_layers++) {
        cx_page_layer *l = &p->layers[p->n_layers];
        l->node = run->taps[p->n_layers];
        l->shrink = 1;
        l->sheets = cx_calloc((size_t)p->n_inputs + 1, sizeof *l->sheets);
        if (!l->sheets) return cx_no_memory(err, sizeof *l->sheets);
    }
    return 0;
}

/* A run of its own for each input, since a tensor file may hold a batch. */
static int make_run(cvs_run **out, cx_page *p, cvs_error *err)
{
    const cvs_report_options *o = p->o;
    const cvs_run_options how = {.taps = o->layers ? o->layers : "conv+pool",
                                 .exact = o->explain && o->explain->exact};
    int rc;
    TRY(cvs_run_new(out, p->m, &how, err));
    cx_run_keep(*out, p->output); /* besides the taps, of which they are none */
    for (int i = 0; i < p->m->n_inputs; i++) cx_run_keep(*out, p->m->inputs[i]);
    TRY(cx_run_plan(*out, err));
    TRY(add_layers(p, *out, err));
out:
    return rc;
}

static int compute(cx_page *p, int i, const cvs_report_input *given, cvs_error *err)
{
    cx_page_input *in = &p->inputs[i];
    cvs_run *run = NULL;
    int rc;
    TRY(make_run(&run, p, err));
    for (int k = 0; k < p->m->n_inputs; k++)
        TRY(cvs_run_set(run, k, 0, given->data[k], &p->image, err));
    TRY(cvs_run_forward(run, err));
    TRY(read_scores(in, p, run, err));
    choose_classes(in, p->o);
    TRY(take_pictures(in, p, run, given->data[p->pictured], err));
    if (p->n_good == 0) TRY(cx_page_choose_shrink(p, run, err));
    TRY(cx_page_draw_sheets(p, run, i, err));
    TRY(cx_page_explain(p, run, i, err));
    p->n_good++;
    if (run->batch > 1)
        TRY(cx_page_leave_out(p, err, "%s: all but the first of its %d inputs.", in->name,
                              run->batch));
out:
    cvs_run_free(run);
    return rc;
}

/* A sum that overflows, a file of the wrong shape: the other inputs may do all the same. */
static int is_about_input(int rc)
{
    return rc == CVS_E_ARG || rc == CVS_E_FORMAT || rc == CVS_E_UNSUPPORTED;
}

int cx_page_compute(cx_page *p, const cvs_report_input *inputs, cvs_error *err)
{
    int rc = 0, last = 0;
    for (int i = 0; i < p->n_inputs; i++) {
        cvs_error bad = {0};
        rc = compute(p, i, &inputs[i], &bad);
        if (rc == 0) continue;
        if (err) *err = bad;
        if (!is_about_input(rc)) return rc;
        last = cx_where(err, rc, "%s", inputs[i].name);
        snprintf(p->inputs[i].failure, sizeof p->inputs[i].failure, "%.300s: %.300s%s%.300s",
                 inputs[i].name, bad.where, bad.where[0] ? ": " : "", bad.what);
    }
    return p->n_inputs > 0 && p->n_good == 0 ? last : 0;
}
