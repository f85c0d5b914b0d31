/* answer_pixel.c - the arithmetic of one number. */
#include <math.h>

#include "graph/reach.h"
#include "methods/arithmetic.h"
#include "serve/look.h"

enum {
    SHOWN = 16,      /* channels whose window and kernel are shown in full … */
    MOST_SHOWN = 64, /* … at most */
    MOST_SUMS = 4096,
};

/* --- what it sees --- */

typedef struct sight_question {
    const cvs_model *m;
    int node;
    cx_shape shape; /* of the input */
} sight_question;

static int make_sight(void **out, size_t *size, void *arg, cvs_error *err)
{
    const sight_question *q = arg;
    cx_sight *sight = cx_calloc(1, sizeof *sight);
    *out = NULL;
    if (!sight) return cx_no_memory(err, sizeof *sight);
    int rc = cx_sight_find(sight, q->m, q->node, &q->shape, err);
    if (rc < 0) {
        cx_free(sight);
        return rc;
    }
    *size = sizeof *sight;
    *out = sight;
    return 0;
}

static int is_picture(const cvs_model *m, const cx_shape *s)
{
    return m->n_inputs == 1 && (s->ndim == 3 || s->ndim == 4);
}

/* The part of the model's input that a place of the layer's map sees; nothing is said of models
 * whose input is no picture, and where a layer has no derivative. */
static int write_sees(cx_json_writer *w, const cx_look *look, const cx_place *place,
                      const cx_ask *ask, cvs_error *err)
{
    static const cx_keep_kind kind = {make_sight, cx_free};
    const cvs_model *m = look->model->m;
    sight_question q = {m, look->node, look->run->slots[m->inputs[0]].shape};
    cx_keep *keep = cx_viewer_results(ask->viewer);
    cx_str key = {0};
    void *sight = NULL;
    int64_t box[4];
    int rc = 0;
    q.shape.d[0] = 1;
    if (!is_picture(m, &q.shape) || look->map.stack.height * look->map.stack.width < 2) return 0;
    TRY(cx_sees(box, look->run, look->node, place->row, place->column, err));
    if (rc > 0) {
        cx_json_add_ints(w, "sees", box, 4);
        return 0;
    }
    cx_str_addf(&key, "sight %s %d %lld %lld %lld", look->model->id, look->node,
                (long long)q.shape.d[1], (long long)q.shape.d[2], (long long)q.shape.d[3]);
    TRY(cx_str_ok(&key, err));
    rc = cx_keep_take(&sight, keep, key.data, &kind, &q, err);
    if (rc == CVS_E_UNSUPPORTED || rc == CVS_E_ARG) rc = 0;
    if (rc < 0 || !sight) goto out;
    const cx_sight *s = sight;
    cx_sight_range(&s->rows, place->row, &box[0], &box[2]);
    cx_sight_range(&s->columns, place->column, &box[1], &box[3]);
    cx_json_add_ints(w, "sees", box, 4);
out:
    cx_keep_let_go(keep, sight);
    cx_str_deinit(&key);
    return rc;
}

/* --- the numbers --- */

static void write_operands(cx_json_writer *w, const cx_arithmetic *a, const cvs_model *m)
{
    cx_json_open(w, "inputs", '[');
    for (int i = 0; i < a->n_operands; i++) {
        const cx_operand *o = &a->operands[i];
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "layer", m->nodes[o->node].name);
        cx_json_add_int(w, "height", o->height);
        cx_json_add_int(w, "width", o->width);
        cx_json_add_int(w, "channels", o->channels);
        if (o->has_value && a->made != CX_MADE_READ) {
            cx_json_add_int(w, "row", o->place.row);
            cx_json_add_int(w, "column", o->place.column);
            cx_json_add_int(w, "channel", o->place.channel);
            cx_json_add_number(w, "value", o->value);
        }
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
}

/* One channel of the window's numbers; cells outside the input are null. */
static void write_cells(cx_json_writer *w, const char *key, const cx_arithmetic *a, int64_t channel,
                        int has_x, int has_kernel)
{
    cx_json_open(w, key, '[');
    for (int64_t i = 0; i < a->cells; i++) {
        const int64_t at = i * a->reads.channels + channel;
        double v = has_x ? (double)a->x[at] : 1;
        if (has_kernel) v *= (double)a->kernel[at];
        cx_json_add_number(w, NULL, has_x && !a->inside[i] ? NAN : v);
    }
    cx_json_close(w, ']');
}

static void write_channel(cx_json_writer *w, const cx_arithmetic *a, int64_t c)
{
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "channel", a->reads.first + c);
    write_cells(w, "x", a, c, 1, 0);
    if (a->kernel) {
        write_cells(w, "kernel", a, c, 0, 1);
        write_cells(w, "products", a, c, 1, 1);
        cx_json_add_number(w, "sum", a->sums[c]);
    }
    cx_json_close(w, '}');
}

static void write_window(cx_json_writer *w, const cx_arithmetic *a)
{
    const cx_window *window = &a->reads.window;
    cx_json_open(w, "window", '{');
    cx_json_add_int(w, "row", a->top);
    cx_json_add_int(w, "column", a->left);
    cx_json_add_int(w, "height", a->high);
    cx_json_add_int(w, "width", a->wide);
    cx_json_open(w, "dilation", '[');
    cx_json_add_int(w, NULL, window->dilation[CX_HEIGHT]);
    cx_json_add_int(w, NULL, window->dilation[CX_WIDTH]);
    cx_json_close(w, ']');
    cx_json_add_int(w, "first_channel", a->reads.first);
    cx_json_add_int(w, "channels", a->reads.channels);
    if (a->winner >= 0) {
        cx_json_open(w, "winner", '[');
        cx_json_add_int(w, NULL, a->top + a->winner / a->wide * window->dilation[CX_HEIGHT]);
        cx_json_add_int(w, NULL, a->left + a->winner % a->wide * window->dilation[CX_WIDTH]);
        cx_json_close(w, ']');
    }
    cx_json_close(w, '}');
}

