/* t_oom.c - memory runs out at every allocation in turn, in every call of the library: it says so,
 * hands out nothing, and (under a leak checker) keeps nothing. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "convscope.h"

static char golden[512], data[512], folder[64];

/* What a call is made with. */
typedef struct stage {
    cvs_model *model;
    cvs_run *run;
    char path[1024];
    int choice; /* a style, a format, a method */
    cvs_input *photo;
    cvs_explanation *explanation;
} stage;

typedef int attempt(stage *s, cvs_error *err);

/* One more allocation at a time where there are few, a quarter more where there are many. */
static long next_after(long n)
{
    return n < 32 ? n + 1 : n + n / 4;
}

/* Let the n-th allocation fail, and all after it, until the call gets through. */
static void fails_until_it_succeeds(attempt *call, stage *s)
{
    for (long n = 1;; n = next_after(n)) {
        cvs_error err = {0};
        cx_alloc_fail_from(n);
        int rc = call(s, &err);
        cx_alloc_fail_from(0);
        if (rc >= 0) return;
        if (rc != CVS_E_NOMEM || err.code != CVS_E_NOMEM || !strstr(err.what, "memory"))
            fail_msg("allocation %ld: %d %s: %s", n, rc, err.where, err.what);
        if (n > 1000000) fail_msg("it never succeeds");
    }
}

static void golden_path(stage *s, const char *name)
{
    snprintf(s->path, sizeof s->path, "%s/%s", golden, name);
}

static void data_path(stage *s, const char *name)
{
    snprintf(s->path, sizeof s->path, "%s/%s", data, name);
}

static void set_up(stage *s, const char *taps)
{
    cvs_error err;
    *s = (stage){0};
    golden_path(s, "two_outputs_keras38_h5/model.h5");
    OK(cvs_model_load(&s->model, s->path, NULL, &err));
    if (!taps) return;
    OK(cvs_run_new(&s->run, s->model, &(cvs_run_options){.taps = taps}, &err));
    golden_path(s, "two_outputs_keras38_h5/input.npy");
    OK(cvs_run_set_image(s->run, 0, 0, s->path, NULL, &err));
    OK(cvs_run_forward(s->run, &err));
}

static void tear_down(stage *s)
{
    cvs_run_free(s->run);
    cvs_model_free(s->model);
}

/* --- the calls --- */

static int load(stage *s, cvs_error *err)
{
    cvs_model *m = (cvs_model *)s;
    int rc = cvs_model_load(&m, s->path, NULL, err);
    assert_true((rc == 0) == (m != NULL));
    cvs_model_free(m);
    return rc;
}

static int summary(stage *s, cvs_error *err)
{
    char *text = s->path;
    const cvs_summary_options options = {.style = (cvs_summary_style)s->choice, .expand = 1};
    int rc = cvs_model_summary(&text, s->model, &options, err);
    assert_true((rc == 0) == (text != NULL));
    cvs_free(text);
    return rc;
}

/* What is written stays in the folder. */
static int save(stage *s, cvs_error *err)
{
    static const char *const files[] = {"model.h5", "model.keras", "model.json"};
    char path[1100];
    snprintf(path, sizeof path, "%s/%s", folder, files[s->choice]);
    int rc = cvs_model_save(s->model, path, err);
    assert_true((rc == 0) == (access(path, F_OK) == 0));
    if (rc == 0) unlink(path);
    snprintf(path, sizeof path, "%s/model.weights.bin", folder);
    unlink(path);
    return rc;
}

static int new_run(stage *s, cvs_error *err)
{
    cvs_run *run = (cvs_run *)s;
    int rc = cvs_run_new(&run, s->model, &(cvs_run_options){.taps = "all", .batch = 2}, err);
    assert_true((rc == 0) == (run != NULL));
    cvs_run_free(run);
    return rc;
}

static int set_image(stage *s, cvs_error *err)
{
    const cvs_image_options options = {.exif = 1, .resize = (cvs_resize)s->choice};
    return cvs_run_set_image(s->run, 0, 0, s->path, &options, err);
}

static int forward(stage *s, cvs_error *err)
{
    int rc = cvs_run_forward(s->run, err);
    assert_int_equal(rc, 0); /* all memory is there since the run was made */
    return rc;
}

