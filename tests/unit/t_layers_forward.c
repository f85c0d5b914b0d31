/* t_layers_forward.c - the numbers of every kind on examples small enough to follow by hand, and of
 * convolutions against loops that are written here. */
#include "t_layers.h"

#include <math.h>

/* --- examples from a file --- */

enum { MOST_LINE = 4096, MOST_EXAMPLES = 400 };

/* What an example's pointers point to. */
typedef struct held {
    char line[MOST_LINE];
    float x[MOST_X][MOST_NUMBERS], w[CX_MAX_WEIGHTS][MOST_NUMBERS], y[MOST_NUMBERS];
} held;

/* Numbers of a line; their count. */
static int read_numbers(const char *text, float out[MOST_NUMBERS])
{
    char *end;
    int n = 0;
    for (float v = strtof(text, &end); end != text; v = strtof(text = end, &end)) {
        assert_true(n < MOST_NUMBERS);
        out[n++] = v;
    }
    if (*end != '\n') fail_msg("no number: %s", end);
    return n;
}

/* "(1, 2, 3) 0 0.5 …": as many numbers as the shape says. */
static void read_tensor(const char *text, cx_shape *shape, float out[MOST_NUMBERS])
{
    char *at = (char *)(uintptr_t)text;
    *shape = (cx_shape){0};
    while (*at && *at != ')') {
        assert_true(shape->ndim < CX_MAX_DIMS);
        shape->d[shape->ndim++] = strtoll(at + 1, &at, 10);
    }
    if (read_numbers(at + 1, out) != cx_shape_count(shape)) fail_msg("numbers and shape: %s", text);
}

/* "Conv2D of Keras 2 {…}". */
static void read_head(example *e, char *line)
{
    char *json = strstr(line, " {"), *of = strstr(line, " of Keras ");
    assert_non_null(json);
    json[strlen(json) - 1] = 0;
    json[0] = 0;
    e->json = json + 1;
    e->class_name = line;
    if (!of) return;
    e->major = (int)strtol(of + strlen(" of Keras "), NULL, 10);
    *of = 0;
}

/* The next example; 0 at the end. */
static int read_example(FILE *f, example *e, held *h)
{
    char line[MOST_LINE];
    int n_x = 0, n_w = 0;
    *e = (example){0};
    while (fgets(line, sizeof line, f) && (line[0] != '\n' || !e->y)) {
        if (line[0] == '#' || line[0] == '\n') continue;
        if (line[1] != ' ') {
            memcpy(h->line, line, sizeof line);
            read_head(e, h->line);
        } else if (line[0] == 'x' && n_x < MOST_X) {
            read_tensor(line + 2, &e->in[n_x], h->x[n_x]);
            e->x[n_x] = h->x[n_x];
            n_x++;
        } else if (line[0] == 'w' && n_w < CX_MAX_WEIGHTS) {
            e->n_w[n_w] = read_numbers(line + 2, h->w[n_w]);
            e->w[n_w] = h->w[n_w];
            n_w++;
        } else if (line[0] == 'y') {
            read_tensor(line + 2, &e->out, h->y);
            e->y = h->y;
        } else {
            fail_msg("no line of an example: %s", line);
        }
    }
    return e->y != NULL;
}

static FILE *open_examples(void)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/layers/examples.txt", getenv("CONVSCOPE_TEST_DATA"));
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s cannot be opened", path);
    return f;
}

static void every_example_comes_out(void **state)
{
    (void)state;
    static held h;
    example e;
    FILE *f = open_examples();
    while (read_example(f, &e, &h)) check(&e, NULL);
    fclose(f);
}

static void every_kind_has_an_example(void **state)
{
    (void)state;
    static held h;
    static int seen[MOST_EXAMPLES];
    example e;
    FILE *f = open_examples();
    while (read_example(f, &e, &h))
        for (int n = 0; cx_layer_kind_at(n); n++)
            seen[n] += cx_layer_kind_find(e.class_name) == cx_layer_kind_at(n);
    fclose(f);
    for (int n = 0; cx_layer_kind_at(n); n++)
        if (!seen[n] && !cx_layer_kind_at(n)->is_identity)
            fail_msg("%s has no example", cx_layer_kind_at(n)->class_name);
}

static void identities_pass_their_input_on(void **state)
{
    (void)state;
    static const float x[6] = {1, 2, 3, -4, 5, 6};
    int n_identities = 0;
    for (int n = 0; cx_layer_kind_at(n); n++) {
        const cx_layer_kind *kind = cx_layer_kind_at(n);
        if (!kind->is_identity || kind->moves_axes) continue; /* Reshape */
        const example e = {kind->class_name, "{}", 0, {S(2, 3)}, {x}, {0}, {0}, S(2, 3), x};
        check(&e, NULL);
        n_identities++;
    }
    assert_int_equal(n_identities, 19);
}

