/* t_pool.c - loops that threads share, and those begun in the background. */
#include "test.h"

#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/threads.h"

static void count_item(void *arg, int i, int worker)
{
    (void)worker;
    atomic_fetch_add(&((atomic_int *)arg)[i], 1);
}

static void loops_do_every_item_once(void **state)
{
    (void)state;
    cvs_error err;
    static atomic_int hits[1000];
    for (int threads = 1; threads <= 4; threads++) {
        OK(cx_threads_set(threads, &err));
        for (int round = 0; round < 200; round++) cx_parallel(1000, count_item, hits);
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(hits[i], 800);
    OK(cx_threads_set(0, &err));
    FAILS(cx_threads_set(-1, &err), CVS_E_ARG, "threads");
}

/* Items of a loop, of which the first ends after all others. */
enum { SHARED = 8 };
typedef struct shared_loop {
    int by[SHARED];
    atomic_int done;
} shared_loop;

static void share_item(void *arg, int i, int worker)
{
    shared_loop *l = arg;
    l->by[i] = worker;
    while (i == 0 && atomic_load(&l->done) < SHARED - 1) cx_seconds();
    atomic_fetch_add(&l->done, 1);
}

static void threads_help_with_the_share_of_others(void **state)
{
    (void)state;
    cvs_error err;
    OK(cx_threads_set(2, &err));
    for (int round = 0; round < 20; round++) {
        shared_loop l = {.done = 0};
        cx_parallel(SHARED, share_item, &l);
        for (int i = 1; i < SHARED / 2; i++) assert_int_equal(l.by[i], 1 - l.by[0]);
    }
    OK(cx_threads_set(0, &err));
}

static void keep_worker(void *arg, int i, int worker)
{
    ((int *)arg)[i] = worker;
}

static void a_loop_takes_no_more_threads_than_it_is_told(void **state)
{
    (void)state;
    cvs_error err;
    int by[100];
    OK(cx_threads_set(4, &err));
    for (int most = 1; most <= 6; most++)
        for (int round = 0; round < 50; round++) {
            memset(by, -1, sizeof by);
            cx_parallel_by(most, 100, keep_worker, by);
            for (int i = 0; i < 100; i++) assert_true(by[i] >= 0 && by[i] < most);
        }
    OK(cx_threads_set(0, &err));
}

/* Workers that look for the next loop, that have gone to sleep, and that somebody else has. */
typedef struct looper {
    int rounds, nested;
    atomic_int hits[8][16];
} looper;

static void loop_within(void *arg, int i, int worker)
{
    looper *l = arg;
    (void)worker;
    if (l->nested) cx_parallel(16, count_item, l->hits[i]);
    atomic_fetch_add(&l->hits[i][0], 1);
}

static void run_loops(void *arg)
{
    looper *l = arg;
    for (int round = 0; round < l->rounds; round++) {
        cx_parallel(8, loop_within, l);
        if (round % 100 == 0) nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

static void loops_of_several_threads_and_within_loops_are_whole(void **state)
{
    (void)state;
    cvs_error err;
    static looper loopers[3] = {{.rounds = 1000}, {.rounds = 1000, .nested = 1}, {.rounds = 500}};
    cx_task *tasks[3];
    for (int threads = 2; threads <= 5; threads += 3) {
        OK(cx_threads_set(threads, &err));
        for (int t = 0; t < 3; t++)
            assert_non_null(tasks[t] = cx_task_start(run_loops, &loopers[t]));
        for (int t = 0; t < 3; t++) cx_task_finish(tasks[t]);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(loopers[0].hits[i][0], 2000);
        assert_int_equal(loopers[1].hits[i][0], 4000);
        assert_int_equal(loopers[1].hits[i][15], 2000);
        assert_int_equal(loopers[2].hits[i][0], 1000);
    }
    OK(cx_threads_set(0, &err));
}

/* All of a loop that is finished, and of one that is dropped no item twice or after it. */
static void loops_begun_in_the_background_are_whole(void **state)
{
    (void)state;
    cvs_error err;
    static atomic_int hits[100], dropped[100];
    for (int threads = 1; threads <= 4; threads++) {
        OK(cx_threads_set(threads, &err));
        for (int n = 0; n <= 100; n += 20) {
            cx_loop *loop = cx_loop_start(n, count_item, hits);
            assert_non_null(loop);
            cx_parallel(10, count_item, hits);
            cx_loop_finish(loop);
        }
        cx_loop *loop = cx_loop_start(100, count_item, dropped);
        cx_loop_drop(loop);
        for (int i = 0; i < 100; i++) assert_true(dropped[i] <= threads);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(hits[i], 4 * (5 - i / 20) + (i < 10 ? 4 * 6 : 0));
    cx_alloc_fail_from(1);
    assert_null(cx_loop_start(1, count_item, hits));
    cx_alloc_fail_from(2); /* for the thread: everything is done at the end then */
    cx_loop *loop = cx_loop_start(1, count_item, hits);
    cx_alloc_fail_from(0);
    assert_non_null(loop);
    assert_int_equal(hits[0], 44);
    cx_loop_finish(loop);
    assert_int_equal(hits[0], 45);
    cx_loop_finish(NULL);
    cx_loop_drop(NULL);
    OK(cx_threads_set(0, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_do_every_item_once),
        cmocka_unit_test(threads_help_with_the_share_of_others),
        cmocka_unit_test(a_loop_takes_no_more_threads_than_it_is_told),
        cmocka_unit_test(loops_of_several_threads_and_within_loops_are_whole),
        cmocka_unit_test(loops_begun_in_the_background_are_whole),
    };
    return RUN(tests);
}
