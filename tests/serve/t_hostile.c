/* t_hostile.c - clients that mean the viewer no good: whatever they say, it answers the next one.
 */
#define _DEFAULT_SOURCE
#include "client.h"

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

static viewer v;
static reply r;
static char image[17]; /* the id of a picture */

#define HOST "Host: 127.0.0.1:PORT\r\n"

static void assert_alive(const char *after)
{
    if (client_get(&r, &v, "/api/v1/models", NULL) != 200)
        fail_msg("after %s it answers with %d", after, r.status);
}

/* A request as a text, in which PORT stands for the port; and the statuses that are right, 0 being
 * a connection that is closed without an answer. */
typedef struct hostile {
    const char *name, *request;
    int right[3];
} hostile;

static const hostile requests[] = {
    {"nothing but a line end", "\r\n\r\n\r\n", {0, 400}},
    {"a greeting in TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {0, 400}},
    {"no address", "GET\r\n\r\n", {0, 400}},
    {"no version", "GET /\r\n" HOST "\r\n", {0, 400}},
    {"another version", "GET / HTTP/9.9\r\n" HOST "\r\n", {0, 400, 505}},
    {"a header without a colon", "GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n", {0, 400}},
    {"a header that goes on", "GET / HTTP/1.1\r\n x\r\n" HOST "\r\n", {0, 400, 200}},
    {"no host", "GET / HTTP/1.1\r\n\r\n", {400}},
    {"no host in the old version", "GET / HTTP/1.0\r\n\r\n", {400}},
    {"an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", {400}},
    {"another host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", {403}},
    {"another host with the port", "GET / HTTP/1.1\r\nHost: evil.example:PORT\r\n\r\n", {403}},
    {"a host that begins right", "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT.evil\r\n\r\n", {403}},
    {"another port", "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", {403}},
    {"localhost", "GET / HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n", {200}},
    {"a page of another site",
     "GET /api/v1/ HTTP/1.1\r\n" HOST "Origin: http://evil\r\n\r\n",
     {403}},
    {"a page of nowhere", "GET /api/v1/ HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n", {403}},
    {"its own page",
     "GET /api/v1/ HTTP/1.1\r\n" HOST "Origin: http://127.0.0.1:PORT\r\n\r\n",
     {200}},
    {"a script of another site",
     "GET /api/v1/ HTTP/1.1\r\n" HOST
     "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n\r\n",
     {403}},
    {"a script of another port",
     "GET /viewer.js HTTP/1.1\r\n" HOST
     "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n\r\n",
     {403}},
    {"a link to an answer",
     "GET /api/v1/ HTTP/1.1\r\n" HOST
     "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\r\n",
     {403}},
    {"a link to the page",
     "GET / HTTP/1.1\r\n" HOST "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\r\n",
     {200}},
    {"a form of another site",
     "POST /api/v1/images HTTP/1.1\r\n" HOST "Origin: http://evil\r\nContent-Length: 4\r\n\r\nabcd",
     {403}},
    {"a way out of the folder", "GET /../../../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", {404}},
    {"an escaped way out", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" HOST "\r\n", {404}},
    {"a way out of pictures",
     "GET /api/v1/images/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" HOST "\r\n",
     {404}},
    {"a path as a picture", "GET /api/v1/images//etc/passwd HTTP/1.1\r\n" HOST "\r\n", {404}},
    {"an address of another host", "GET http://evil.example/ HTTP/1.1\r\n" HOST "\r\n", {404, 400}},
    {"an escape that is none", "GET /api/v1/images/%zz HTTP/1.1\r\n" HOST "\r\n", {400}},
    {"half an escape", "GET /api/v1/images/abc%4 HTTP/1.1\r\n" HOST "\r\n", {400}},
    {"a 0 in the path", "GET /api/v1/images/abc%00 HTTP/1.1\r\n" HOST "\r\n", {400}},
    {"a 0 in the query", "GET /api/v1/images?id=%00 HTTP/1.1\r\n" HOST "\r\n", {400}},
    {"an escape that is none in the query",
     "GET /api/v1/images?id=%g1 HTTP/1.1\r\n" HOST "\r\n",
     {400}},
    {"a key twice", "GET /api/v1/images?from=1&from=2 HTTP/1.1\r\n" HOST "\r\n", {400}},
    {"forty keys",
     "GET /api/v1/?a1&a2&a3&a4&a5&a6&a7&a8&a9&a10&a11&a12&a13&a14&a15&a16&a17&a18&a19&a20&a21&a22&"
     "a23&a24&a25&a26&a27&a28&a29&a30&a31&a32&a33&a34&a35&a36&a37&a38&a39&a40 HTTP/1.1\r\n" HOST
     "\r\n",
     {400}},
    {"no such route", "GET /api/v1/nothing HTTP/1.1\r\n" HOST "\r\n", {404}},
    {"another interface", "GET /api/v2/models HTTP/1.1\r\n" HOST "\r\n", {404}},
    {"a method that is not answered", "DELETE /api/v1/images HTTP/1.1\r\n" HOST "\r\n", {405}},
    {"TRACE", "TRACE / HTTP/1.1\r\n" HOST "\r\n", {405}},
    {"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\n" HOST "\r\n", {405, 400}},
    {"OPTIONS", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", {405}},
    {"a method of no kind", "\x01\x02\x03 / HTTP/1.1\r\n" HOST "\r\n", {405, 400}},
    {"POST to the page", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", {405}},
    {"POST to what is asked by GET",
     "POST /api/v1/models HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
     {405}},
    {"a body with GET", "GET / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd", {400}},
    {"no length", "POST /api/v1/images HTTP/1.1\r\n" HOST "\r\n", {411}},
    {"a body in pieces",
     "POST /api/v1/images HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
     {411}},
    {"pieces and a length",
     "POST /api/v1/images HTTP/1.1\r\n" HOST
     "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     {411, 400}},
    {"too much", "POST /api/v1/images HTTP/1.1\r\n" HOST "Content-Length: 33554433\r\n\r\n", {413}},
    {"far too much",
     "POST /api/v1/images HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999999\r\n\r\n",
     {413, 400}},
    {"a length below nothing",
     "POST /api/v1/images HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
     {413, 400}},
    {"a length that is none",
     "POST /api/v1/images HTTP/1.1\r\n" HOST "Content-Length: 4x\r\n\r\n",
     {413, 400}},
    {"an empty picture",
     "POST /api/v1/images HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
     {415}},
    {"no picture", "POST /api/v1/images HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", {415}},
    {"a request after the body",
     "POST /api/v1/images HTTP/1.1\r\n" HOST
     "Content-Length: 5\r\n\r\nhelloGET /etc/passwd HTTP/1.1\r\n\r\n",
     {415}},
};

/* The text with the port in its places. */
static size_t with_port(char *to, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text && n + 8 < size; text++)
        if (strncmp(text, "PORT", 4) == 0) {
            n += (size_t)snprintf(to + n, size - n, "%d", v.port);
            text += 3;
        } else {
            to[n++] = *text;
        }
    return n;
}

static void answers_what_is_no_request(void **state)
{
    char text[4096];
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const hostile *h = &requests[i];
        const size_t n = with_port(text, sizeof text, h->request);
        const int fd = client_connect(&v, 30);
        client_send(fd, text, n);
        /* Of what is not even a head it waits for the rest, unless nothing comes any more. */
        if (h->right[0] == 0) shutdown(fd, 1);
        const int status = client_read(&r, fd);
        close(fd);
        if (status != h->right[0] &&
            (status == 0 || (status != h->right[1] && status != h->right[2])))
            fail_msg("%s: %d instead of %d", h->name, status, h->right[0]);
        assert_alive(h->name);
    }
}

/* --- much --- */

static void refuses_what_is_too_long(void **state)
{
    enum { LONG = 200000 };
    char *text = malloc(LONG + 200);
    (void)state;
    static const char *const forms[] = {"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                                        "GET / HTTP/1.1\r\nX-Long: %s\r\n\r\n",
                                        "GET /api/v1/images?id=%s HTTP/1.1\r\n\r\n", "%s"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *mark = strstr(forms[i], "%s");
        size_t n = (size_t)(mark - forms[i]);
        memcpy(text, forms[i], n);
        memset(text + n, 'a', LONG);
        n += LONG;
        n += (size_t)snprintf(text + n, 200, "%s", mark + 2);
        const int status = client_say(&r, &v, text, n);
        if (status != 0 && (status < 400 || status > 431)) fail_msg("%s: %d", forms[i], status);
        assert_alive(forms[i]);
    }
    free(text);
}

static void refuses_long_values(void **state)
{
    char path[6000];
    (void)state;
    memset(path, 'a', sizeof path);
    memcpy(path, "/api/v1/images?id=", 18);
    path[5000] = 0;
    assert_int_equal(client_get(&r, &v, path, NULL), 400);
    memcpy(path, "/api/v1/images/aaa", 18);
    assert_int_equal(client_get(&r, &v, path, NULL), 400);
    assert_alive("long values");
}

/* --- files --- */

static void send_folder(const char *folder)
{
    char path[1200];
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    if (!dir) fail_msg("cannot open %s", folder);
    while ((entry = readdir(dir))) {
        size_t size;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        DIR *inner = opendir(path);
        if (inner) {
            closedir(inner);
            continue;
        }
        char *bytes = client_file(&size, path);
        if (size < (32 << 20)) {
            const int status = client_post(&r, &v, "/api/v1/images?name=sent", bytes, size);
            if (status != 201 && status != 413 && status != 415 && status != 422)
                fail_msg("%s: %d %s", path, status, r.body);
            if (status != 201) assert_non_null(strstr(r.body, "\"what\""));
        }
        free(bytes);
    }
    closedir(dir);
    assert_alive(folder);
}

static void takes_no_harm_from_files(void **state)
{
    static const char *const folders[] = {"jpeg", "png", "webp", "npy"};
    char path[1024];
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", getenv("CONVSCOPE_CORPUS"), folders[i]);
        send_folder(path);
    }
    if (!getenv("CONVSCOPE_SHARED")) return;
    snprintf(path, sizeof path, "%s/data/malformed", getenv("CONVSCOPE_SHARED"));
    send_folder(path);
}

/* --- questions that make no sense --- */

static void answers_senseless_questions(void **state)
{
    static const char *const routes[] = {"predict",
                                         "seen",
                                         "heatmap",
                                         "heatmap.png",
                                         "heatmap.npy",
                                         "layers/conv2d_5",
                                         "layers/conv2d_5/sheet.png",
                                         "layers/conv2d_5/channel.png",
                                         "layers/conv2d_5/activation.npy",
                                         "layers/conv2d_5/pixel",
                                         "layers/conv2d_5/weights",
                                         "layers/conv2d_5/gradient.png",
                                         "layers/conv2d_5/examples",
                                         "layers/conv2d_5/pattern.png",
                                         "layers/dense_11",
                                         "layers/dense_11/pixel",
                                         "layers/flatten_1",
                                         "layers/nothing",
                                         "graph.svg"};
    static const char *const queries[] = {"",
                                          "image=",
                                          "image=0123456789abcdef",
                                          "image=IMAGE",
                                          "image=IMAGE&channel=-1&row=0&column=0",
                                          "image=IMAGE&channel=99999999&row=1&column=1",
                                          "image=IMAGE&channel=1e3&row=1&column=1",
                                          "image=IMAGE&channel=0&row=-5&column=99999",
                                          "image=IMAGE&channel=nan",
                                          "image=IMAGE&channel=9223372036854775808",
                                          "image=IMAGE&top=0",
                                          "image=IMAGE&preprocess=nothing",
                                          "image=IMAGE&resize=",
                                          "image=IMAGE&method=nothing",
                                          "image=IMAGE&class=99&channel=0&row=0&column=0&steps=2",
                                          "image=IMAGE&class=-1",
                                          "image=IMAGE&layer=nothing",
                                          "image=IMAGE&layer=dense_11",
                                          "image=IMAGE&steps=-1",
                                          "image=IMAGE&target=nothing",
                                          "image=IMAGE&map=999999&channel=0&steps=1",
                                          "image=IMAGE&method=book1&steps=1&channel=0&seed=-3"};
    char path[512];
    (void)state;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        for (size_t k = 0; k < sizeof queries / sizeof *queries; k++) {
            const char *mark = strstr(queries[k], "IMAGE");
            const int before = mark ? (int)(mark - queries[k]) : (int)strlen(queries[k]);
            snprintf(path, sizeof path, "/api/v1/models/m0/%s?%.*s%s%s", routes[i], before,
                     queries[k], mark ? image : "", mark ? mark + 5 : "");
            if (strstr(path, "pattern.png") && !strstr(path, "steps=")) continue; /* takes long */
            const int status = client_get(&r, &v, path, NULL);
            if (status != 200 && status != 400 && status != 404 && status != 422)
                fail_msg("%s: %d %s", path, status, r.body);
            if (status != 200) assert_non_null(strstr(r.body, "\"what\""));
        }
    assert_alive("senseless questions");
}

static int start(void **state)
{
    (void)state;
    viewer_start(&v, NULL);
    client_bring(image, &r, &v, "/api/v1/images?name=a%20picture");
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
        cmocka_unit_test(answers_what_is_no_request),  cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(refuses_long_values),         cmocka_unit_test(takes_no_harm_from_files),
        cmocka_unit_test(answers_senseless_questions),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
