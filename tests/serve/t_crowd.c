/* t_crowd.c - many clients, slow ones, those that leave, and those that have no business here. */
#define _GNU_SOURCE
#include "client.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static viewer v;
static reply r;
static char image[17];

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Ask for a path, in which @ stands for the word. */
static int begin(const char *path, const char *word)
{
    char text[1024];
    const int before = (int)strcspn(path, "@");
    const int n =
        snprintf(text, sizeof text, "GET %.*s%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", before,
                 path, path[before] ? word : "", path[before] ? path + before + 1 : "", v.port);
    const int fd = client_connect(&v, 120);
    client_send(fd, text, (size_t)n);
    return fd;
}

static int ask(const char *path, const char *word)
{
    const int fd = begin(path, word);
    const int status = client_read(&r, fd);
    close(fd);
    return status;
}

static const char predict[] = "/api/v1/models/m0/predict?image=@";
/* Minutes of work, of which nobody sees an end here. */
static const char endless[] = "/api/v1/models/m0/heatmap?method=rise&steps=10000&image=@";
static const char climb[] = "/api/v1/models/m0/layers/conv2d_5/pattern?channel=1&steps=4000&seed=@";

/* --- many --- */

static void serves_200_at_once(void **state)
{
    enum { N = 200 };
    static int fd[N];
    int good = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        char query[64];
        snprintf(query, sizeof query, "%s&top=%d", image, i + 1); /* each another question */
        fd[i] = begin(predict, query);
    }
    for (int i = 0; i < N; i++) {
        const int status = client_read(&r, fd[i]);
        close(fd[i]);
        if (status == 200)
            good++;
        else if (status != 503 || !strstr(r.bytes, "Retry-After: "))
            fail_msg("client %d: %d %s", i, status, r.bytes);
    }
    if (good < 100) fail_msg("%d of %d were served", good, N);
    assert_int_equal(ask(predict, image), 200);
}

static void serves_beside_those_that_say_nothing(void **state)
{
    enum { N = 200 };
    static int fd[N];
    (void)state;
    for (int i = 0; i < N; i++) fd[i] = client_connect(&v, 60);
    const double start = seconds();
    assert_int_equal(ask("/@", "viewer.js"), 200);
    assert_int_equal(ask(predict, image), 200);
    if (seconds() - start > 10) fail_msg("it took %.1f s", seconds() - start);
    for (int i = 0; i < N; i++) close(fd[i]);
}

/* --- slow --- */

/* A header a letter a second: the whole of it has 15 s. */
static void ends_who_is_slow(void **state)
{
    const char *const text =
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const int fd = client_connect(&v, 5);
    const double start = seconds();
    (void)state;
    for (size_t i = 0; seconds() - start < 40; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};
        if (i < strlen(text) && !client_send(fd, text + i, 1)) break;
        if (poll(&p, 1, 1000) > 0) break; /* hung up */
    }
    close(fd);
    if (seconds() - start > 25) fail_msg("it was let be for %.1f s", seconds() - start);
    assert_int_equal(ask(predict, image), 200);
}

/* --- leaving --- */

static void stops_what_nobody_waits_for(void **state)
{
    enum { N = 6 };
    int fd[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        char query[64];
        snprintf(query, sizeof query, "%s&seed=%d&class=%d", image, i, i % 2);
        fd[i] = begin(endless, query);
    }
    const double start = seconds();
    assert_int_equal(ask(predict, image), 200); /* beside them */
    assert_int_equal(ask("/@", ""), 200);
    if (seconds() - start > 20) fail_msg("a prediction waited for %.1f s", seconds() - start);
    for (int i = 0; i < N; i++) close(fd[i]);
    assert_int_equal(ask("/api/v1/models/m0/heatmap?method=gradcam&image=@", image), 200);
    if (seconds() - start > 60) fail_msg("the lane was not free for %.1f s", seconds() - start);
}

static void survives_who_leaves_midway(void **state)
{
    char text[512];
    (void)state;
    for (int i = 0; i < 40; i++) {
        const int n = snprintf(text, sizeof text,
                               "POST /api/v1/images HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                               "Content-Length: 30000000\r\n\r\n%0*d",
                               v.port, 1 + i * 5, 7);
        const int fd = client_connect(&v, 5);
        client_send(fd, text, (size_t)(i % 2 ? n : n / 2));
        close(fd);
        close(begin("/api/v1/models/m0/layers/conv2d_5/sheet.png?image=@", image));
    }
    assert_int_equal(ask(predict, image), 200);
}