/* Numbers that look random but are the same every time, in -1 … 1. */
static void fill(float *v, int n, unsigned seed)
{
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
}

/* Conv2D of a 7 x 6 image with 4 channels, 2 groups, 6 filters and a 3 x 2 kernel, by definition.
 */
static void naive_conv(float *y, const float *x, const float *w, const float *bias, int stride,
                       int dilation, int pad_h, int pad_w, int out_h, int out_w)
{
    for (int i = 0; i < out_h; i++)
        for (int j = 0; j < out_w; j++)
            for (int f = 0; f < 6; f++) {
                double sum = bias[f];
                for (int k = 0; k < 3 * 2 * 2; k++) {
                    int p = k / 4, q = k / 2 % 2, c = k % 2;
                    int h = i * stride - pad_h + p * dilation,
                        v = j * stride - pad_w + q * dilation;
                    if (h < 0 || h >= 7 || v < 0 || v >= 6) continue;
                    sum += (double)x[(h * 6 + v) * 4 + f / 3 * 2 + c] * (double)w[k * 6 + f];
                }
                y[(i * out_w + j) * 6 + f] = sum > 0 ? (float)sum : 0;
            }
}

static void convolutions_agree_with_their_definition(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int stride, dilation, pad_h, pad_w, out_h, out_w;
    } rows[] = {
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\"}", 1, 1,
         0, 0, 5, 5},
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\","
         " \"padding\": \"same\"}",
         1, 1, 1, 0, 7, 6},
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\","
         " \"padding\": \"same\", \"strides\": [2, 2]}",
         2, 1, 1, 0, 4, 3},
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\","
         " \"padding\": \"same\", \"dilation_rate\": [2, 2]}",
         1, 2, 2, 1, 7, 6},
    };
    float x[7 * 6 * 4], w[3 * 2 * 2 * 6], bias[6], y[7 * 6 * 6];
    fill(x, 7 * 6 * 4, 1);
    fill(w, 3 * 2 * 2 * 6, 2);
    fill(bias, 6, 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        naive_conv(y, x, w, bias, rows[i].stride, rows[i].dilation, rows[i].pad_h, rows[i].pad_w,
                   rows[i].out_h, rows[i].out_w);
        const example e = {"Conv2D", rows[i].json, 0,   {S(1, 7, 6, 4)},
                           {x},      {w, bias},    {0}, S(1, rows[i].out_h, rows[i].out_w, 6),
                           y};
        check(&e, NULL);
    }
}

static void separable_is_depthwise_then_pointwise(void **state)
{
    (void)state;
    float x[6 * 6 * 3], w[3 * 3 * 3 * 2], p[6 * 5], bias[5], between[4 * 4 * 6], y[4 * 4 * 5];
    fill(x, 6 * 6 * 3, 4);
    fill(w, 3 * 3 * 3 * 2, 5);
    fill(p, 6 * 5, 6);
    fill(bias, 5, 7);
    const example depthwise = {"DepthwiseConv2D",
                               "{\"kernel_size\": 3, \"depth_multiplier\": 2, \"use_bias\": false}",
                               0,
                               {S(1, 6, 6, 3)},
                               {x},
                               {w},
                               {0},
                               S(1, 4, 4, 6),
                               NULL};
    const example pointwise = {
        "Conv2D",  "{\"filters\": 5, \"kernel_size\": 1, \"activation\": \"tanh\"}",
        0,         {S(1, 4, 4, 6)},
        {between}, {p, bias},
        {0},       S(1, 4, 4, 5),
        NULL};
    const example both = {"SeparableConv2D",
                          "{\"filters\": 5, \"kernel_size\": 3, \"depth_multiplier\": 2,"
                          " \"activation\": \"tanh\"}",
                          0,
                          {S(1, 6, 6, 3)},
                          {x},
                          {w, p, bias},
                          {0},
                          S(1, 4, 4, 5),
                          y};
    check(&depthwise, between);
    check(&pointwise, y);
    check(&both, NULL);
}

static void out_of_memory_is_said(void **state)
{
    (void)state;
    cvs_error err;
    cx_arena *arena = cx_arena_new();
    cx_layer l;
    OK(make_layer(&l, arena, "BatchNormalization", "{}", 3, &err));
    static float numbers[65536];
    for (int i = 0; i < 4; i++) l.w[i] = (cx_weight){{.name = "w", .shape = S(65536)}, numbers};
    cx_alloc_fail_from(1);
    int rc = l.kind->prepare(&l, arena, &err);
    cx_alloc_fail_from(0);
    assert_int_equal(rc, CVS_E_NOMEM);
    cx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_comes_out),
        cmocka_unit_test(every_kind_has_an_example),
        cmocka_unit_test(identities_pass_their_input_on),
        cmocka_unit_test(convolutions_agree_with_their_definition),
        cmocka_unit_test(separable_is_depthwise_then_pointwise),
        cmocka_unit_test(out_of_memory_is_said),
    };
    return RUN(tests);
}