static int activation(stage *s, cvs_error *err)
{
    const float *numbers;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    int rc = cvs_run_activation(&numbers, dims, &ndim, s->run, cvs_run_tap(s->run, 0), err);
    assert_int_equal(rc, 0);
    return rc;
}

static int statistics(stage *s, cvs_error *err)
{
    cvs_stats whole, *each = &whole;
    int64_t n = 1;
    int rc = cvs_run_stats(&whole, &each, &n, s->run, cvs_run_tap(s->run, 0), -1, err);
    assert_true((rc == 0) == (each != NULL));
    assert_true((rc == 0) == (n != 0));
    cvs_free(each);
    return rc;
}

static int classes(stage *s, cvs_error *err)
{
    cvs_classes *c = (cvs_classes *)s;
    int rc = cvs_classes_load(&c, s->path, err);
    assert_true((rc == 0) == (c != NULL));
    cvs_classes_free(c);
    return rc;
}

static int write_files(stage *s, cvs_error *err)
{
    const cvs_write_options options = {.formats = s->choice & 7,
                                       .style = (cvs_style)(s->choice >> 3),
                                       .input = "cat.jpg",
                                       .preprocess = "unit"};
    cvs_written *written = (cvs_written *)s;
    int n, rc = cvs_activations_compute(&written, &n, s->run, 0, folder, &options, err);
    assert_true((rc == 0) == (written != NULL));
    cvs_free(written);
    return rc;
}

/* --- the tests --- */

static void loading(void **state)
{
    (void)state;
    static const char *const names[] = {"two_outputs_keras38_h5/model.h5",
                                        "nested_keras29/model.h5",
                                        "activation_layers_keras29/model.h5"};
    stage s = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        golden_path(&s, names[i]);
        fails_until_it_succeeds(load, &s);
    }
    data_path(&s, "formats/packed.h5");
    fails_until_it_succeeds(load, &s);
}

static void summaries(void **state)
{
    (void)state;
    stage s;
    set_up(&s, NULL);
    for (s.choice = CVS_SUMMARY_KERAS2; s.choice <= CVS_SUMMARY_JSON; s.choice++)
        fails_until_it_succeeds(summary, &s);
    tear_down(&s);
}

static void making_a_run(void **state)
{
    (void)state;
    stage s;
    set_up(&s, NULL);
    fails_until_it_succeeds(new_run, &s);
    tear_down(&s);
}

static void inputs(void **state)
{
    (void)state;
    static const char *const pictures[] = {"baseline.jpg",     "progressive.jpg", "cmyk.jpg",
                                           "gray16.png",       "palette4.png",    "turned.png",
                                           "gray_alpha16.png", "lossy.webp",      "animated.webp"};
    stage s;
    set_up(&s, "all");
    fails_until_it_succeeds(set_image, &s);
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s", pictures[i]);
        data_path(&s, name);
        s.choice = (int)i % 4;
        fails_until_it_succeeds(set_image, &s);
    }
    tear_down(&s);
}

static void computing(void **state)
{
    (void)state;
    stage s;
    set_up(&s, "all");
    fails_until_it_succeeds(forward, &s);
    fails_until_it_succeeds(activation, &s);
    fails_until_it_succeeds(statistics, &s);
    tear_down(&s);
}

static void class_names(void **state)
{
    (void)state;
    stage s = {0};
    data_path(&s, "formats/README.md");
    fails_until_it_succeeds(classes, &s);
}

/* Remove the folder; what is in it must bear a final name. */
static void empty_folder(void)
{
    char path[512];
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        if (strstr(e->d_name, ".part")) fail_msg("%s was left behind", e->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        unlink(path);
    }
    if (d) closedir(d);
    rmdir(folder);
}

static int write_chart(stage *s, cvs_error *err)
{
    return cvs_graph_write(s->model, s->path, err);
}

static void charts(void **state)
{
    (void)state;
    stage s;
    set_up(&s, NULL);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(s.path, sizeof s.path, "%s/chart.svg", folder);
    fails_until_it_succeeds(write_chart, &s);
    empty_folder();
    tear_down(&s);
}

