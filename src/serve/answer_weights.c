/* answer_weights.c - what a layer has learned: of a channel its kernel and bias. */
#include "serve/look.h"
#include "tensor/stats.h"

enum { MOST_NUMBERS = 1 << 20 };

static void write_numbers(cx_json_writer *w, const char *key, const int64_t *shape, int ndim,
                          const float *x, int64_t n)
{
    cvs_stats s;
    cx_stats_channels(&s, x, n, 1);
    cx_json_open(w, key, '{');
    cx_json_add_ints(w, "shape", shape, ndim);
    cx_json_add_number(w, "min", s.min);
    cx_json_add_number(w, "max", s.max);
    cx_json_add_floats(w, "numbers", x, n);
    cx_json_close(w, '}');
}

/* What the layer has, in Keras' order. */
static void write_list(cx_json_writer *w, const cx_layer *l)
{
    cx_json_open(w, "weights", '[');
    for (int i = 0; i < l->n_weights; i++) {
        const cx_shape *shape = &l->w[i].spec.shape;
        cvs_stats s;
        cx_stats_channels(&s, l->w[i].data, cx_shape_count(shape), 1);
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "name", l->w[i].spec.name);
        cx_json_add_ints(w, "shape", shape->d, shape->ndim);
        cx_json_add_number(w, "min", s.min);
        cx_json_add_number(w, "max", s.max);
        cx_json_add_number(w, "mean", s.mean);
        cx_json_add_number(w, "std", s.std);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
}

/* The kernel with which a channel reads its input: rows, columns, channels. */
static int write_kernel(cx_json_writer *w, const cx_layer *l, const cx_shape *in, int64_t channel,
                        cvs_error *err)
{
    cx_reads reads;
    int64_t n;
    if (!cx_layer_reads(&reads, l, in, channel, NULL) || reads.how != CX_READS_SUM) return 0;
    if (cx_mul_count(&n, cx_window_cells(&reads.window), reads.channels) || n > MOST_NUMBERS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "its kernel has more than %d numbers", MOST_NUMBERS);
    float *kernel = cx_calloc((size_t)n, sizeof *kernel);
    if (!kernel) return cx_no_memory(err, (size_t)n * sizeof *kernel);
    (void)cx_layer_reads(&reads, l, in, channel, kernel);
    const int64_t shape[] = {reads.window.kernel[CX_HEIGHT], reads.window.kernel[CX_WIDTH],
                             reads.channels};
    cx_json_add_int(w, "first_channel", reads.first);
    write_numbers(w, "kernel", shape, 3, kernel, n);
    if (reads.has_bias) cx_json_add_number(w, "bias", (double)reads.bias);
    cx_free(kernel);
    return 0;
}

/* Of weights with a number for each channel, that of this one. */
static void write_own(cx_json_writer *w, const cx_layer *l, int64_t channel, int64_t channels)
{
    cx_json_open(w, "own", '{');
    for (int i = 0; i < l->n_weights; i++) {
        const cx_shape *shape = &l->w[i].spec.shape;
        if (shape->ndim == 1 && shape->d[0] == channels)
            cx_json_add_number(w, l->w[i].spec.name, (double)l->w[i].data[channel]);
    }
    cx_json_close(w, '}');
}

int cx_answer_weights(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_look look = {0};
    cx_json_writer w = {0};
    int64_t channel;
    int rc;
    TRY(cx_look_begin(&look, out, ask, err));
    const cvs_model *m = look.model->m;
    const cx_node *node = &m->nodes[look.node];
    const cx_layer *l = &m->layers[node->layer];
    if (l->kind->is_unknown)
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "layers of class %s are not known", l->class_name));
    const int64_t channels = cx_look_channels(m, look.node);
    if (l->n_weights < 1)
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "layer \"%s\" has no weights", node->name));
    TRY(cx_look_index(&channel, ask, "channel", -1, channels, err));
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "layer", node->name);
    cx_json_add_string(&w, "class", l->class_name);
    write_list(&w, l);
    if (channel >= 0) {
        cx_json_add_int(&w, "channel", channel);
        if (node->n_inputs == 1)
            TRY(write_kernel(&w, l, &m->nodes[node->inputs[0]].shape, channel, err));
        write_own(&w, l, channel, channels);
    }
    cx_json_close(&w, '}');
    TRY(cx_reply_writer(out, &w, err));
out:
    cx_str_deinit(&w.text);
    return rc;
}
