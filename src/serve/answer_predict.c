/* answer_predict.c - what a network says about a picture. */
#include "serve/answers.h"
#include "serve/scores.h"

enum { TOP = 5 };

int cx_answer_predict(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const cx_view_model *model;
    const cx_view_picture *picture = NULL;
    cvs_image_options image;
    cvs_run *run = NULL;
    cx_json_writer w = {0};
    double milliseconds = 0;
    int64_t top;
    int rc;
    TRY(cx_ask_model(&model, out, ask, err));
    TRY(cx_ask_int(&top, ask, "top", TOP, 1, 1000000, err));
    TRY(cx_ask_image(&image, ask, err));
    TRY(cx_ask_picture(&picture, out, ask, err));
    TRY(cx_viewer_computed(&run, &milliseconds, ask->viewer, model, picture, &image, "", err));
    cx_json_open(&w, NULL, '{');
    TRY(cx_scores_add(&w, model, run, top, err));
    cx_json_add_number(&w, "milliseconds", milliseconds);
    cx_json_close(&w, '}');
    rc = cx_reply_writer(out, &w, err);
out:
    cx_str_deinit(&w.text);
    cx_viewer_give_back(ask->viewer, run);
    cx_viewer_let_go(ask->viewer, picture);
    return rc;
}
