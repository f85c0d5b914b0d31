/* t_layers_docs.c - docs/layers.md says what the table of layers says. With --print, writes what it
 * must be. */
#include "t_layers.h"

#include "base/file.h"
#include "base/str.h"

static const char head[] =
    "# Layers\n"
    "\n"
    "Every class of layer that convscope runs, from Keras 1, 2 and 3, with the arithmetic of Keras "
    "at\n"
    "inference. A model with another one is refused, and the message names the layer. This page "
    "is\n"
    "made from the table of layers: `t_layers_docs --print > docs/layers.md`.\n"
    "\n"
    "- *Input*: the axes of the input, where the layer wants a certain number.\n"
    "- *First*: `data_format` may be `channels_first` (`dim_ordering` `th` in Keras 1).\n"
    "- *Known values*: of options that are a choice of words, and of those that may have one "
    "value\n"
    "  only. With another value the layer is refused, and the message names the option.\n"
    "\n"
    "| Class | Other names | Input | First | Known values |\n"
    "| --- | --- | --- | --- | --- |\n";

static const char tail[] =
    "\n"
    "What a layer does in training alone (dropout, noise, random augmentation) passes its input "
    "on.\n"
    "Also refused: an axis 0, which is the batch; `Merge` with mode `cos` of anything but "
    "vectors;\n"
    "masks and other arguments of a call; models inside `TimeDistributed`.\n"
    "\n"
    "Operations between tensors, from `keras.ops`, `tf` and Python's operators: `+ - * /`, power,\n"
    "maximum and minimum of two tensors or a tensor and a constant; slices `x[...]` that keep the\n"
    "batch whole; concatenation and stacking; the mean and the maximum over all spatial axes; the\n"
    "functions that are activations too, `glu` and casts between floating-point types.\n";

static void add_names(cx_str *out, const cx_layer_kind *kind)
{
    for (const char *const *a = kind->aliases; a && *a; a++)
        cx_str_addf(out, "%s%s", a == kind->aliases ? "" : ", ", *a);
}

static void add_axes(cx_str *out, const cx_layer_kind *kind)
{
    static const char *const axes[] = {"", "batch, steps, channels",
                                       "batch, rows, columns, channels",
                                       "batch, depth, rows, columns, channels"};
    cx_str_add(out, axes[kind->rank]);
}

static void add_words(cx_str *out, const char *const *words)
{
    for (int i = 0; words[i]; i++) cx_str_addf(out, "%s%s", i ? ", " : "", words[i]);
}

/* A range of one value, and words: Keras may have more of them. */
static void add_limits(cx_str *out, const cx_field *fields)
{
    int n = 0;
    for (const cx_field *f = fields; f && f->key; f++) {
        const int of_words = f->type == CX_WORD;
        const int one = f->type != CX_ACTIVATION && !of_words && f->min >= f->max;
        const int key = (int)strcspn(f->key, "|");
        if (!of_words && !one) continue;
        cx_str_addf(out, "%s`%.*s`: ", n++ ? "; " : "", key, f->key);
        if (of_words)
            add_words(out, f->words);
        else if (f->type == CX_BOOL)
            cx_str_add(out, f->min != 0 ? "true" : "false");
        else
            cx_str_addf(out, "%g", f->min);
    }
}

static void write_page(cx_str *out)
{
    cx_str_add(out, head);
    for (int i = 0; cx_layer_kind_at(i); i++) {
        const cx_layer_kind *kind = cx_layer_kind_at(i);
        cx_str_addf(out, "| %s | ", kind->class_name);
        add_names(out, kind);
        cx_str_add(out, " | ");
        add_axes(out, kind);
        cx_str_addf(out, " | %s | ", kind->has_data_format ? "yes" : "");
        add_limits(out, kind->fields);
        cx_str_add(out, " |\n");
    }
    cx_str_add(out, tail);
}

static void the_page_is_what_the_table_says(void **state)
{
    (void)state;
    char path[2048];
    cvs_error err;
    cx_bytes page;
    cx_str want = {0};
    snprintf(path, sizeof path, "%s/../../docs/layers.md", getenv("CONVSCOPE_TEST_DATA"));
    OK(cx_file_read(&page, path, 1 << 20, &err));
    write_page(&want);
    OK(cx_str_ok(&want, &err));
    if (page.size != want.len || memcmp(page.data, want.data, want.len) != 0)
        fail_msg("docs/layers.md is not what t_layers_docs --print writes");
    cx_str_deinit(&want);
    cx_bytes_deinit(&page);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_is_what_the_table_says)};
    if (argc < 2 || strcmp(argv[1], "--print") != 0) return RUN(tests);
    cx_str page = {0};
    write_page(&page);
    fputs(page.data, stdout);
    cx_str_deinit(&page);
    return 0;
}
