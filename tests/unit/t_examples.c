/* t_examples.c - the pictures that excite channels most, and what part of them a unit sees. */
#include "tiny.h"

#include <unistd.h>

#include "graph/reach.h"

/* 12 × 12 pixels, a convolution of 3 with a stride of 2 and "valid", a largest value of 2: the map
 * is 2 × 2, a unit sees 5 pixels, the next one 4 further. */
static cvs_model *strided(void)
{
    const cx_shape shape = {4, {CX_FREE, 12, 12, 1}};
    float w[9];
    cvs_model *m;
    int node;
    for (int i = 0; i < 9; i++) w[i] = 1;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Conv2D", "conv",
               "{\"filters\": 1, \"kernel_size\": 3, \"strides\": 2, \"use_bias\": false, "
               "\"activation\": \"relu\"}",
               node);
    node = add(m, "MaxPooling2D", "pool", "{\"pool_size\": 2}", node);
    close_model(m, node, w, 9);
    return m;
}

static void units_see_their_part_of_the_input(void **state)
{
    (void)state;
    const cx_shape shape = {4, {1, 12, 12, 1}};
    cvs_model *m = strided();
    cx_sight s;
    int64_t first, last;
    OK(cx_sight_find(&s, m, 1, &shape, &err)); /* the convolution, 5 × 5 */
    for (int64_t i = 0; i < 5; i++) {
        cx_sight_range(&s.rows, i, &first, &last);
        assert_true(first == 2 * i && last == 2 * i + 2);
    }
    OK(cx_sight_find(&s, m, 2, &shape, &err));
    for (int64_t i = 0; i < 2; i++) {
        cx_sight_range(&s.columns, i, &first, &last);
        assert_true(first == 4 * i && last == 4 * i + 4);
    }
    cvs_model_free(m);
}

/* A picture that is black but for a bright pixel. */
static void show(cvs_run *run, cvs_examples *e, const char *name, int row, int column, float light)
{
    float x[144] = {0};
    x[row * 12 + column] = light;
    OK(cvs_run_set_input(run, 0, x, (const int64_t[]){1, 12, 12, 1}, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_examples_add(e, name, &err));
}

static void the_strongest_come_first_with_their_places(void **state)
{
    (void)state;
    cvs_model *m = strided();
    cvs_run *run;
    cvs_examples *e;
    cvs_example x;
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = "conv+pool"}, &err));
    OK(cvs_examples_new(&e, run, 3, &err));
    assert_int_equal(cvs_examples_at(&x, e, 1, 0, 0), -1); /* nothing has been added */
    show(run, e, "weak", 5, 1, 1);
    show(run, e, "dark", 5, 1, 0);
    show(run, e, "strong", 9, 9, 3);
    show(run, e, "equal", 1, 1, 1);
    show(run, e, "weaker", 1, 1, 0.5f);
    static const char *const want[] = {"strong", "weak", "equal"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cvs_examples_at(&x, e, 1, 0, i), 0);
        assert_string_equal(x.file, want[i]);
    }
    assert_int_equal(cvs_examples_at(&x, e, 1, 0, 3), -1);
    assert_int_equal(cvs_examples_at(&x, e, 1, 1, 0), -1); /* no such channel */
    OK(cvs_examples_at(&x, e, 1, 0, 0));
    assert_true(x.value == 3 && x.row == 4 && x.column == 4);
    assert_true(x.box[0] == 8 && x.box[1] == 8 && x.box[2] == 10 && x.box[3] == 10);
    OK(cvs_examples_at(&x, e, 2, 0, 0)); /* "strong" lies where the pooling has no window */
    assert_string_equal(x.file, "weak");
    assert_true(x.row == 1 && x.column == 0 && x.box[0] == 4 && x.box[1] == 0);
    cvs_examples_free(e);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void what_is_not_there_cannot_be_drawn(void **state)
{
    (void)state;
    cvs_model *m = strided();
    cvs_run *run;
    cvs_examples *e;
    char dir[] = "/tmp/convscope-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = "conv"}, &err));
    OK(cvs_examples_new(&e, run, 0, &err));
    FAILS(cvs_examples_write(e, dir, NULL, &err), CVS_E_ARG, "no pictures");
    show(run, e, "/nowhere/cat.png", 5, 5, 1);
    FAILS(cvs_examples_write(e, dir, NULL, &err), CVS_E_IO, "/nowhere/cat.png");
    cvs_examples_free(e);
    cvs_run_free(run);
    cvs_model_free(m);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_see_their_part_of_the_input),
        cmocka_unit_test(the_strongest_come_first_with_their_places),
        cmocka_unit_test(what_is_not_there_cannot_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
