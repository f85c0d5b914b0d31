/* t_graph_svg.c - the picture of a network: well-formed, whole or not there. */
#include "test.h"

#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "formats/config.h"
#include "report/xml.h"

static cvs_error err;
static const char path[] = "t_graph_svg.svg";

#define INPUT(name)                                                                         \
    "{\"class_name\":\"InputLayer\",\"name\":\"" name "\",\"inbound_nodes\":[],\"config\":" \
    "{\"name\":\"" name "\",\"batch_input_shape\":[null,8,null,1]}}"
#define LAYER(class, name, config, calls)                                                          \
    "{\"class_name\":\"" class "\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\"" config \
                               "},\"inbound_nodes\":[" calls "]}"
#define FROM(name, call) "[\"" name "\"," #call ",0,{}]"

/* Two inputs through one nested model; names that XML must not see as they are. */
static const char twins[] =
    "{\"class_name\":\"Functional\",\"config\":{\"name\":\"a<b & "
    "\\u0001\\\"c\\\"\",\"layers\":[" INPUT("left") "," INPUT(
        "right") ",{\"class_name\":\"Functional\",\"name\":\"<eye>\","
                 "\"inbound_nodes\":[[" FROM("left", 0) "],[" FROM(
                     "right",
                     0) "]],"
                        "\"config\":{\"name\":\"<eye>\",\"layers\":[" INPUT("x") "," LAYER(
                            "Conv2D", "c", ",\"filters\":2,\"kernel_size\":[3,3]",
                            "[" FROM(
                                "x",
                                0) "]") "," LAYER("Activation", "&amp;", ",\"activation\":\"relu\"",
                                                  "[" FROM(
                                                      "c",
                                                      0) "]") "," LAYER("Add", "both", "",
                                                                        "[" FROM("c", 0) "," FROM(
                                                                            "&amp;",
                                                                            0) "]") "],"
                                                                                    "\"input_"
                                                                                    "layers\":[["
                                                                                    "\"x\",0,0]],"
                                                                                    "\"output_"
                                                                                    "layers\":[["
                                                                                    "\"both\",0,0]]"
                                                                                    "}}," LAYER(
                                                                                        "Subtract",
                                                                                        "differenc"
                                                                                        "e",
                                                                                        "",
                                                                                        "[" FROM(
                                                                                            "<eye>",
                                                                                            1) "," FROM("<eye>",
                                                                                                        2) "]") "],"
                                                                                                                "\"input_layers\":[[\"left\",0,0],[\"right\",0,0]],"
                                                                                                                "\"output_layers\":[[\"difference\",0,0]]}}";

static cvs_model *build(void)
{
    cvs_model *m;
    cx_json *root;
    OK(cx_json_parse(&root, twins, sizeof twins - 1, &err));
    OK(cx_config_build(&m, root, "2.6.0", &err));
    cx_json_free(root);
    return m;
}

/* A character that may stand in XML's text; '&' only as the begin of an entity. */
static size_t check_text(const char *s)
{
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;"};
    if (*s != '&') {
        assert_true((unsigned char)*s >= 0x20 || *s == '\n');
        return 1;
    }
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (strncmp(s, entities[i], strlen(entities[i])) == 0) return strlen(entities[i]);
    fail_msg("an ampersand on its own: %.20s", s);
    return 0;
}

/* Every element that begins ends, in order. */
static void check_elements(const char *s)
{
    enum { DEEPEST = 16, NAME = 16 };
    char open[DEEPEST][NAME];
    int depth = 0, elements = 0;
    while (*s) {
        if (*s != '<') {
            s += check_text(s);
            continue;
        }
        const char *end = strchr(s, '>');
        assert_non_null(end);
        size_t closing = s[1] == '/', n = strcspn(s + 1 + closing, " />");
        assert_true(n > 0 && n < NAME);
        if (closing) {
            assert_true(depth-- > 0);
            assert_true(strlen(open[depth]) == n && strncmp(open[depth], s + 2, n) == 0);
        } else if (end[-1] != '/') {
            assert_true(depth < DEEPEST);
            snprintf(open[depth++], NAME, "%.*s", (int)n, s + 1);
        }
        elements++;
        s = end + 1;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 50);
}

