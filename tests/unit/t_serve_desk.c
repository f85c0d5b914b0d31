/* t_serve_desk.c - orders and who waits for them; things that are kept; pictures. */
#define _DEFAULT_SOURCE
#include "t_serve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "serve/gallery.h"
#include "serve/keep.h"
#include "serve/order.h"

/* --- keep --- */

static int n_made, n_freed;

static int make_number(void **out, size_t *size, void *arg, cvs_error *e)
{
    const int n = *(const int *)arg;
    int *thing = malloc(sizeof *thing);
    if (n < 0 || !thing) {
        free(thing);
        return cx_fail(e, CVS_E_ARG, "it is %d", n);
    }
    *thing = n;
    *out = thing;
    *size = (size_t)n;
    n_made++;
    return 0;
}

static void free_number(void *thing)
{
    free(thing);
    n_freed++;
}

static const cx_keep_kind numbers_kind = {make_number, free_number};

static int take(cx_keep *keep, const char *key, int n)
{
    void *thing;
    OK(cx_keep_take(&thing, keep, key, &numbers_kind, &n, &err));
    const int is = *(int *)thing;
    cx_keep_let_go(keep, thing);
    return is;
}

static void keeps_what_is_used_lately(void **state)
{
    cx_keep *keep;
    void *held, *none;
    int n = -1;
    (void)state;
    n_made = n_freed = 0;
    OK(cx_keep_new(&keep, 100, 3, &err));
    assert_int_equal(take(keep, "a", 10), 10);
    assert_int_equal(take(keep, "b", 20), 20);
    assert_int_equal(take(keep, "a", 99), 10); /* it is there */
    assert_int_equal(take(keep, "c", 30), 30);
    assert_int_equal(take(keep, "d", 40), 40); /* b goes */
    assert_int_equal(n_freed, 1);
    assert_int_equal(take(keep, "b", 21), 21); /* a goes */
    assert_int_equal(take(keep, "a", 11), 11);
    FAILS(cx_keep_take(&none, keep, "x", &numbers_kind, &n, &err), CVS_E_ARG, "it is -1");
    assert_null(none);
    FAILS(cx_keep_take(&none, keep, "x", NULL, NULL, &err), CVS_E_ARG, "not there");
    n = 90;
    OK(cx_keep_take(&held, keep, "large", &numbers_kind, &n, &err));
    assert_int_equal(take(keep, "e", 50), 50); /* in use, it stays although there is no room */
    assert_int_equal(*(int *)held, 90);
    cx_keep_let_go(keep, held);
    cx_keep_free(keep);
    assert_int_equal(n_made, n_freed);
}

typedef struct racer {
    cx_keep *keep;
    pthread_t thread;
} racer;

static atomic_int n_slow;

static int make_slowly(void **out, size_t *size, void *arg, cvs_error *e)
{
    (void)arg, (void)e;
    usleep(30000);
    *size = 1;
    *out = malloc(1);
    atomic_fetch_add(&n_slow, 1);
    return 0;
}

static void *race(void *arg)
{
    static const cx_keep_kind slow = {make_slowly, free};
    const racer *r = arg;
    void *thing;
    if (cx_keep_take(&thing, r->keep, "one", &slow, NULL, NULL) == 0)
        cx_keep_let_go(r->keep, thing);
    return NULL;
}

