/* answer_gradient.c - how one number of a layer changes with every number of the model's input. The
 * figures, the picture and the numbers are one computation. */
#include <math.h>
#include <string.h>

#include "draw/byte_sheet.h"
#include "graph/gradient.h"
#include "serve/look.h"
#include "tensor/npy.h"

/* What was found, kept for the other routes. */
typedef struct slope {
    int64_t place[3]; /* row, column, channel */
    double value;     /* the number there */
    cx_shape shape;   /* of the input: rows, columns, channels */
    float *d;         /* the derivatives */
    double limit;     /* the picture's scale goes from -limit to limit */
    cx_bytes png;
} slope;

static void free_slope(void *thing)
{
    slope *s = thing;
    if (!s) return;
    cx_free(s->d);
    cx_bytes_deinit(&s->png);
    cx_free(s);
}

/* Where in the layer's numbers, as the model has them, a place is. */
static int64_t index_of(const cx_stack *s, const int64_t place[3])
{
    const int64_t cell = place[0] * s->width + place[1];
    return s->turned.data ? place[2] * s->height * s->width + cell : cell * s->channels + place[2];
}

/* The derivative itself, at the input that the run was given. */
static int differentiate(slope *s, const cx_look *look, int exact, cvs_error *err)
{
    const cvs_model *m = look->model->m;
    const cx_spot to = {look->node, 0}, from = {m->inputs[0], 0};
    const cx_tensor *given = &look->run->slots[m->inputs[0]].y;
    cx_shape shape = given->shape;
    cx_gradient *g = NULL;
    cx_stack stack = {0};
    int rc;
    shape.d[0] = 1;
    const cx_gradient_options o = {.batch = 1,
                                   .exact = exact,
                                   .to = &to,
                                   .n_to = 1,
                                   .from = &from,
                                   .n_from = 1,
                                   .shapes = &shape,
                                   .keep = -1};
    TRY(cx_gradient_new(&g, m, &o, err));
    const size_t n = (size_t)cx_shape_count(&shape);
    memcpy(cx_run_input(g->run, 0, 0, 1)->data, given->data, n * sizeof *given->data);
    TRY(cx_gradient_forward(g, err));
    cx_gradient_seed(g, 0)->data[index_of(&look->map.stack, s->place)] = 1;
    TRY(cx_gradient_backward(g, NULL, err));
    TRY(cx_stack_of(&stack, m, from.node, cx_gradient_result(g, 0), 0, err));
    s->shape = (cx_shape){3, {stack.height, stack.width, stack.channels}};
    s->d = cx_calloc(n, sizeof *s->d);
    if (!s->d) TRY(cx_no_memory(err, n * sizeof *s->d));
    memcpy(s->d, stack.data, n * sizeof *s->d);
out:
    cx_stack_deinit(&stack);
    cx_gradient_free(g);
    return rc;
}

/* A pixel's byte is the sum of its channels' derivatives: what a bit more light there would do. */
static int draw(slope *s, cvs_error *err)
{
    const int64_t n = s->shape.d[0] * s->shape.d[1], k = s->shape.d[2];
    cx_block bytes = {0};
    double *sums = cx_calloc((size_t)n, sizeof *sums);
    int rc = 0;
    if (!sums) return cx_no_memory(err, (size_t)n * sizeof *sums);
    for (int64_t i = 0; i < n * k; i++) sums[i / k] += (double)s->d[i];
    for (int64_t i = 0; i < n; i++)
        if (isfinite(sums[i])) s->limit = fmax(s->limit, fabs(sums[i]));
    TRY(cx_block_init(&bytes, (size_t)n, err));
    uint8_t *to = bytes.data;
    for (int64_t i = 0; i < n; i++)
        to[i] = s->limit > 0 ? cx_byte_of(sums[i], -s->limit, s->limit) : CX_LEVELS_OF_BYTE / 2;
    TRY(cx_gray_png(&s->png, to, s->shape.d[0], s->shape.d[1], err));
out:
    cx_block_deinit(&bytes);
    cx_free(sums);
    return rc;
}

/* --- what is asked --- */

typedef struct question {
    const cx_ask *ask;
    cx_look look;
    int64_t place[3];
} question;

