/* t_serve_ask.c - addresses, queries, and who may ask. */
#include "test.h"

#include "serve/guard.h"
#include "serve/path.h"

static cvs_error err;

/* --- addresses --- */

static void decodes_escapes(void **state)
{
    char good[] = "a%2Fb%c3%A4+%25", bad[] = "a%2", worse[] = "a%g0", zero[] = "a%00b";
    (void)state;
    OK(cx_path_decode(good, &err));
    assert_string_equal(good, "a/b\xc3\xa4+%");
    FAILS(cx_path_decode(bad, &err), CVS_E_ARG, "escape that is none");
    FAILS(cx_path_decode(worse, &err), CVS_E_ARG, "escape that is none");
    FAILS(cx_path_decode(zero, &err), CVS_E_ARG, "escape for a 0");
}

static void finds_routes(void **state)
{
    cx_path p;
    (void)state;
    OK(cx_path_find(&p, "GET", "models/m1/layers/vgg16%2Fblock1_conv1/sheet.png", &err));
    assert_string_equal(p.route->path, "models/*/layers/*/sheet.png");
    assert_string_equal(p.part[0], "m1");
    assert_string_equal(p.part[1], "vgg16/block1_conv1");
    assert_null(p.part[2]);
    cx_path_deinit(&p);
    OK(cx_path_find(&p, "HEAD", "", &err));
    assert_string_equal(p.route->path, "");
    cx_path_deinit(&p);
    OK(cx_path_find(&p, "POST", "images", &err));
    assert_string_equal(p.route->method, "POST");
    cx_path_deinit(&p);
    /* A layer may be called like a route: literal parts go by what was sent. */
    OK(cx_path_find(&p, "GET", "models/m0/layers/sheet.png", &err));
    assert_string_equal(p.route->path, "models/*/layers/*");
    cx_path_deinit(&p);
}

static void refuses_addresses(void **state)
{
    static const char *const nowhere[] = {"nothing",
                                          "models/",
                                          "models//predict",
                                          "models/m0/",
                                          "models/m0/predict/",
                                          "/models",
                                          "models/m0/%70redict",
                                          "a/b/c/d/e/f/g/h/i/j",
                                          "images/a/b",
                                          "../models"};
    cx_path p;
    (void)state;
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        if (cx_path_find(&p, "GET", nowhere[i], &err) == 0) fail_msg("%s", nowhere[i]);
        assert_int_equal(p.status, 404);
        assert_non_null(strstr(err.what, nowhere[i]));
        cx_path_deinit(&p);
    }
    FAILS(cx_path_find(&p, "POST", "models", &err), CVS_E_ARG, "is not for this address");
    assert_int_equal(p.status, 405);
    assert_string_equal(p.allow, "GET, HEAD");
    cx_path_deinit(&p);
    FAILS(cx_path_find(&p, "PUT", "images", &err), CVS_E_ARG, "PUT");
    assert_string_equal(p.allow, "GET, HEAD, POST");
    cx_path_deinit(&p);
    FAILS(cx_path_find(&p, "GET", "images/%00", &err), CVS_E_ARG, "escape");
    assert_int_equal(p.status, 400);
    cx_path_deinit(&p);
}

static void every_route_is_found(void **state)
{
    (void)state;
    for (int i = 0; cx_route_at(i); i++) {
        const cx_route *route = cx_route_at(i);
        char path[128];
        cx_path p;
        snprintf(path, sizeof path, "%s", route->path);
        for (char *star = path; (star = strchr(star, '*'));) *star = 'x';
        OK(cx_path_find(&p, route->method, path, &err));
        assert_ptr_equal(p.route, route);
        cx_path_deinit(&p);
    }
}

/* --- queries --- */

static void keeps_pairs(void **state)
{
    cx_query q = {0};
    char long_value[CX_PATH_MAX + 2];
    (void)state;
    OK(cx_query_add(&q, "a%62", "1%202", &err));
    OK(cx_query_add(&q, "flag", NULL, &err));
    assert_string_equal(q.pair[0], "ab");
    assert_string_equal(q.pair[1], "1 2");
    assert_string_equal(q.pair[3], "");
    FAILS(cx_query_add(&q, "ab", "3", &err), CVS_E_ARG, "\"ab\" twice");
    cx_query_deinit(&q);
    memset(long_value, 'x', sizeof long_value);
    long_value[CX_PATH_MAX + 1] = 0;
    FAILS(cx_query_add(&q, "k", long_value, &err), CVS_E_ARG, "too long");
    cx_query_deinit(&q);
    for (int i = 0; i < CX_QUERY_MAX; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        OK(cx_query_add(&q, key, "", &err));
    }
    FAILS(cx_query_add(&q, "more", "", &err), CVS_E_ARG, "more than");
    cx_query_deinit(&q);
}

#define ASK(...) (&(const cx_ask){.query = (const char *const[]){__VA_ARGS__, NULL}})

