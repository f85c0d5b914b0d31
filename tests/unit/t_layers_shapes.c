/* t_layers_shapes.c - shape rules: every kind of the table once, windows, free sizes, hostile
 * configurations, weights in Keras' order. */
#include "t_layers.h"
#include "t_layers_kinds.h"

static void expect_shape(const char *what, const cx_shape *got, const cx_shape *want)
{
    char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
    if (!cx_shape_equal(got, want))
        fail_msg("%s: %s, not %s", what, cx_shape_text(a, got), cx_shape_text(b, want));
}

static void every_row_of_the_table_is_here_once(void **state)
{
    (void)state;
    int n = 0;
    for (; cx_layer_kind_at(n); n++) {
        int seen = 0;
        for (int i = 0; i < N_KINDS; i++)
            seen += strcmp(kinds[i].class_name, cx_layer_kind_at(n)->class_name) == 0;
        if (seen != 1) fail_msg("%s: %d entries", cx_layer_kind_at(n)->class_name, seen);
    }
    assert_int_equal(n, N_KINDS);
}

static void every_kind_makes_its_shape_and_weights(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        cvs_error err = {0};
        cx_arena *arena = cx_arena_new();
        cx_layer l;
        cx_shape in[3] = {kinds[i].in, kinds[i].in, kinds[i].in}, out;
        cx_weight_spec w[CX_MAX_WEIGHTS];
        int n_in = kinds[i].n_in ? kinds[i].n_in : 1, n = 0;
        char names[128] = "";
        OK(make_layer(&l, arena, kinds[i].class_name, kinds[i].json, 3, &err));
        OK(cx_layer_infer(&l, in, n_in, &out, &err));
        expect_shape(kinds[i].class_name, &out, &kinds[i].out);
        OK(n = cx_layer_weights(&l, in, n_in, w, &err));
        for (int k = 0; k < n; k++) {
            size_t at = strlen(names);
            snprintf(names + at, sizeof names - at, "%s%s%s", k ? " " : "", w[k].name,
                     w[k].frozen ? "*" : "");
            assert_true(cx_shape_is_known(&w[k].shape));
        }
        assert_string_equal(names, kinds[i].weights);
        assert_non_null(l.kind->forward);
        cx_arena_free(arena);
    }
}

static void every_kind_survives_any_input_shape(void **state)
{
    (void)state;
    static const cx_shape odd[] = {
        {0},
        S(N),
        S(1),
        S(N, 0, 0, 0),
        S(N, 1, 1, 1),
        S(N, -7, 3, 2),
        S(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX),
        S(1, (int64_t)1 << 40, 1, 1),
        S(N, 1, 1, (int64_t)1 << 40),
        S(N, N, N, N),
        S(N, N, N),
        S(N, N, N, N, N),
        S(1, 1, 1, 1, 1, 1),
    };
    for (int i = 0; i < N_KINDS; i++) {
        cvs_error err = {0};
        cx_arena *arena = cx_arena_new();
        cx_layer l;
        cx_shape out;
        OK(make_layer(&l, arena, kinds[i].class_name, kinds[i].json, 3, &err));
        assert_true(cx_layer_infer(&l, odd, 0, &out, &err) < 0);
        for (size_t k = 0; k < sizeof odd / sizeof odd[0]; k++) {
            const cx_shape in[2] = {odd[k], odd[k]};
            for (int n_in = 1; n_in <= 2; n_in++) {
                cx_weight_spec w[CX_MAX_WEIGHTS];
                if (cx_layer_infer(&l, in, n_in, &out, &err) < 0) continue;
                assert_true(out.ndim >= 1 && out.ndim <= CX_MAX_DIMS);
                for (int a = 0; a < out.ndim; a++) assert_true(out.d[a] == N || out.d[a] > 0);
                OK(cx_layer_weights(&l, in, n_in, w, &err));
            }
        }
        cx_arena_free(arena);
    }
}

