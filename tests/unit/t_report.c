/* t_report.c - the report's page: what hostile names cannot do, and that its numbers are those of
 * the network. */
#include "tiny.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "report/html.h"
#include "report/page.h"
#include "tensor/npy.h"

/* --- pieces --- */

static void assert_text(cx_str *s, const char *text)
{
    OK(cx_str_ok(s, &err));
    assert_string_equal(s->data ? s->data : "", text);
    cx_str_deinit(s);
}

static void an_attribute_cannot_end_early(void **state)
{
    cx_str s = {0};
    (void)state;
    cx_html_attribute(&s, "a\"b'c<d>&e\x01");
    assert_text(&s, "a&quot;b&#39;c&lt;d&gt;&amp;e\xef\xbf\xbd");
    cx_html_attribute(&s, "\"\"");
    assert_text(&s, "&quot;&quot;");
    cx_html_attribute(&s, "");
    assert_text(&s, "");
}

static void json_cannot_end_its_script(void **state)
{
    cx_str s = {0};
    (void)state;
    cx_html_json(&s, "{\"a\": \"</script><!-- & \"}");
    assert_text(&s, "{\"a\": \"\\u003c/script\\u003e\\u003c!-- \\u0026 \"}");
}

/* The examples of RFC 4648, and all bytes over several of the pieces that are written at once. */
static void bytes_become_base64(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    cx_str s = {0}, want = {0};
    uint8_t many[3 * 700];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[64];
        snprintf(text, sizeof text, "data:image/png;base64,%s", pairs[i][1]);
        cx_data_uri(&s, "image/png", (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        assert_text(&s, text);
    }
    memset(many, 0xff, sizeof many);
    cx_data_uri(&s, "x", many, sizeof many);
    cx_str_add(&want, "data:x;base64,");
    cx_str_repeat(&want, "////", 700);
    assert_text(&s, want.data);
    cx_str_deinit(&want);
}

static void cells_are_means_also_at_the_edge(void **state)
{
    const float x[2 * 3 * 2] = {1, 10, 3, 30, 5, 50, 5, 50, 7, 70, 9, 90};
    float *y;
    (void)state;
    OK(cx_reduce(&y, x, 2, 3, 2, 2, &err));
    assert_true(y[0] == 4 && y[1] == 40); /* (1 + 3 + 5 + 7) / 4 */
    assert_true(y[2] == 7 && y[3] == 70); /* (5 + 9) / 2 */
    cx_free(y);
}

/* --- the page --- */

static const char dir[] = "t_report.out", page_path[] = "t_report.out/report.html";
static const char tensor_path[] = "t_report.npy";
static const char evil[] = "</script><!--<script>\"'&";

/* A convolution and a pooling whose names end scripts. By kind the first filter is dead, or
 * the answer is no number. */
typedef enum fault { NO_FAULT, DEAD, NOT_A_NUMBER } fault;
static cvs_model *faulty_model(fault kind)
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float w[4 * 3 + 12 * 2];
    cvs_model *m;
    int node;
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = (float)(i * 7 % 11) / 5 - 0.9F;
    for (int i = 0; kind == DEAD && i < 12; i += 3) w[i] = 0;
    if (kind == NOT_A_NUMBER) w[1] = NAN;
    OK(cx_model_new(&m, evil, "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Conv2D", evil,
               "{\"filters\": 3, \"kernel_size\": 2, \"padding\": \"same\", \"use_bias\": false, "
               "\"activation\": \"relu\"}",
               node);
    node = add(m, "AveragePooling2D", "<img src=x onerror=alert(1)>", "{\"pool_size\": 2}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense",
               "{\"units\": 2, \"use_bias\": false, \"activation\": \"softmax\"}", node);
    close_model(m, node, w, (int)(sizeof w / sizeof *w));
    return m;
}

static cvs_model *evil_model(void)
{
    return faulty_model(NO_FAULT);
}

static cvs_input *input(void)
{
    const cx_shape shape = {3, {SIDE, SIDE, 1}};
    float x[CELLS];
    cvs_input *in;
    numbers(x);
    OK(cx_npy_write(tensor_path, x, &shape, &err));
    OK(cvs_input_load(&in, tensor_path, 0, &err));
    unlink(tensor_path);
    return in;
}

/* The page's text, ended by 0, the caller's to cx_free(); and what the call says. */
static char *write_page(const cvs_model *m, const cvs_report_options *o, char **json)
{
    cvs_input *in = input();
    const cvs_input *const one[1] = {in};
    const cvs_report_input entry = {evil, one};
    cx_bytes bytes;
    cx_str text = {0};
    char *out;
    OK(cvs_report_write(json, m, &entry, 1, dir, o, &err));
    OK(cx_file_read(&bytes, page_path, 1 << 24, &err));
    cx_str_add_n(&text, (const char *)bytes.data, bytes.size);
    cx_bytes_deinit(&bytes);
    OK(cx_str_take(&out, &text, &err));
    unlink(page_path);
    rmdir(dir);
    cvs_input_free(in);
    return out;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}

static cx_json *data_of(const char *page)
{
    const char *from = strstr(page, "id=\"data\">"), *to;
    cx_json *root;
    assert_non_null(from);
    from += strlen("id=\"data\">");
    to = strstr(from, "</script>");
    assert_non_null(to);
    OK(cx_json_parse(&root, from, (size_t)(to - from), &err));
    return root;
}

static void names_stay_names(void **state)
{
    cvs_model *m = evil_model();
    char *page = write_page(m, &(cvs_report_options){.model = evil}, NULL);
    (void)state;
    assert_int_equal(count(page, "<script"), 3); /* the class of the root, the data, the module */
    assert_int_equal(count(page, "</script>"), 3);
    assert_int_equal(count(page, "<!--"), 0);
    assert_int_equal(count(page, "<img src=x"), 0);
    assert_true(count(page, "&lt;img src=x onerror=alert(1)&gt;") > 0);
    cx_json *data = data_of(page), *layers = cx_json_get(data, "layers");
    assert_int_equal(cx_json_size(layers), 2);
    assert_string_equal(cx_json_string(cx_json_get(cx_json_at(layers, 0), "name"), ""), evil);
    cx_json_free(data);
    cx_free(page);
    cvs_model_free(m);
}

static void a_page_is_whole_and_asks_nobody(void **state)
{
    cvs_model *m = evil_model();
    char *page = write_page(m, NULL, NULL);
    const char *at = page;
    (void)state;
    assert_int_equal(strncmp(page, "<!doctype html>", 15), 0);
    assert_non_null(strstr(page, "</html>"));
    assert_non_null(strstr(page, "default-src 'none'"));
    while ((at = strstr(at, "http"))) { /* the name of SVG's language, and "http-equiv" */
        assert_true(strncmp(at, "http://www.w3.org/2000/svg", 26) == 0 ||
                    strncmp(at, "http-equiv", 10) == 0);
        at += 4;
    }
    static const char *const tags[] = {"section", "figure", "article", "table",
                                       "ul",      "main",   "svg"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        char open[16], close[16];
        snprintf(open, sizeof open, "<%s", tags[i]);
        snprintf(close, sizeof close, "</%s>", tags[i]);
        assert_int_equal(count(page, open), count(page, close));
    }
    cx_free(page);
    cvs_model_free(m);
}

static void its_figures_are_those_of_the_network(void **state)
{
    cvs_model *m = evil_model();
    char *page = write_page(m, NULL, NULL);
    cx_json *data = data_of(page);
    const cx_json *layer = cx_json_at(cx_json_get(data, "layers"), 0);
    const cx_json *sheet = cx_json_at(cx_json_get(layer, "sheets"), 0);
    cvs_run *run = run_on(m, NULL, "conv");
    cvs_stats *each;
    int64_t n;
    (void)state;
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_stats(NULL, &each, &n, run, cvs_run_tap(run, 0), 0, &err));
    assert_int_equal(cx_json_int(cx_json_get(sheet, "channels"), 0), n);
    assert_int_equal(cx_json_int(cx_json_get(sheet, "width"), 0), SIDE);
    for (int64_t c = 0; c < n; c++) {
        const size_t i = (size_t)c;
        const double low = cx_json_number(cx_json_at(cx_json_get(sheet, "low"), i), NAN);
        const double high = cx_json_number(cx_json_at(cx_json_get(sheet, "high"), i), NAN);
        const double mean = cx_json_number(cx_json_at(cx_json_get(sheet, "mean"), i), NAN);
        assert_true(fabs(low - each[c].min) < 1e-7 && fabs(high - each[c].max) < 1e-7);
        assert_true(fabs(mean - each[c].mean) < 1e-7);
    }
    cvs_free(each);
    cvs_run_free(run);
    cx_json_free(data);
    cx_free(page);
    cvs_model_free(m);
}

