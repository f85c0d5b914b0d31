/* history.c - the files that tell how training went: its numbers and its curves. */
#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "report/learning.h"
#include "report/outdir.h"

enum { NUMBERS = 5, CURVES_WIDTH = 640, CURVES_HEIGHT = 420 };

static const char *const names[NUMBERS] = {"loss", "accuracy", "val_loss", "val_accuracy",
                                           "learning_rate"};

static void numbers_of(double out[NUMBERS], const cvs_epoch *e)
{
    out[0] = e->loss;
    out[1] = e->accuracy;
    out[2] = e->val_loss;
    out[3] = e->val_accuracy;
    out[4] = e->rate;
}

/* As Keras' CSVLogger counts, the first epoch is 0; what was not measured is left empty. */
static int write_csv(const cvs_training *t, const char *dir, cvs_error *err)
{
    cx_str s = {0};
    double v[NUMBERS];
    int rc;
    cx_str_add(&s, "epoch");
    for (int k = 0; k < NUMBERS; k++) cx_str_addf(&s, ",%s", names[k]);
    cx_str_add(&s, "\n");
    for (int64_t i = 0; i < cvs_training_epoch_count(t); i++) {
        numbers_of(v, cvs_training_epoch(t, i));
        cx_str_addf(&s, "%lld", (long long)i);
        for (int k = 0; k < NUMBERS; k++)
            if (isfinite(v[k]))
                cx_str_addf(&s, ",%.9g", v[k]);
            else
                cx_str_add(&s, ",");
        cx_str_add(&s, "\n");
    }
    TRY(cx_str_ok(&s, err));
    TRY(cx_put_file(dir, "history.csv", s.data, s.len, err));
out:
    cx_str_deinit(&s);
    return rc;
}

/* As History.history: a list a number. */
static int write_json(const cvs_training *t, const char *dir, cvs_error *err)
{
    const int64_t best = cvs_training_best(t);
    cx_json_writer w = {0};
    double v[NUMBERS];
    cx_json_open(&w, NULL, '{');
    cx_json_add_int(&w, "epochs", cvs_training_epoch_count(t));
    if (best >= 0) cx_json_add_int(&w, "best_epoch", best);
    for (int k = 0; k < NUMBERS; k++) {
        cx_json_open(&w, names[k], '[');
        for (int64_t i = 0; i < cvs_training_epoch_count(t); i++) {
            numbers_of(v, cvs_training_epoch(t, i));
            cx_json_add_number(&w, NULL, v[k]);
        }
        cx_json_close(&w, ']');
    }
    cx_json_close(&w, '}');
    return cx_put_json(dir, "history.json", &w, err);
}

static int write_curves(const cvs_training *t, const char *dir, cvs_error *err)
{
    cx_learning l = {0};
    cx_bytes png = {0};
    cx_str svg = {0};
    int rc;
    TRY(cx_learning_init(&l, t, err));
    TRY(cx_learning_png(&png, &l, CURVES_WIDTH, CURVES_HEIGHT, err));
    TRY(cx_put_file(dir, "curves.png", png.data, png.size, err));
    cx_learning_svg(&svg, &l);
    TRY(cx_str_ok(&svg, err));
    TRY(cx_put_file(dir, "curves.svg", svg.data, svg.len, err));
out:
    cx_bytes_deinit(&png);
    cx_str_deinit(&svg);
    cx_learning_deinit(&l);
    return rc;
}

int cvs_history_write(const cvs_training *t, const char *dir, cvs_error *err)
{
    int rc;
    TRY(cx_make_dirs(dir, err));
    TRY(write_csv(t, dir, err));
    TRY(write_json(t, dir, err));
    rc = write_curves(t, dir, err);
out:
    return rc;
}