static void windows_follow_tensorflow(void **state)
{
    (void)state;
    static const struct {
        int64_t n, kernel, stride, dilation;
        int padding;
        int64_t out, pad;
    } rows[] = {
        {8, 3, 1, 1, CX_VALID, 6, 0},  {8, 3, 2, 1, CX_VALID, 3, 0},  {9, 3, 2, 1, CX_VALID, 4, 0},
        {8, 3, 1, 2, CX_VALID, 4, 0},  {8, 3, 1, 1, CX_SAME, 8, 1},   {8, 3, 2, 1, CX_SAME, 4, 0},
        {9, 3, 2, 1, CX_SAME, 5, 1},   {8, 2, 1, 1, CX_SAME, 8, 0},   {8, 4, 1, 1, CX_SAME, 8, 1},
        {8, 1, 2, 1, CX_SAME, 4, 0},   {9, 1, 2, 1, CX_SAME, 5, 0},   {7, 1, 3, 1, CX_SAME, 3, 0},
        {9, 1, 3, 1, CX_SAME, 3, 0},   {8, 3, 1, 2, CX_SAME, 8, 2},   {2, 5, 1, 1, CX_SAME, 2, 2},
        {1, 3, 2, 1, CX_SAME, 1, 1},   {8, 3, 1, 1, CX_CAUSAL, 8, 2}, {8, 3, 1, 2, CX_CAUSAL, 8, 4},
        {9, 2, 2, 1, CX_CAUSAL, 5, 1}, {N, 3, 2, 1, CX_SAME, N, 0},   {3, 3, 1, 1, CX_VALID, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cvs_error err;
        cx_window w;
        const cx_window_config c = {
            {1, rows[i].kernel}, {1, rows[i].stride}, {1, rows[i].dilation}, rows[i].padding};
        const cx_shape in = {4, {2, 1, rows[i].n, 3}};
        OK(cx_window_of(&w, &c, 2, &in, &err));
        assert_int_equal(w.batch, 2);
        assert_int_equal(w.out[CX_DEPTH] * w.out[CX_HEIGHT], 1);
        assert_int_equal(w.in[CX_WIDTH], rows[i].n);
        if (w.out[CX_WIDTH] != rows[i].out) fail_msg("row %zu: out", i);
        if (rows[i].n != N && w.pad[CX_WIDTH] != rows[i].pad) fail_msg("row %zu: pad", i);
    }
}

static void merges_broadcast(void **state)
{
    (void)state;
    static const struct {
        const char *class_name, *json;
        cx_shape a, b, out; /* out.ndim 0: refused */
    } rows[] = {
        {"Add", "{}", S(N, 8, 8, 3), S(N, 1, 1, 3), S(N, 8, 8, 3)},
        {"Multiply", "{}", S(N, 1, 1, 3), S(N, 8, 8, 3), S(N, 8, 8, 3)},
        {"Add", "{}", S(N, 8, 8, 3), S(N, 3), S(N, 8, 8, 3)},
        {"Add", "{}", S(N, N, N, 3), S(N, 8, 8, 3), S(N, 8, 8, 3)},
        {"Add", "{}", S(N, N, 3), S(N, 1, 3), S(N, N, 3)},
        {"Add", "{}", S(N, 8, 3), S(N, 7, 3), {0}},
        {"Concatenate", "{\"axis\": 1}", S(N, 8, 3), S(N, 7, 3), S(N, 15, 3)},
        {"Concatenate", "{\"axis\": -1}", S(N, N, 3), S(N, 7, 4), S(N, 7, 7)},
        {"Concatenate", "{\"axis\": 1}", S(N, N, 3), S(N, 7, 3), S(N, N, 3)},
        {"Concatenate", "{}", S(N, 8, 3), S(N, 7, 3), {0}},
        {"Concatenate", "{}", S(N, 8, 3), S(N, 3), {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cvs_error err;
        cx_shape in[2] = {rows[i].a, rows[i].b}, out;
        if (!rows[i].out.ndim) {
            FAILS(infer_shape(&out, rows[i].class_name, rows[i].json, in, 2, &err), CVS_E_FORMAT,
                  "do not go together");
            continue;
        }
        OK(infer_shape(&out, rows[i].class_name, rows[i].json, in, 2, &err));
        expect_shape(rows[i].class_name, &out, &rows[i].out);
    }
}

static void free_sizes_stay_free(void **state)
{
    (void)state;
    static const struct {
        const char *class_name, *json;
        cx_shape in, out;
    } rows[] = {
        {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"strides\": 2}", S(N, N, 8, 3),
         S(N, N, 3, 4)},
        {"MaxPooling2D", "{}", S(N, N, N, 3), S(N, N, N, 3)},
        {"ZeroPadding2D", "{\"padding\": 3}", S(N, N, 8, 3), S(N, N, 14, 3)},
        {"Cropping2D", "{\"cropping\": 3}", S(N, N, 8, 3), S(N, N, 2, 3)},
        {"Flatten", "{}", S(N, N, 8, 3), S(N, N)},
        {"Flatten", "{}", S(N), S(N, 1)},
        {"Reshape", "{\"target_shape\": [-1, 6]}", S(N, N, 4), S(N, N, 6)},
        {"Reshape", "{\"target_shape\": [null, 6]}", S(N, 3, 4), S(N, 2, 6)},
        {"Reshape", "{\"target_shape\": [2, 6]}", S(N, N, 4), S(N, 2, 6)},
        {"Permute", "{\"dims\": [2, 1]}", S(N, N, 4), S(N, 4, N)},
        {"Dense", "{\"units\": 2}", S(N, N, 4), S(N, N, 2)},
        {"Softmax", "{\"axis\": 1}", S(N, N, 4), S(N, N, 4)},
        {"BatchNormalization", "{\"axis\": 1}", S(N, 5, N), S(N, 5, N)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cvs_error err;
        cx_shape out;
        OK(infer_shape(&out, rows[i].class_name, rows[i].json, &rows[i].in, 1, &err));
        expect_shape(rows[i].class_name, &out, &rows[i].out);
    }
}

static const struct {
    const char *class_name, *json;
    cx_shape in;
    int code;
    const char *text;
} refused[] = {
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3}", S(N, 2, 2, 3), CVS_E_FORMAT,
     "kernel 3 is larger than its input of 2"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"strides\": 0}", S(N, 8, 8, 3), CVS_E_FORMAT,
     "strides: 0 is out of range (1 to 4096)"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 0}", S(N, 8, 8, 3), CVS_E_FORMAT,
     "kernel_size: 0 is out of range"},
    {"Conv2D", "{\"filters\": 99999999, \"kernel_size\": 3}", S(N, 8, 8, 3), CVS_E_FORMAT,
     "filters: 99999999 is out of range (1 to 1048576)"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3}", S(N, 8, 3), CVS_E_FORMAT,
     "an input of 4 axes is wanted, not (None, 8, 3)"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3}", S(N, 8, 8, N), CVS_E_FORMAT,
     "axis 3 of the input (None, 8, 8, None) must have a known size"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"groups\": 3}", S(N, 8, 8, 3), CVS_E_FORMAT,
     "groups: 3 do not divide the 4 filters"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"groups\": 2}", S(N, 8, 8, 3), CVS_E_FORMAT,
     "groups: 2 do not divide the 3 channels"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"padding\": \"causal\"}", S(N, 8, 8, 3),
     CVS_E_UNSUPPORTED, "padding: \"causal\" is not supported"},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"data_format\": \"channels_middle\"}",
     S(N, 8, 8, 3), CVS_E_UNSUPPORTED, "data_format: \"channels_middle\" is not supported"},
    {"Conv2D", "{\"filters\": 1048576, \"kernel_size\": 1}", S(1, 4096, 4096, 1), CVS_E_NOMEM,
     "too large"},
    {"DepthwiseConv2D", "{\"kernel_size\": 1, \"depth_multiplier\": 4096}",
     S(N, 1, 1, (int64_t)1 << 30), CVS_E_NOMEM, "too large"},
    {"SeparableConv2D", "{\"filters\": 1, \"kernel_size\": 1, \"depth_multiplier\": 4096}",
     S(N, 4096, 4096, 64), CVS_E_NOMEM, "too large"},
    {"Conv2DTranspose",
     "{\"filters\": 4, \"kernel_size\": 3, \"strides\": 2, \"output_padding\": 2}", S(N, 8, 8, 2),
     CVS_E_FORMAT, "output_padding: 2 is not less than the stride 2"},
    {"Conv2DTranspose", "{\"filters\": 4, \"kernel_size\": 3, \"output_shape\": [null, 10, 11, 4]}",
     S(N, 8, 8, 2), CVS_E_FORMAT,
     "an output of size 11 cannot come from the input (None, 8, 8, 2)"},
    {"Conv2DTranspose", "{\"filters\": 4, \"kernel_size\": 3, \"output_shape\": [10, 10]}",
     S(N, 8, 8, 2), CVS_E_FORMAT, "output_shape: 4 numbers are wanted, not 2"},
    {"Conv2DTranspose", "{\"filters\": 4, \"kernel_size\": 1, \"strides\": 4096}",
     S(1, 1 << 20, 1 << 20, 1), CVS_E_NOMEM, "too large"},
    {"Dense", "{\"units\": 4}", S(N), CVS_E_FORMAT, "2 axes or more"},
    {"Reshape", "{\"target_shape\": [5]}", S(N, 3, 4), CVS_E_FORMAT,
     "target_shape: (5,) does not fit the input (None, 3, 4)"},
    {"Reshape", "{\"target_shape\": [-1, 5]}", S(N, 3, 4), CVS_E_FORMAT, "does not fit"},
    {"Reshape", "{\"target_shape\": [-1, -1]}", S(N, 3, 4), CVS_E_FORMAT, "only one size"},
    {"Reshape", "{\"target_shape\": [0]}", S(N, 3, 4), CVS_E_FORMAT, "target_shape: 0"},
    {"Reshape", "{\"target_shape\": [1099511627776, 1099511627776]}", S(N, 3, 4), CVS_E_NOMEM,
     "too large"},
    {"Reshape", "{\"target_shape\": [1,1,1,1,1,1]}", S(N, 1), CVS_E_FORMAT, "at most 5"},
    {"Permute", "{\"dims\": [1, 1]}", S(N, 3, 4), CVS_E_FORMAT, "dims: axis 1 is named twice"},
    {"Permute", "{\"dims\": [0, 1]}", S(N, 3, 4), CVS_E_FORMAT, "dims: 0 is out of range"},
    {"Permute", "{\"dims\": [1]}", S(N, 3, 4), CVS_E_FORMAT, "2 axes"},
    {"Activation", "{}", S(N, 3), CVS_E_FORMAT, "activation: missing"},
    {"Softmax", "{\"axis\": [1, 1]}", S(N, 3, 4), CVS_E_FORMAT, "axis: 1 is named twice"},
    {"Resizing", "{\"height\": 4, \"width\": 4, \"antialias\": true}", S(N, 8, 8, 3),
     CVS_E_UNSUPPORTED, "antialias: true is not supported"},
    {"Resizing", "{\"height\": 4, \"width\": 4, \"fill_mode\": \"reflect\"}", S(N, 8, 8, 3),
     CVS_E_UNSUPPORTED, "fill_mode: \"reflect\""},
    {"Resizing", "{\"height\": 32768, \"width\": 1, \"pad_to_aspect_ratio\": true}",
     S(1, 8, 1 << 20, 64), CVS_E_NOMEM, "too large"},
    {"MultiHeadAttention", "{\"num_heads\": 2, \"key_dim\": 3}", S(N, 8, 4), CVS_E_FORMAT,
     "a query, a value and perhaps a key are wanted, not 1"},
    {"Softmax", "{\"axis\": 3}", S(N, 3, 4), CVS_E_FORMAT, "has no axis 3"},
    {"BatchNormalization", "{\"renorm\": true}", S(N, 3), CVS_E_UNSUPPORTED, "renorm: true"},
    {"BatchNormalization", "{\"mode\": 1}", S(N, 3), CVS_E_UNSUPPORTED, "mode: 1"},
    {"LayerNormalization", "{\"axis\": [1, -3]}", S(N, 3, 2, 2), CVS_E_FORMAT,
     "axis: 1 is named twice"},
    {"UnitNormalization", "{\"axis\": 0}", S(N, 3), CVS_E_UNSUPPORTED, "axis: 0, the batch"},
    {"GroupNormalization", "{\"groups\": 3}", S(N, 4), CVS_E_FORMAT,
     "groups: 3 do not divide the 4 channels"},
    {"LayerScale", "{\"projection_dim\": 3}", S(N, 4), CVS_E_FORMAT,
     "projection_dim: 3 is not the input's 4 channels"},
    {"Merge", "{\"mode\": \"<lambda>\"}", S(N, 4), CVS_E_UNSUPPORTED, "mode: \"<lambda>\""},
    {"Merge", "{\"mode\": \"cos\"}", S(N, 4, 4), CVS_E_UNSUPPORTED, "mode: cos is supported for"},
    {"Dot", "{\"axes\": 1}", S(N, 4), CVS_E_FORMAT, "two inputs are wanted, not 1"},
    {"Dot", "{\"axes\": [1, 2, 3]}", S(N, 4), CVS_E_FORMAT, "axes: 1 or 2 are wanted, not 3"},
    {"TimeDistributed", "{}", S(N, 3, 4), CVS_E_FORMAT, "layer: missing"},
    {"TimeDistributed", "{\"layer\": {\"class_name\": \"Sequential\", \"config\": []}}", S(N, 3, 4),
     CVS_E_UNSUPPORTED, "not for a model"},
    {"TimeDistributed", "{\"layer\": {\"class_name\": \"LSTM\", \"config\": {}}}", S(N, 3, 4),
     CVS_E_UNSUPPORTED, "layers of class LSTM are not supported"},
    {"TimeDistributed", "{\"layer\": {\"class_name\": \"ReLU\", \"config\": {}}}", S(N, 3),
     CVS_E_FORMAT, "3 axes or more"},
    {"LayerNormalization", "{\"axis\": []}", S(N, 3), CVS_E_FORMAT, "axis: 1 to 6"},
    {"ZeroPadding2D", "{}", S(N, 3, 3, 1), CVS_E_FORMAT, "padding: missing"},
    {"ZeroPadding2D", "{\"padding\": [1, 2, 3]}", S(N, 3, 3, 1), CVS_E_FORMAT, "2 entries"},
    {"ZeroPadding2D", "{\"padding\": [[1], 2]}", S(N, 3, 3, 1), CVS_E_FORMAT, "a pair"},
    {"ZeroPadding1D", "{\"padding\": -1}", S(N, 3, 1), CVS_E_FORMAT, "padding: -1 is out of"},
    {"Cropping1D", "{\"cropping\": [2, 1]}", S(N, 3, 1), CVS_E_FORMAT,
     "cropping: 2 and 1 leave nothing of 3"},
    {"UpSampling2D", "{\"interpolation\": \"lanczos3\"}", S(N, 3, 3, 1), CVS_E_UNSUPPORTED,
     "interpolation: \"lanczos3\""},
    {"UpSampling2D", "{\"size\": 4096}", S(1, 1 << 20, 1 << 20, 1), CVS_E_NOMEM, "too large"},
    {"Subtract", "{}", S(N, 3), CVS_E_FORMAT, "two inputs are wanted, not 1"},
    {"Rescaling", "{}", S(N, 3), CVS_E_FORMAT, "scale: missing"},
    {"Rescaling", "{\"scale\": [1, 2]}", S(N, 3), CVS_E_FORMAT, "2 numbers are given"},
    {"Rescaling", "{\"scale\": [1, 2], \"offset\": [1, 2, 3]}", S(N, 3), CVS_E_FORMAT,
     "2 and 3 numbers"},
    {"Normalization", "{\"mean\": 1}", S(N, 3), CVS_E_FORMAT, "variance: missing"},
    {"PReLU", "{\"shared_axes\": [0]}", S(N, 3), CVS_E_FORMAT, "shared_axes: 0 is out of range"},
};

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cvs_error err = {0};
        cx_shape out;
        FAILS(infer_shape(&out, refused[i].class_name, refused[i].json, &refused[i].in, 1, &err),
              refused[i].code, refused[i].text);
    }
}