static void the_same_page_by_any_number_of_threads(void **state)
{
    cvs_model *m = evil_model();
    (void)state;
    OK(cvs_set_threads(1, &err));
    char *one = write_page(m, NULL, NULL);
    OK(cvs_set_threads(3, &err));
    char *three = write_page(m, NULL, NULL);
    assert_string_equal(one, three);
    OK(cvs_set_threads(0, &err));
    cx_free(one);
    cx_free(three);
    cvs_model_free(m);
}

static void what_it_says_is_told_in_json(void **state)
{
    cvs_model *m = evil_model();
    char *json, *page = write_page(m, &(cvs_report_options){.patterns = 0}, &json);
    cx_json *root;
    (void)state;
    OK(cx_json_parse(&root, json, strlen(json), &err));
    const cx_json *in = cx_json_at(cx_json_get(root, "inputs"), 0);
    const cx_json *top = cx_json_get(in, "top");
    assert_string_equal(cx_json_string(cx_json_get(root, "report"), ""), page_path);
    assert_string_equal(cx_json_string(cx_json_get(in, "input"), ""), evil);
    assert_int_equal(cx_json_size(top), 2);
    const double a = cx_json_number(cx_json_get(cx_json_at(top, 0), "score"), NAN);
    const double b = cx_json_number(cx_json_get(cx_json_at(top, 1), "score"), NAN);
    assert_true(a >= b && fabs(a + b - 1) < 1e-6);
    cx_json_free(root);
    cvs_free(json);
    cx_free(page);
    cvs_model_free(m);
}

