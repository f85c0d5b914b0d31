/* t_series.c - items that become ready while loops run: each once, none too early, no two of one
 * worker at a time. */
#include "test.h"

#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/threads.h"

enum { N = 40, MOST = 8 };

typedef struct probe {
    atomic_int ready, done[N], busy[MOST], early, doubled, in_loops, aside;
    long nanoseconds; /* that an item takes */
} probe;

static void item(void *arg, int i, int worker)
{
    probe *p = arg;
    if (i >= atomic_load(&p->ready)) p->early = 1;
    if (atomic_fetch_add(&p->busy[worker], 1) > 0) p->doubled = 1;
    if (worker > 0) p->aside++;
    nanosleep(&(struct timespec){.tv_nsec = p->nanoseconds}, NULL);
    p->done[i]++;
    atomic_fetch_sub(&p->busy[worker], 1);
}

static void count(void *arg, int i, int worker)
{
    (void)i, (void)worker;
    atomic_fetch_add(&((probe *)arg)->in_loops, 1);
}

/* Items become ready between loops, as while a network is computed. */
static void every_item_is_done_once_when_it_is_ready(void **state)
{
    cvs_error err;
    (void)state;
    for (int threads = 1; threads <= 4; threads++)
        for (int step = 1; step <= N; step += 13) {
            probe p = {.nanoseconds = step == 1 ? 20000 : 0};
            OK(cx_threads_set(threads, &err));
            cx_series *s = cx_series_start(N, item, &p);
            assert_non_null(s);
            for (int n = 0; n < N - step; n += step) {
                cx_parallel(16, count, &p);
                atomic_store(&p.ready, n + step);
                cx_series_ready(s, n + step);
                if (threads == 1) assert_int_equal(p.done[0], 0);
            }
            atomic_store(&p.ready, N);
            cx_series_finish(s);
            for (int i = 0; i < N; i++) assert_int_equal(p.done[i], 1);
            assert_false(p.early);
            assert_false(p.doubled);
            if (threads == 1) assert_int_equal(p.aside, 0);
        }
    OK(cx_threads_set(0, &err));
}

/* Without the end: a worker takes an item while the caller does something else. */
static void the_pool_works_while_the_caller_does(void **state)
{
    cvs_error err;
    probe p = {.ready = N};
    (void)state;
    OK(cx_threads_set(2, &err));
    cx_parallel(16, count, &p); /* the worker is there */
    cx_series *s = cx_series_start(N, item, &p);
    cx_series_ready(s, N);
    for (int ms = 0; ms < 20000 && atomic_load(&p.done[N - 1]) == 0; ms++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    for (int i = 0; i < N; i++) assert_int_equal(p.done[i], 1);
    assert_int_equal(p.aside, N);
    cx_series_finish(s);
    OK(cx_threads_set(0, &err));
}

static void a_second_one_is_done_at_its_end(void **state)
{
    cvs_error err;
    probe p = {.ready = N}, q = {.ready = N};
    (void)state;
    OK(cx_threads_set(3, &err));
    cx_series *first = cx_series_start(N, item, &p), *second = cx_series_start(N, item, &q);
    cx_series_ready(first, N);
    cx_series_ready(second, N);
    cx_series_finish(second);
    cx_series_finish(first);
    for (int i = 0; i < N; i++) {
        assert_int_equal(p.done[i], 1);
        assert_int_equal(q.done[i], 1);
    }
    OK(cx_threads_set(0, &err));
}

static void what_is_dropped_ends(void **state)
{
    cvs_error err;
    (void)state;
    OK(cx_threads_set(3, &err));
    for (int round = 0; round < 50; round++) {
        probe p = {.ready = N, .nanoseconds = 5000};
        cx_parallel(16, count, &p);
        cx_series *s = cx_series_start(N, item, &p);
        cx_series_ready(s, N);
        cx_series_drop(s);
        for (int i = 0; i < MOST; i++) assert_int_equal(p.busy[i], 0);
        for (int i = 0; i < N; i++) assert_true(p.done[i] <= 1);
    }
    cx_series_finish(NULL);
    cx_series_drop(NULL);
    cx_alloc_fail_from(1);
    assert_null(cx_series_start(1, item, NULL));
    cx_alloc_fail_from(0);
    OK(cx_threads_set(0, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once_when_it_is_ready),
        cmocka_unit_test(the_pool_works_while_the_caller_does),
        cmocka_unit_test(a_second_one_is_done_at_its_end),
        cmocka_unit_test(what_is_dropped_ends),
    };
    return RUN(tests);
}