/* The channels that add most, or the one that was asked for, and what all others add. */
static int write_channels(cx_json_writer *w, const cx_arithmetic *a, const cx_ask *ask,
                          cvs_error *err)
{
    int64_t strongest[MOST_SHOWN], one, most, n;
    double rest = 0;
    int rc;
    TRY(cx_look_index(&one, ask, "input_channel", -1, a->reads.first + a->reads.channels, err));
    TRY(cx_ask_int(&most, ask, "shown", SHOWN, 1, MOST_SHOWN, err));
    if (one >= 0 && one < a->reads.first)
        TRY(cx_fail(err, CVS_E_ARG, "input_channel: channel %lld reads the channels from %lld on",
                    (long long)a->place.channel, (long long)a->reads.first));
    n = one >= 0 ? 1 : cx_arithmetic_strongest(a, strongest, most);
    if (one >= 0) strongest[0] = one - a->reads.first;
    for (int64_t c = 0; c < a->reads.channels; c++) rest += a->sums[c];
    cx_json_open(w, "shown", '[');
    for (int64_t i = 0; i < n; i++) {
        write_channel(w, a, strongest[i]);
        rest -= a->sums[strongest[i]];
    }
    cx_json_close(w, ']');
    if (!a->kernel) goto out;
    cx_json_add_int(w, "rest_channels", a->reads.channels - n);
    cx_json_add_number(w, "rest", n < a->reads.channels ? rest : 0);
    if (a->reads.channels > MOST_SUMS) goto out;
    cx_json_open(w, "sums", '[');
    for (int64_t c = 0; c < a->reads.channels; c++) cx_json_add_number(w, NULL, a->sums[c]);
    cx_json_close(w, ']');
out:
    return rc;
}

/* Of a normalisation: what its scale and shift come from. */
static void write_weights(cx_json_writer *w, const cx_arithmetic *a, const cx_layer *l)
{
    cx_json_add_number(w, "scale", a->scale);
    cx_json_add_number(w, "shift", a->shift);
    cx_json_open(w, "weights", '{');
    for (int i = 0; i < l->n_weights; i++)
        if (a->place.channel < cx_shape_count(&l->w[i].spec.shape))
            cx_json_add_number(w, l->w[i].spec.name, (double)l->w[i].data[a->place.channel]);
    cx_json_close(w, '}');
}

static const char *how_word(const cx_arithmetic *a)
{
    static const char *const made[] = {"input", NULL,       "scale", "activation",
                                       "same",  "combined", "other"};
    static const char *const reads[] = {"sum", "largest", "mean"};
    return a->made == CX_MADE_READ ? reads[a->reads.how] : made[a->made];
}

static int write_arithmetic(cx_json_writer *w, const cx_arithmetic *a, const cx_look *look,
                            const cx_ask *ask, cvs_error *err)
{
    const cvs_model *m = look->model->m;
    const cx_layer *l = &m->layers[m->nodes[look->node].layer];
    int rc = 0;
    cx_json_add_string(w, "layer", m->nodes[look->node].name);
    cx_json_add_string(w, "class", l->class_name);
    cx_json_add_int(w, "channel", a->place.channel);
    cx_json_add_int(w, "row", a->place.row);
    cx_json_add_int(w, "column", a->place.column);
    cx_json_add_number(w, "value", a->value);
    cx_json_add_string(w, "how", how_word(a));
    write_operands(w, a, m);
    if (a->made == CX_MADE_READ) {
        write_window(w, a);
        TRY(write_channels(w, a, ask, err));
        if (a->reads.has_bias) cx_json_add_number(w, "bias", (double)a->reads.bias);
    }
    if (a->made == CX_MADE_SCALED) write_weights(w, a, l);
    if (isfinite(a->sum)) cx_json_add_number(w, "sum", a->sum);
    if (a->activation) cx_json_add_string(w, "activation", a->activation);
    if (isfinite(a->result)) cx_json_add_number(w, "result", a->result);
    TRY(write_sees(w, look, &a->place, ask, err));
out:
    return rc;
}

int cx_answer_pixel(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_look look = {0};
    cx_arithmetic a = {0};
    cx_place place;
    cx_json_writer w = {0};
    int rc;
    TRY(cx_look_begin(&look, out, ask, err));
    TRY(cx_look_compute(&look, 1, out, ask, err));
    const cx_stack *s = &look.map.stack;
    TRY(cx_look_index(&place.channel, ask, "channel", -2, s->channels, err));
    TRY(cx_look_index(&place.row, ask, "row", s->height > 1 ? -2 : 0, s->height, err));
    TRY(cx_look_index(&place.column, ask, "column", s->width > 1 ? -2 : 0, s->width, err));
    TRY(cx_arithmetic_of(&a, look.run, look.node, &place, err));
    cx_json_open(&w, NULL, '{');
    TRY(write_arithmetic(&w, &a, &look, ask, err));
    cx_json_close(&w, '}');
    TRY(cx_reply_writer(out, &w, err));
out:
    cx_str_deinit(&w.text);
    cx_arithmetic_deinit(&a);
    cx_look_end(&look, ask);
    return rc;
}