static int count(const char *text, const char *word)
{
    int n = 0;
    for (const char *s = strstr(text, word); s; s = strstr(s + 1, word)) n++;
    return n;
}

static void picture_is_well_formed_and_has_every_layer(void **state)
{
    (void)state;
    cvs_model *m = build();
    cx_bytes bytes;
    cx_str text = {0};
    OK(cvs_graph_write(m, path, &err));
    OK(cx_file_read(&bytes, path, 1 << 20, &err));
    cx_str_add_n(&text, (char *)bytes.data, bytes.size);
    OK(cx_str_ok(&text, &err));
    check_elements(text.data);
    assert_int_equal(count(text.data, ">Conv2D<"), 2); /* a box for every call */
    assert_int_equal(count(text.data, ">Subtract<"), 1);
    assert_int_equal(count(text.data, "class=\"f\""), 2); /* a frame for every call */
    assert_int_equal(count(text.data, ">&lt;eye&gt;<"), 2);
    assert_int_equal(count(text.data, ">&amp;amp;<"), 1);
    assert_int_equal(count(text.data, " data-layer=\""), m->n_nodes);
    assert_int_equal(count(text.data, " data-layer=\"&lt;eye&gt;/"), 6);
    assert_int_equal(count(text.data, "a&lt;b &amp; \xef\xbf\xbd\"c\""), 2);
    assert_int_equal(count(text.data, "kernel (3, 3, 1, 2)\nbias (2,)"), 2);
    assert_non_null(strstr(text.data, ">6 × ? × 2<"));
    cx_str_deinit(&text);
    cx_bytes_deinit(&bytes);
    cvs_model_free(m);
    remove(path);
}

static void no_memory_leaves_no_picture(void **state)
{
    (void)state;
    cvs_model *m = build();
    int rc = CVS_E_NOMEM, n;
    for (n = 1; rc < 0; n++) {
        cx_alloc_fail_from(n);
        rc = cvs_graph_write(m, path, &err);
        cx_alloc_fail_from(0);
        if (rc < 0) {
            assert_int_equal(rc, CVS_E_NOMEM);
            assert_int_equal(access(path, F_OK), -1);
        }
    }
    assert_true(n > 10);
    remove(path);
    FAILS(cvs_graph_write(m, "/nowhere/at/all.svg", &err), CVS_E_IO, "/nowhere");
    cvs_model_free(m);
}

static void text_that_xml_has_no_word_for_is_replaced(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain é × €", "plain é × €"},
        {"<&>", "&lt;&amp;&gt;"},
        {"\x01\x7f", "\xef\xbf\xbd\x7f"},
        {"\xc3", "\xef\xbf\xbd"},                                 /* cut off */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* too long a form */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half a pair */
        {"\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* U+FFFE */
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cx_str out = {0};
        cx_xml_text(&out, cases[i][0]);
        assert_string_equal(out.data, cases[i][1]);
        cx_str_deinit(&out);
    }
}

static void long_names_keep_both_ends(void **state)
{
    (void)state;
    cx_font *font;
    cx_str out = {0};
    OK(cx_font_new(&font, &err));
    cx_xml_fitted(&out, font, 11, 150, "block_of_many_layers_with_a_very_long_name_conv2d_17");
    assert_non_null(strstr(out.data, "…"));
    assert_memory_equal(out.data, "block", 5);
    assert_string_equal(out.data + out.len - 9, "conv2d_17");
    assert_true(cx_font_width(font, 11, out.data) <= 150);
    cx_str_deinit(&out);
    cx_font_free(font);
}

static void coordinates_are_tenths(void **state)
{
    (void)state;
    cx_str out = {0};
    cx_xml_point(&out, 12, -0.26);
    cx_xml_point(&out, 0.04, 1234.96);
    assert_string_equal(out.data, "12 -0.3 0 1235 ");
    cx_str_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture_is_well_formed_and_has_every_layer),
        cmocka_unit_test(no_memory_leaves_no_picture),
        cmocka_unit_test(text_that_xml_has_no_word_for_is_replaced),
        cmocka_unit_test(long_names_keep_both_ends),
        cmocka_unit_test(coordinates_are_tenths),
    };
    return RUN(tests);
}