static void weights_have_keras_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *class_name, *json;
        cx_shape in;
        int n;
        cx_shape w[4];
    } rows[] = {
        {"Conv2D",
         "{\"filters\": 8, \"kernel_size\": [3, 2], \"groups\": 2}",
         S(N, 8, 8, 6),
         2,
         {S(3, 2, 3, 8), S(8)}},
        {"Conv1D",
         "{\"filters\": 8, \"kernel_size\": 3, \"use_bias\": false}",
         S(N, 8, 6),
         1,
         {S(3, 6, 8)}},
        {"DepthwiseConv2D",
         "{\"kernel_size\": 3, \"depth_multiplier\": 2}",
         S(N, 8, 8, 6),
         2,
         {S(3, 3, 6, 2), S(12)}},
        {"SeparableConv2D",
         "{\"filters\": 5, \"kernel_size\": 3, \"depth_multiplier\": 2}",
         S(N, 8, 8, 6),
         3,
         {S(3, 3, 6, 2), S(1, 1, 12, 5), S(5)}},
        {"Conv2DTranspose",
         "{\"filters\": 8, \"kernel_size\": [3, 2]}",
         S(N, 8, 8, 6),
         2,
         {S(3, 2, 8, 6), S(8)}},
        {"Dense", "{\"units\": 5}", S(N, 4, 6), 2, {S(6, 5), S(5)}},
        {"BatchNormalization",
         "{\"scale\": false, \"axis\": 1}",
         S(N, 4, 6),
         3,
         {S(4), S(4), S(4)}},
        {"LayerNormalization", "{\"axis\": [-1, -2]}", S(N, 4, 6), 2, {S(6, 4), S(6, 4)}},
        {"PReLU", "{\"shared_axes\": [1]}", S(N, 4, 6), 1, {S(1, 6)}},
        {"Normalization", "{}", S(N, 4, 6), 3, {S(6), S(6), {0}}},
        {"Normalization", "{\"axis\": null}", S(N, 4, 6), 3, {{0}, {0}, {0}}},
        {"Normalization", "{\"mean\": [1], \"variance\": 2.0}", S(N, 4, 6), 0, {{0}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cvs_error err = {0};
        cx_arena *arena = cx_arena_new();
        cx_layer l;
        cx_weight_spec w[CX_MAX_WEIGHTS];
        OK(make_layer(&l, arena, rows[i].class_name, rows[i].json, 2, &err));
        assert_int_equal(cx_layer_weights(&l, &rows[i].in, 1, w, &err), rows[i].n);
        for (int k = 0; k < rows[i].n; k++)
            expect_shape(rows[i].class_name, &w[k].shape, &rows[i].w[k]);
        cx_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_here_once),
        cmocka_unit_test(every_kind_makes_its_shape_and_weights),
        cmocka_unit_test(every_kind_survives_any_input_shape),
        cmocka_unit_test(windows_follow_tensorflow),
        cmocka_unit_test(merges_broadcast),
        cmocka_unit_test(free_sizes_stay_free),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(weights_have_keras_shapes),
    };
    return RUN(tests);
}