static void makes_once_for_all_that_ask_meanwhile(void **state)
{
    racer r[6];
    cx_keep *keep;
    (void)state;
    atomic_store(&n_slow, 0);
    OK(cx_keep_new(&keep, 100, 3, &err));
    for (int i = 0; i < 6; i++) {
        r[i].keep = keep;
        assert_int_equal(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
    }
    for (int i = 0; i < 6; i++) pthread_join(r[i].thread, NULL);
    assert_int_equal(atomic_load(&n_slow), 1);
    cx_keep_free(keep);
}

/* --- the desk --- */

static atomic_int n_answers, n_woken, is_held, n_stopped;

static int answer_when_let(cx_reply *out, const cx_ask *ask, cvs_error *e)
{
    (void)out;
    while (atomic_load(&is_held)) {
        if (ask->is_stopped(ask)) {
            atomic_fetch_add(&n_stopped, 1);
            return cx_fail(e, CVS_E_ARG, "stopped");
        }
        usleep(1000);
    }
    atomic_fetch_add(&n_answers, 1);
    return 0;
}

static int answer_in_events(cx_reply *out, const cx_ask *ask, cvs_error *e)
{
    (void)out;
    for (int i = 0; i < 3; i++)
        if (ask->send(ask, "number", "{}")) return cx_fail(e, CVS_E_ARG, "nobody reads");
    return cx_fail(e, CVS_E_UNSUPPORTED, "no more than \"three\"");
}

static const cx_route held = {"GET", "held", CX_LANE_PASS, 0, answer_when_let},
                      events = {"GET", "events", CX_LANE_LONG, 1, answer_in_events};

static void count_wake(cx_waiter *w)
{
    (void)w;
    atomic_fetch_add(&n_woken, 1);
}

static cx_order *order_of(const cx_route *route, const char *value)
{
    const cx_path path = {.route = route};
    cx_query query = {0};
    cx_bytes body = {0};
    cx_order *o;
    OK(cx_query_add(&query, "value", value, &err));
    OK(cx_order_new(&o, NULL, &path, &query, &body, &err));
    cx_query_deinit(&query);
    return o;
}

static cx_waiter *put(cx_desk *desk, cx_waiter *w, const cx_route *route, const char *value)
{
    *w = (cx_waiter){.fd = -1, .asleep = 1, .wake = count_wake};
    OK(cx_desk_put(desk, w, order_of(route, value), &err));
    return w;
}

static void wait_until(const atomic_int *counter, int n)
{
    for (int i = 0; i < 5000 && atomic_load(counter) < n; i++) usleep(1000);
    assert_int_equal(atomic_load(counter), n);
}

static void begin(cx_desk **desk)
{
    atomic_store(&n_answers, 0);
    atomic_store(&n_woken, 0);
    atomic_store(&n_stopped, 0);
    atomic_store(&is_held, 1);
    OK(cx_desk_new(desk, &err));
}

static void equal_questions_are_answered_once(void **state)
{
    cx_waiter w[4];
    cx_desk *desk;
    (void)state;
    begin(&desk);
    for (int i = 0; i < 3; i++) put(desk, &w[i], &held, "same");
    put(desk, &w[3], &held, "other");
    assert_ptr_equal(w[0].order, w[1].order);
    assert_ptr_equal(w[0].order, w[2].order);
    assert_ptr_not_equal(w[0].order, w[3].order);
    cx_desk_leave(desk, &w[1]); /* the others wait on */
    atomic_store(&is_held, 0);
    wait_until(&n_woken, 3);
    assert_int_equal(atomic_load(&n_answers), 2);
    assert_true(cx_desk_is_done(desk, &w[0]));
    for (int i = 0; i < 4; i++) cx_desk_leave(desk, &w[i]);
    cx_desk_free(desk);
}

static void what_nobody_waits_for_is_stopped(void **state)
{
    cx_waiter running, waiting;
    cx_desk *desk;
    (void)state;
    begin(&desk);
    put(desk, &running, &held, "1");
    usleep(20000);
    put(desk, &waiting, &held, "2");
    cx_desk_leave(desk, &waiting); /* it never began */
    cx_desk_leave(desk, &running);
    wait_until(&n_stopped, 1);
    assert_int_equal(atomic_load(&n_answers), 0);
    /* An equal question is not one that was stopped. */
    put(desk, &running, &held, "1");
    atomic_store(&is_held, 0);
    wait_until(&n_answers, 1);
    cx_desk_leave(desk, &running);
    cx_desk_free(desk);
    assert_int_equal(atomic_load(&n_answers), 1);
}

static void a_lane_has_an_end(void **state)
{
    static cx_waiter w[200];
    cx_desk *desk;
    int n = 0, rc = 0;
    (void)state;
    begin(&desk);
    for (; n < 200; n++) {
        char value[16];
        snprintf(value, sizeof value, "%d", n);
        w[n] = (cx_waiter){.fd = -1, .wake = count_wake};
        cx_order *o = order_of(&held, value);
        rc = cx_desk_put(desk, &w[n], o, &err);
        if (rc == 0) continue;
        cx_order_drop(o);
        break;
    }
    FAILS(rc, CVS_E_NOMEM, "too much is asked for");
    assert_in_range(n, 128, 129); /* one of them runs */
    for (int i = 0; i < n; i++) cx_desk_leave(desk, &w[i]);
    cx_desk_free(desk);
}

static void stopping_wakes_all(void **state)
{
    cx_waiter w[3];
    cx_desk *desk;
    (void)state;
    begin(&desk);
    for (int i = 0; i < 3; i++) put(desk, &w[i], &held, (const char *[]){"1", "2", "3"}[i]);
    assert_int_equal(cx_desk_stop(desk, 5000), 1);
    assert_true(atomic_load(&n_woken) >= 3);
    for (int i = 0; i < 3; i++) cx_desk_leave(desk, &w[i]);
    cx_order *late = order_of(&held, "late");
    w[0] = (cx_waiter){.fd = -1, .wake = count_wake};
    FAILS(cx_desk_put(desk, &w[0], late, &err), CVS_E_NOMEM, "ending");
    cx_order_drop(late);
    cx_desk_free(desk);
}

static void sleeps(cx_waiter *w)
{
    (void)w;
}

static void streams_tell_events_and_what_went_wrong(void **state)
{
    char text[2048];
    size_t size = 0;
    long n;
    cx_waiter w;
    cx_desk *desk;
    (void)state;
    begin(&desk);
    put(desk, &w, &events, "");
    while ((n = cx_desk_read(desk, &w, text + size, 7, sleeps)) >= 0) {
        size += (size_t)n;
        if (n == 0) usleep(1000);
        assert_true(size < sizeof text - 8);
    }
    text[size] = 0;
    cx_desk_leave(desk, &w);
    cx_desk_free(desk);
    const char *const first = "event: number\ndata: {}\n\nevent: number\ndata: {}\n\n"
                              "event: number\ndata: {}\n\nevent: error\ndata: {";
    assert_memory_equal(text, first, strlen(first));
    assert_non_null(strstr(text, "no more than \\\"three\\\""));
    assert_string_equal(text + size - 3, "}\n\n");
}

/* --- pictures --- */

static void pictures_are_listed_read_and_sent(void **state)
{
    stage s;
    char path[1024], id[17];
    const cx_view_picture *p;
    cx_view_entry entry;
    cx_bytes file;
    (void)state;
    open_model(&s, "formats/plain.h5");
    const int64_t n = cx_viewer_folder_count(s.viewer);
    assert_true(n > 5);
    assert_int_equal(s.picture.width, 0); /* nobody has looked at it */
    OK(cx_viewer_take(&p, s.viewer, s.picture.id, &err));
    assert_true(p->width > 0);
    cx_viewer_let_go(s.viewer, p);
    OK(cx_file_read(&file, data_path(path, "images/gray.jpg"), 1 << 20, &err));
    OK(cx_viewer_add(id, s.viewer, "mine", file.data, file.size, &err));
    OK(cx_viewer_add(id, s.viewer, "again", file.data, file.size, &err)); /* the same */
    assert_int_equal(cx_viewer_entry_count(s.viewer), n + 1);
    assert_true(cx_viewer_entry(&entry, s.viewer, n));
    assert_string_equal(entry.id, id);
    assert_string_equal(entry.name, "mine");
    assert_true(entry.is_sent);
    assert_false(cx_viewer_entry(&entry, s.viewer, n + 1));
    FAILS(cx_viewer_add(id, s.viewer, "bad", file.data, 20, &err), CVS_E_FORMAT, "JPEG");
    FAILS(cx_viewer_take(&p, s.viewer, "0123456789abcdef", &err), CVS_E_ARG, "no picture");
    cx_bytes_deinit(&file);
    close_stage(&s);
}

static void long_names_end_with_a_whole_letter(void **state)
{
    char path[1024], id[17], name[300];
    cx_view_entry entry;
    cx_bytes file;
    stage s;
    (void)state;
    open_model(&s, "formats/plain.h5");
    OK(cx_file_read(&file, data_path(path, "images/gray.jpg"), 1 << 20, &err));
    memset(name, 'x', sizeof name);
    memcpy(name + 254, "\xc3\xa4", 3); /* would be cut in two */
    OK(cx_viewer_add(id, s.viewer, name, file.data, file.size, &err));
    assert_true(cx_viewer_entry(&entry, s.viewer, cx_viewer_folder_count(s.viewer)));
    assert_int_equal(strlen(entry.name), 254);
    cx_bytes_deinit(&file);
    close_stage(&s);
}

/* The newest stay. */
static void pictures_that_were_sent_make_room(void **state)
{
    enum { N = 70, KEPT = 64 };
    static uint8_t npy[256 + 4];
    char id[N][17];
    const cx_view_picture *p;
    const cx_shape shape = {1, {1}};
    stage s;
    (void)state;
    open_model(&s, "formats/plain.h5");
    const size_t header = cx_npy_header((char *)npy, &shape);
    for (int i = 0; i < N; i++) {
        const float x = (float)i;
        memcpy(npy + header, &x, sizeof x);
        OK(cx_viewer_add(id[i], s.viewer, "number", npy, header + sizeof x, &err));
    }
    assert_int_equal(cx_viewer_entry_count(s.viewer) - cx_viewer_folder_count(s.viewer), KEPT);
    FAILS(cx_viewer_take(&p, s.viewer, id[0], &err), CVS_E_ARG, "no picture");
    OK(cx_viewer_take(&p, s.viewer, id[N - 1], &err));
    assert_true(p->input->tensor.data[0] == N - 1);
    cx_viewer_let_go(s.viewer, p);
    close_stage(&s);
}

static void a_pass_is_shared(void **state)
{
    stage s;
    cvs_run *run;
    double first, second;
    const cx_view_picture *p;
    cvs_image_options image = {0};
    (void)state;
    open_model(&s, "../../models/cats_and_dogs_small_2.h5");
    const cx_view_model *m = cx_viewer_model_at(s.viewer, 0);
    OK(cx_viewer_take(&p, s.viewer, s.picture.id, &err));
    OK(cx_viewer_computed(&run, &first, s.viewer, m, p, &image, "", &err));
    const cvs_run *same = run;
    cx_viewer_give_back(s.viewer, run);
    OK(cx_viewer_computed(&run, &second, s.viewer, m, p, &image, m->m->nodes[1].name, &err));
    assert_ptr_equal(run, same);
    assert_true(first == second);
    cx_viewer_give_back(s.viewer, run);
    image.resize = CVS_RESIZE_BILINEAR;
    OK(cx_viewer_computed(&run, &second, s.viewer, m, p, &image, "", &err));
    assert_ptr_not_equal(run, same);
    cx_viewer_give_back(s.viewer, run);
    cx_viewer_let_go(s.viewer, p);
    close_stage(&s);
}

/* --- the server --- */

static void a_server_without_memory_says_so(void **state)
{
    char path[1024];
    cvs_model *m;
    int rc = -1;
    long n = 1;
    (void)state;
    OK(cvs_model_load(&m, data_path(path, "formats/plain.h5"), NULL, &err));
    const cvs_server_model model = {m, "plain.h5", NULL};
    const cvs_server_options o = {.port = -1, .images = data_path(path, "images")};
    for (; rc < 0 && n < 2000; n++) {
        cvs_server *server;
        cx_alloc_fail_from(n);
        rc = cvs_server_new(&server, &model, 1, &o, &err);
        cx_alloc_fail_from(0);
        if (rc < 0) {
            assert_null(server);
            assert_int_equal(rc, CVS_E_NOMEM);
        }
        cvs_server_free(server);
    }
    assert_int_equal(rc, 0);
    assert_true(n > 20);
    cvs_model_free(m);
}

static void a_server_says_what_is_wrong(void **state)
{
    char path[1024];
    cvs_model *m;
    cvs_server *server, *second;
    (void)state;
    OK(cvs_model_load(&m, data_path(path, "formats/plain.h5"), NULL, &err));
    const cvs_server_model model = {m, "plain.h5", NULL};
    FAILS(cvs_server_new(&server, &model, 0, NULL, &err), CVS_E_ARG, "1 to");
    FAILS(cvs_server_new(&server, &model, 1, &(cvs_server_options){.host = "nowhere"}, &err),
          CVS_E_ARG, "no address");
    FAILS(cvs_server_new(&server, &model, 1, &(cvs_server_options){.images = "nowhere"}, &err),
          CVS_E_IO, "nowhere");
    OK(cvs_server_new(&server, &model, 1, &(cvs_server_options){.port = -1}, &err));
    const int port = (int)strtol(strrchr(cvs_server_address(server), ':') + 1, NULL, 10);
    OK(cvs_server_new(&second, &model, 1, &(cvs_server_options){.port = port}, &err));
    assert_string_not_equal(cvs_server_address(server), cvs_server_address(second));
    assert_int_equal(cvs_server_stop(server, 5000), 1);
    cvs_server_free(server);
    cvs_server_free(second);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_used_lately),
        cmocka_unit_test(makes_once_for_all_that_ask_meanwhile),
        cmocka_unit_test(equal_questions_are_answered_once),
        cmocka_unit_test(what_nobody_waits_for_is_stopped),
        cmocka_unit_test(a_lane_has_an_end),
        cmocka_unit_test(stopping_wakes_all),
        cmocka_unit_test(streams_tell_events_and_what_went_wrong),
        cmocka_unit_test(pictures_are_listed_read_and_sent),
        cmocka_unit_test(long_names_end_with_a_whole_letter),
        cmocka_unit_test(pictures_that_were_sent_make_room),
        cmocka_unit_test(a_pass_is_shared),
        cmocka_unit_test(a_server_without_memory_says_so),
        cmocka_unit_test(a_server_says_what_is_wrong),
    };
    return RUN(tests);
}