static void reads_numbers(void **state)
{
    static const char *const bad[] = {
        "", " 1", "+1", "1 ", "0x1", "1e1", "x", "101", "-1", "--", "99999999999999999999"};
    static const char *const bad_real[] = {"", "nan", "inf", " 1", "0x1p2", "3", "1e999", "1,5"};
    int64_t n;
    double x;
    (void)state;
    OK(cx_ask_int(&n, ASK("k", "100"), "k", 5, 0, 100, &err));
    assert_int_equal(n, 100);
    OK(cx_ask_int(&n, ASK("j", "7"), "k", 5, 0, 100, &err));
    assert_int_equal(n, 5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(cx_ask_int(&n, ASK("k", bad[i]), "k", 5, 0, 100, &err), CVS_E_ARG, "from 0 to 100");
    OK(cx_ask_number(&x, ASK("k", "-1.5e-1"), "k", 5, -1, 1, &err));
    assert_true(x == -0.15);
    for (size_t i = 0; i < sizeof bad_real / sizeof *bad_real; i++)
        FAILS(cx_ask_number(&x, ASK("k", bad_real[i]), "k", 5, -1, 2, &err), CVS_E_ARG, "from -1");
}

static void reads_words(void **state)
{
    int word;
    (void)state;
    OK(cx_ask_word(&word, ASK("resize", "bilinear"), "resize", 0, cvs_resize_name, &err));
    assert_int_equal(word, CVS_RESIZE_BILINEAR);
    OK(cx_ask_word(&word, ASK("x", "bilinear"), "resize", 3, cvs_resize_name, &err));
    assert_int_equal(word, 3);
    FAILS(cx_ask_word(&word, ASK("resize", "Bilinear"), "resize", 0, cvs_resize_name, &err),
          CVS_E_ARG, "nearest, bilinear, bicubic");
}

/* --- who may ask --- */

static int check(const cx_guard *g, cx_claims c)
{
    int status = 0;
    if (!c.host) c.host = "127.0.0.1:8150";
    return cx_guard_check(&status, g, &c, &err) == 0 ? 200 : status;
}

static void this_machine_is_asked_by_its_names_alone(void **state)
{
    const cx_guard g = {.port = 8150}, web = {.port = 80};
    static const char *const others[] = {
        "127.0.0.1", "127.0.0.1:81500",     "127.0.0.1:8151",  "127.0.0.2:8150",
        "evil:8150", "localhost.evil:8150", "localhost:8150 ", "a@localhost:8150"};
    (void)state;
    assert_int_equal(check(&g, (cx_claims){.host = "127.0.0.1:8150"}), 200);
    assert_int_equal(check(&g, (cx_claims){.host = "LocalHost:8150"}), 200);
    assert_int_equal(check(&g, (cx_claims){.host = "[::1]:8150"}), 200);
    assert_int_equal(check(&web, (cx_claims){.host = "localhost"}), 200);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(check(&g, (cx_claims){.host = others[i]}), 403);
    assert_int_equal(check(&g, (cx_claims){.host = ""}), 400);
}

static void other_origins_are_refused(void **state)
{
    const cx_guard g = {.port = 8150};
    (void)state;
    assert_int_equal(check(&g, (cx_claims){.origin = "http://127.0.0.1:8150"}), 200);
    assert_int_equal(check(&g, (cx_claims){.origin = "http://localhost:8150"}), 403);
    assert_int_equal(check(&g, (cx_claims){.origin = "https://127.0.0.1:8150"}), 403);
    assert_int_equal(check(&g, (cx_claims){.origin = "null"}), 403);
    assert_int_equal(check(&g, (cx_claims){.origin = ""}), 403);
    assert_int_equal(check(&g, (cx_claims){.site = "same-origin"}), 200);
    assert_int_equal(check(&g, (cx_claims){.site = "none"}), 200);
    assert_int_equal(check(&g, (cx_claims){.site = "same-site"}), 403);
    const cx_claims link = {.site = "cross-site", .mode = "navigate"};
    assert_int_equal(check(&g, link), 403);
    assert_int_equal(check(&g, (cx_claims){.site = "cross-site", .mode = "navigate", .is_page = 1}),
                     200);
    assert_int_equal(check(&g, (cx_claims){.site = "cross-site", .mode = "no-cors", .is_page = 1}),
                     403);
}

static void a_token_is_wanted_whole(void **state)
{
    cx_guard g = {.port = 8150}, other = {.port = 8150};
    char text[128];
    (void)state;
    OK(cx_guard_draw(&g, &err));
    OK(cx_guard_draw(&other, &err));
    assert_int_equal(strlen(g.token), 32);
    assert_string_not_equal(g.token, other.token);
    assert_int_equal(check(&g, (cx_claims){0}), 401);
    assert_int_equal(check(&g, (cx_claims){.token = g.token}), 200);
    assert_int_equal(check(&g, (cx_claims){.token = other.token}), 401);
    assert_int_equal(check(&g, (cx_claims){.token = ""}), 401);
    assert_int_equal(check(&g, (cx_claims){.host = "box:8150", .token = g.token}), 200);
    snprintf(text, sizeof text, "%.31s", g.token);
    assert_int_equal(check(&g, (cx_claims){.token = text}), 401);
    snprintf(text, sizeof text, "%s0", g.token);
    assert_int_equal(check(&g, (cx_claims){.token = text}), 401);
    snprintf(text, sizeof text, "Bearer %s", g.token);
    assert_int_equal(check(&g, (cx_claims){.authorization = text}), 200);
    assert_int_equal(check(&g, (cx_claims){.authorization = text + 7}), 401);
    snprintf(text, sizeof text, "a=1;convscope_8150=%s; b=2", g.token);
    assert_int_equal(check(&g, (cx_claims){.cookie = text}), 200);
    snprintf(text, sizeof text, "xconvscope_8150=%s", g.token);
    assert_int_equal(check(&g, (cx_claims){.cookie = text}), 401);
    snprintf(text, sizeof text, "convscope_8151=%s", g.token);
    assert_int_equal(check(&g, (cx_claims){.cookie = text}), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_escapes),
        cmocka_unit_test(finds_routes),
        cmocka_unit_test(refuses_addresses),
        cmocka_unit_test(every_route_is_found),
        cmocka_unit_test(keeps_pairs),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_words),
        cmocka_unit_test(this_machine_is_asked_by_its_names_alone),
        cmocka_unit_test(other_origins_are_refused),
        cmocka_unit_test(a_token_is_wanted_whole),
    };
    return RUN(tests);
}