static void writing(void **state)
{
    (void)state;
    static const int formats[] = {CVS_WRITE_PNG, CVS_WRITE_NPY, CVS_WRITE_NPZ};
    stage s;
    cvs_error err;
    OK(cvs_set_threads(1, &err)); /* the same allocation comes first every time */
    set_up(&s, "all");
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        for (int style = CVS_STYLE_DEFAULT; style <= CVS_STYLE_R2; style++) {
            if (formats[f] != CVS_WRITE_PNG && style != CVS_STYLE_DEFAULT) continue;
            s.choice = style << 3 | formats[f];
            fails_until_it_succeeds(write_files, &s);
            empty_folder();
        }
    tear_down(&s);
    OK(cvs_set_threads(0, &err));
}

/* Every method, and the files of what the first finds. */
static int explain(stage *s, cvs_error *err)
{
    const cvs_explain_options how = {.method = cvs_method_at(s->choice)->name, .steps = 3};
    cvs_explanation *e = (cvs_explanation *)s;
    int rc = cvs_explain(&e, s->run, 0, &how, err);
    assert_true((rc == 0) == (e != NULL));
    cvs_explanation_free(e);
    return rc == CVS_E_UNSUPPORTED ? 0 : rc; /* as CAM of a network without a mean over places */
}

static int evaluate(stage *s, cvs_error *err)
{
    const cvs_explain_options how = {.method = "eigencam"};
    const cvs_trust_options options = {.points = 2, .samples = 2, .mask = s->photo};
    cvs_trust *t = (cvs_trust *)s;
    cvs_standing standing;
    int rc = cvs_evaluate(&t, s->run, 0, &how, &options, err);
    assert_true((rc == 0) == (t != NULL));
    if (rc == 0) rc = cvs_trust_compare(&standing, (const cvs_trust *const *)&t, 1, 1, 0, err);
    if (rc == 0)
        rc = cvs_trust_write((const cvs_trust *const *)&t, 1, 1, &standing, folder,
                             &(cvs_trust_write_options){.model = "m", .photo = s->photo}, err);
    cvs_trust_free(t);
    return rc;
}

static int write_heatmaps(stage *s, cvs_error *err)
{
    static const char *const keys[] = {"a", "b"};
    cvs_heatmap maps[2] = {{.method = "gradcam"}, {.method = "gradcam", .failure = "no reason"}};
    maps[0].explanation = s->explanation;
    const cvs_heatmap_options options = {.formats = CVS_WRITE_PNG | CVS_WRITE_NPY,
                                         .photo = s->photo,
                                         .columns = 2,
                                         .keys = keys,
                                         .titles = keys};
    return cvs_heatmaps_write(maps, 2, folder, &options, err);
}

static void explanations(void **state)
{
    (void)state;
    stage s;
    cvs_error err;
    OK(cvs_set_threads(1, &err));
    set_up(&s, "output");
    for (s.choice = 0; cvs_method_at(s.choice); s.choice++) fails_until_it_succeeds(explain, &s);
    data_path(&s, "images/baseline.jpg");
    OK(cvs_input_load(&s.photo, s.path, 0, &err));
    OK(cvs_explain(&s.explanation, s.run, 0, NULL, &err));
    fails_until_it_succeeds(write_heatmaps, &s);
    empty_folder();
    fails_until_it_succeeds(evaluate, &s);
    empty_folder();
    cvs_explanation_free(s.explanation);
    cvs_input_free(s.photo);
    tear_down(&s);
    OK(cvs_set_threads(0, &err));
}

/* Every recipe, all files of what it finds, and a state that is taken up. */
static int find_patterns(stage *s, cvs_error *err)
{
    static const int64_t channels[] = {0, 1};
    char state[96];
    const cvs_recipe *recipe = cvs_recipe_at(s->choice);
    const cvs_pattern_files files = {
        .formats = CVS_WRITE_PNG | CVS_WRITE_NPY, .single = 1, .film = 1, .number = 1};
    snprintf(state, sizeof state, "%s/state", folder);
    const cvs_pattern_options how = {
        .method = recipe->name, .steps = 2, .frames = 2, .state_file = state};
    cvs_patterns *p = (cvs_patterns *)s;
    cvs_atlas *atlas = NULL;
    int rc = cvs_patterns_find(&p, s->model, s->path, channels, 2, &how, err);
    assert_true((rc == 0) == (p != NULL));
    if (rc == 0) rc = cvs_patterns_write(p, folder, &files, err);
    if (rc == 0) rc = cvs_atlas_new(&atlas, err);
    if (rc == 0) rc = cvs_atlas_add(atlas, p, err);
    if (rc == 0) rc = cvs_atlas_write(atlas, folder, &files, err);
    if (rc == 0) rc = cvs_patterns_index((const cvs_patterns *const *)&p, 1, folder, &files, err);
    cvs_atlas_free(atlas);
    cvs_patterns_free(p);
    return rc;
}