static int make_slope(void **out, size_t *size, void *arg, cvs_error *err)
{
    const question *q = arg;
    const cx_stack *y = &q->look.map.stack;
    slope *s = cx_calloc(1, sizeof *s);
    int rc;
    *out = NULL;
    if (!s) return cx_no_memory(err, sizeof *s);
    memcpy(s->place, q->place, sizeof s->place);
    s->value = (double)y->data[(s->place[0] * y->width + s->place[1]) * y->channels + s->place[2]];
    TRY(differentiate(s, &q->look, cx_viewer_is_exact(q->ask->viewer), err));
    TRY(draw(s, err));
    *size = (size_t)cx_shape_count(&s->shape) * sizeof *s->d + s->png.size;
    *out = s;
    s = NULL;
out:
    free_slope(s);
    return rc;
}

/* Where the channel is largest. */
static void find_largest(int64_t place[3], const cx_stack *s)
{
    float most = -INFINITY;
    for (int64_t i = 0; i < s->height * s->width; i++) {
        const float v = s->data[i * s->channels + place[2]];
        if (!(v > most)) continue;
        most = v;
        place[0] = i / s->width;
        place[1] = i % s->width;
    }
}

static int read_place(question *q, cvs_error *err)
{
    const cx_ask *ask = q->ask;
    const cx_stack *s = &q->look.map.stack;
    int64_t row, column;
    int rc;
    TRY(cx_look_index(&q->place[2], ask, "channel", -2, s->channels, err));
    TRY(cx_look_index(&row, ask, "row", -1, s->height, err));
    TRY(cx_look_index(&column, ask, "column", -1, s->width, err));
    q->place[0] = row < 0 ? 0 : row;
    q->place[1] = column < 0 ? 0 : column;
    if (row < 0 && column < 0) find_largest(q->place, s);
out:
    return rc;
}

/* The derivative that is asked for, to be let go. */
static int find_slope(const slope **out, question *q, cx_reply *reply, cvs_error *err)
{
    static const cx_keep_kind kind = {make_slope, free_slope};
    cx_str key = {0};
    cvs_image_options image;
    void *thing = NULL;
    int rc;
    *out = NULL;
    TRY(cx_look_begin(&q->look, reply, q->ask, err));
    TRY(cx_look_compute(&q->look, 0, reply, q->ask, err));
    TRY(read_place(q, err));
    TRY(cx_ask_image(&image, q->ask, err));
    cx_str_addf(&key, "gradient %s %s %d %d %d %lld %lld %lld", q->look.model->id,
                cx_ask_text(q->ask, "image", ""), (int)image.preprocess, (int)image.resize,
                q->look.node, (long long)q->place[0], (long long)q->place[1],
                (long long)q->place[2]);
    TRY(cx_str_ok(&key, err));
    TRY(cx_keep_take(&thing, cx_viewer_results(q->ask->viewer), key.data, &kind, q, err));
    *out = thing;
out:
    cx_str_deinit(&key);
    return rc;
}

static void end_question(question *q, const slope *s)
{
    cx_keep_let_go(cx_viewer_results(q->ask->viewer), (void *)(uintptr_t)s);
    cx_look_end(&q->look, q->ask);
}

/* --- answers --- */

int cx_answer_gradient(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const slope *s = NULL;
    cx_json_writer w = {0};
    int rc;
    TRY(find_slope(&s, &q, out, err));
    cx_json_open(&w, NULL, '{');
    cx_json_add_int(&w, "row", s->place[0]);
    cx_json_add_int(&w, "column", s->place[1]);
    cx_json_add_int(&w, "channel", s->place[2]);
    cx_json_add_number(&w, "value", s->value);
    cx_json_add_ints(&w, "shape", s->shape.d, 3);
    cx_json_add_int(&w, "height", s->shape.d[0]);
    cx_json_add_int(&w, "width", s->shape.d[1]);
    cx_json_add_number(&w, "low", -s->limit);
    cx_json_add_number(&w, "high", s->limit);
    cx_json_close(&w, '}');
    TRY(cx_reply_writer(out, &w, err));
out:
    end_question(&q, s);
    return rc;
}

int cx_answer_gradient_png(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const slope *s = NULL;
    int rc;
    TRY(find_slope(&s, &q, out, err));
    TRY(cx_reply_copy(out, "image/png", &s->png, err));
out:
    end_question(&q, s);
    return rc;
}

int cx_answer_gradient_npy(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const slope *s = NULL;
    cx_bytes npy = {0};
    int rc;
    TRY(find_slope(&s, &q, out, err));
    TRY(cx_npy_pack(&npy, s->d, &s->shape, err));
    cx_reply_bytes(out, "application/octet-stream", &npy);
out:
    end_question(&q, s);
    return rc;
}