/* --- streams --- */

static void limits_streams(void **state)
{
    enum { N = 40 };
    int fd[N], good = 0, refused = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        char seed[16];
        snprintf(seed, sizeof seed, "%d", i);
        fd[i] = begin(climb, seed);
    }
    for (int i = 0; i < N; i++) {
        struct pollfd p = {.fd = fd[i], .events = POLLIN};
        char head[64] = "";
        if (poll(&p, 1, 60000) == 1 && read(fd[i], head, 13) == 13) {
            good += strncmp(head, "HTTP/1.1 200 ", 13) == 0;
            refused += strncmp(head, "HTTP/1.1 429 ", 13) == 0;
        }
    }
    assert_int_equal(good, 16);
    assert_int_equal(refused, N - 16);
    assert_int_equal(ask(predict, image), 200);
    for (int i = 0; i < N; i++) close(fd[i]);
    /* And there is room again: the first event comes. */
    const double start = seconds();
    int status = 429;
    while (status == 429 && seconds() - start < 60) {
        const int one =
            begin("/api/v1/models/m0/layers/conv2d_5/pattern?channel=2&steps=4&seed=@", "1");
        status = client_read(&r, one);
        close(one);
        if (status == 429) usleep(200000);
    }
    assert_int_equal(status, 200);
    assert_non_null(strstr(r.body, "event: pattern"));
    assert_non_null(strstr(r.body, "\"done\": 1"));
}

/* --- all of it from threads --- */

static void *ask_often(void *arg)
{
    static const char *const paths[] = {
        "/@",
        "/api/v1/images?@",
        "/api/v1/models/m0/predict?image=@",
        "/api/v1/models/m0/layers/conv2d_5?image=@",
        "/api/v1/models/m0/layers/conv2d_5/sheet.png?image=@",
        "/api/v1/models/m0/seen?image=@",
        "/api/v1/images/@?size=100",
        "/api/v1/models/m0/heatmap?image=@",
        "/api/v1/models/m0/heatmap.png?image=@",
        "/api/v1/models/m0/layers/conv2d_6/gradient.png?channel=1&image=@",
        "/api/v1/models/m0/layers/conv2d_6/examples?channel=1&x=@"};
    reply *own = malloc(sizeof *own);
    int *bad = arg, seed = *bad;
    *bad = 0;
    for (int i = 0; own && i < 60; i++) {
        const size_t which = (size_t)(i * 7 + seed) % (sizeof paths / sizeof *paths);
        char query[96];
        snprintf(query, sizeof query, "%s%s", which ? image : "",
                 (i + seed) % 3 == 1 && which > 1 && which != 6 ? "&resize=bilinear" : "");
        const int fd = begin(paths[which], query);
        if (i % 9 != 4) *bad += client_read(own, fd) != 200 && own->status != 503;
        close(fd); /* sometimes without waiting */
    }
    free(own);
    return NULL;
}

static void serves_threads(void **state)
{
    enum { N = 8 };
    pthread_t thread[N];
    int bad[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        bad[i] = i;
        assert_int_equal(pthread_create(&thread[i], NULL, ask_often, &bad[i]), 0);
    }
    for (int i = 0; i < N; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < N; i++) assert_int_equal(bad[i], 0);
}

/* --- the page --- */

/* Each module that the page's files import is served, too. */
static void has_all_that_it_imports(void **state)
{
    static reply page;
    char queue[128][64] = {"viewer.js"};
    int n = 1;
    (void)state;
    for (int i = 0; i < n; i++) {
        if (ask("/@", queue[i]) != 200) fail_msg("/%s: %d", queue[i], r.status);
        page = r;
        for (const char *at = page.body; (at = strstr(at, "from './")); at++) {
            char name[64];
            int known = 0;
            snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 8, "'"), at + 8);
            for (int k = 0; k < n; k++) known |= strcmp(queue[k], name) == 0;
            if (!known && n < 128) memcpy(queue[n++], name, sizeof name);
        }
    }
    assert_true(n > 5);
}