static int find_examples(stage *s, cvs_error *err)
{
    cvs_examples *e = NULL;
    int rc = cvs_examples_new(&e, s->run, 2, err);
    assert_true((rc == 0) == (e != NULL));
    if (rc == 0) rc = cvs_examples_add(e, s->path, err);
    if (rc == 0) rc = cvs_examples_write(e, folder, NULL, err);
    cvs_examples_free(e);
    return rc;
}

static void examples(void **state)
{
    (void)state;
    stage s;
    cvs_error err;
    OK(cvs_set_threads(1, &err));
    set_up(&s, "conv");
    fails_until_it_succeeds(find_examples, &s);
    empty_folder();
    tear_down(&s);
    OK(cvs_set_threads(0, &err));
}

static void patterns(void **state)
{
    (void)state;
    stage s;
    cvs_layer layer = {0};
    cvs_error err;
    OK(cvs_set_threads(1, &err));
    set_up(&s, NULL);
    for (int i = 0; !layer.class_name || !strstr(layer.class_name, "Conv2D"); i++)
        OK(cvs_model_layer(&layer, s.model, i, &err));
    snprintf(s.path, sizeof s.path, "%s", layer.name);
    for (s.choice = 0; cvs_recipe_at(s.choice); s.choice++) {
        assert_int_equal(mkdir(folder, 0777), 0);
        fails_until_it_succeeds(find_patterns, &s);
        empty_folder();
    }
    tear_down(&s);
    OK(cvs_set_threads(0, &err));
}

static void saving(void **state)
{
    (void)state;
    static const char *const models[] = {"two_outputs_keras38_h5/model.h5",
                                         "nested_augment_v3/model.keras",
                                         "nested_keras29/model.h5"};
    static const int form[] = {0, 1, 2};
    stage s = {0};
    cvs_error err;
    assert_int_equal(mkdir(folder, 0700), 0);
    for (int i = 0; i < 3; i++) {
        golden_path(&s, models[i]);
        OK(cvs_model_load(&s.model, s.path, NULL, &err));
        s.choice = form[i];
        fails_until_it_succeeds(save, &s);
        cvs_model_free(s.model);
    }
    empty_folder();
}

static int report(stage *s, cvs_error *err)
{
    const cvs_input *const one[] = {s->photo};
    const cvs_report_input entry = {"photo", one};
    const cvs_report_options how = {.patterns = 1, .steps = 1};
    char *json = (char *)s;
    int rc = cvs_report_write(&json, s->model, &entry, 1, folder, &how, err);
    assert_true((rc == 0) == (json != NULL));
    cvs_free(json);
    return rc;
}

static void reports(void **state)
{
    stage s;
    cvs_error err;
    (void)state;
    OK(cvs_set_threads(1, &err));
    set_up(&s, NULL);
    data_path(&s, "images/baseline.jpg");
    OK(cvs_input_load(&s.photo, s.path, 0, &err));
    fails_until_it_succeeds(report, &s);
    empty_folder();
    cvs_input_free(s.photo);
    tear_down(&s);
    OK(cvs_set_threads(0, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading),  cmocka_unit_test(summaries), cmocka_unit_test(making_a_run),
        cmocka_unit_test(inputs),   cmocka_unit_test(computing), cmocka_unit_test(class_names),
        cmocka_unit_test(writing),  cmocka_unit_test(charts),    cmocka_unit_test(explanations),
        cmocka_unit_test(examples), cmocka_unit_test(patterns),  cmocka_unit_test(saving),
        cmocka_unit_test(reports),
    };
    const char *where = getenv("CONVSCOPE_TEST_DATA");
    snprintf(data, sizeof data, "%s", where ? where : ".");
    snprintf(golden, sizeof golden, "%s/../golden/cases", where ? where : ".");
    snprintf(folder, sizeof folder, "/tmp/convscope-oom-%ld", (long)getpid());
    return RUN(tests);
}