/* Whether a finding has these words, and is as serious. */
static int finds(const char *json, const char *words, int is_warning)
{
    cx_json *root;
    int found = 0;
    OK(cx_json_parse(&root, json, strlen(json), &err));
    const cx_json *all = cx_json_get(root, "findings");
    for (size_t i = 0; i < cx_json_size(all); i++) {
        const cx_json *f = cx_json_at(all, i);
        found |= strstr(cx_json_string(cx_json_get(f, "text"), ""), words) &&
                 cx_json_bool(cx_json_get(f, "warning"), -1) == is_warning;
    }
    cx_json_free(root);
    return found;
}

static void what_is_wrong_is_told_in_words(void **state)
{
    static const struct {
        fault fault;
        const char *words;
        int is_warning;
    } cases[] = {{DEAD, "1 of 3 in ", 0},
                 {NOT_A_NUMBER, "values are no numbers", 1},
                 {NOT_A_NUMBER, "the answer is not a number", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvs_model *m = faulty_model(cases[i].fault), *sound = evil_model();
        char *json, *page = write_page(m, NULL, &json);
        if (!finds(json, cases[i].words, cases[i].is_warning))
            fail_msg("\"%s\" is not in %s", cases[i].words, json);
        cvs_free(json);
        cx_free(page);
        page = write_page(sound, NULL, &json);
        assert_false(finds(json, cases[i].words, cases[i].is_warning));
        cvs_free(json);
        cx_free(page);
        cvs_model_free(m);
        cvs_model_free(sound);
    }
}

static void what_does_not_exist_is_refused(void **state)
{
    cvs_model *m = evil_model();
    cvs_input *in = input();
    const cvs_input *const one[1] = {in};
    const cvs_report_input entry = {"x.npy", one};
    const char *const method = "nosuch";
    const int64_t class_index = 7;
    (void)state;
    FAILS(cvs_report_write(NULL, m, &entry, 1, dir,
                           &(cvs_report_options){.methods = &method, .n_methods = 1}, &err),
          CVS_E_ARG, "nosuch");
    FAILS(
        cvs_report_write(NULL, m, &entry, 1, dir, &(cvs_report_options){.layers = "nosuch"}, &err),
        CVS_E_ARG, "nosuch");
    FAILS(cvs_report_write(NULL, m, &entry, 1, dir,
                           &(cvs_report_options){.classes = &class_index, .n_classes = 1}, &err),
          CVS_E_ARG, "7");
    FAILS(cvs_report_write(NULL, m, &entry, CVS_REPORT_INPUTS + 1, dir, NULL, &err), CVS_E_ARG,
          "room for 12");
    assert_int_equal(access(dir, F_OK), -1); /* nothing was begun */
    cvs_input_free(in);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attribute_cannot_end_early),
        cmocka_unit_test(json_cannot_end_its_script),
        cmocka_unit_test(bytes_become_base64),
        cmocka_unit_test(cells_are_means_also_at_the_edge),
        cmocka_unit_test(names_stay_names),
        cmocka_unit_test(a_page_is_whole_and_asks_nobody),
        cmocka_unit_test(its_figures_are_those_of_the_network),
        cmocka_unit_test(the_same_page_by_any_number_of_threads),
        cmocka_unit_test(what_it_says_is_told_in_json),
        cmocka_unit_test(what_is_wrong_is_told_in_words),
        cmocka_unit_test(what_does_not_exist_is_refused),
    };
    return RUN(tests);
}