static void remembers_what_the_client_has(void **state)
{
    char path[128], header[128];
    (void)state;
    snprintf(path, sizeof path, "/api/v1/models/m0/predict?image=%s", image);
    assert_int_equal(client_get(&r, &v, path, NULL), 200);
    const char *tag = strstr(r.bytes, "ETag: ");
    assert_non_null(tag);
    snprintf(header, sizeof header, "If-None-Match: %.18s\r\n", tag + 6);
    assert_int_equal(client_get(&r, &v, path, header), 304);
    assert_int_equal(client_get(&r, &v, path, "If-None-Match: \"0\"\r\n"), 200);
}

/* --- others --- */

static void wants_a_token_from_others(void **state)
{
    static viewer open;
    char path[200], header[200];
    (void)state;
    viewer_start(&open, (const char *const[]){"--host", "0.0.0.0", NULL});
    assert_int_equal(strlen(open.token), 32);
    assert_int_equal(client_get(&r, &open, "/", NULL), 401);
    assert_int_equal(client_get(&r, &open, "/viewer.js", NULL), 401);
    assert_int_equal(client_get(&r, &open, "/api/v1/models", NULL), 401);
    assert_int_equal(client_post(&r, &open, "/api/v1/images", "abc", 3), 401);
    assert_int_equal(client_get(&r, &open, "/?token=", NULL), 401);
    assert_int_equal(client_get(&r, &open, "/?token=0123456789abcdef0123456789abcdef", NULL), 401);
    snprintf(path, sizeof path, "/?token=%.31s", open.token);
    assert_int_equal(client_get(&r, &open, path, NULL), 401);
    snprintf(path, sizeof path, "/?token=%s0", open.token);
    assert_int_equal(client_get(&r, &open, path, NULL), 401);
    snprintf(path, sizeof path, "/?token=%s", open.token);
    assert_int_equal(client_get(&r, &open, path, NULL), 303);
    assert_non_null(strstr(r.bytes, "Location: /\r\n"));
    assert_non_null(strstr(r.bytes, "HttpOnly; SameSite=Strict"));
    const char *cookie = strstr(r.bytes, "Set-Cookie: ");
    assert_non_null(cookie);
    snprintf(header, sizeof header, "Cookie: a=b; %.*s; c=d\r\n", (int)strcspn(cookie + 12, ";"),
             cookie + 12);
    assert_int_equal(client_get(&r, &open, "/", header), 200);
    assert_int_equal(client_get(&r, &open, "/api/v1/models", header), 200);
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", open.token);
    assert_int_equal(client_get(&r, &open, "/api/v1/models", header), 200);
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\nOrigin: http://evil\r\n",
             open.token);
    assert_int_equal(client_get(&r, &open, "/api/v1/models", header), 403);
    snprintf(header, sizeof header, "Authorization: Bearer x%s\r\n", open.token);
    assert_int_equal(client_get(&r, &open, "/api/v1/models", header), 401);
    viewer_stop(&open, 20);
}

/* --- the end --- */

static void ends_in_the_middle_of_work(void **state)
{
    static viewer busy;
    const viewer kept = v;
    int fd[4];
    (void)state;
    viewer_start(&busy, NULL);
    v = busy;
    for (int i = 0; i < 4; i++) {
        char seed[16];
        snprintf(seed, sizeof seed, "%d", i);
        fd[i] = begin(climb, seed);
    }
    usleep(500000);
    v = kept;
    viewer_stop(&busy, 10);
    for (int i = 0; i < 4; i++) close(fd[i]);
}

static int start(void **state)
{
    (void)state;
    viewer_start(&v, NULL);
    client_bring(image, &r, &v, "/api/v1/images");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    viewer_stop(&v, 30);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_all_that_it_imports),
        cmocka_unit_test(remembers_what_the_client_has),
        cmocka_unit_test(serves_200_at_once),
        cmocka_unit_test(serves_beside_those_that_say_nothing),
        cmocka_unit_test(ends_who_is_slow),
        cmocka_unit_test(stops_what_nobody_waits_for),
        cmocka_unit_test(survives_who_leaves_midway),
        cmocka_unit_test(limits_streams),
        cmocka_unit_test(serves_threads),
        cmocka_unit_test(wants_a_token_from_others),
        cmocka_unit_test(ends_in_the_middle_of_work),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
