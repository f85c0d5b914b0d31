/* ask.c - what a query says, and what most answers begin with. */
#include "serve/ask.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void cx_reply_deinit(cx_reply *reply)
{
    cx_free(reply->data);
    *reply = (cx_reply){0};
}

int cx_reply_writer(cx_reply *out, cx_json_writer *w, cvs_error *err)
{
    char *text;
    int rc = cx_json_finish(&text, w, err);
    if (rc < 0) return rc;
    out->data = text;
    out->size = strlen(text);
    return 0;
}

void cx_reply_bytes(cx_reply *out, const char *type, cx_bytes *bytes)
{
    out->type = type;
    out->data = (char *)bytes->data;
    out->size = bytes->size;
    *bytes = (cx_bytes){0};
}

/* --- the query --- */

const char *cx_ask_text(const cx_ask *ask, const char *key, const char *otherwise)
{
    for (const char *const *q = ask->query; q && q[0]; q += 2)
        if (strcmp(q[0], key) == 0) return q[1];
    return otherwise;
}

/* strtoll and strtod take blanks, signs and letters that have no business in an address. */
static int is_plain(const char *text)
{
    return text[0] && strspn(text, "0123456789+-.eE") == strlen(text) && text[0] != '+';
}

int cx_ask_int(int64_t *out, const cx_ask *ask, const char *key, int64_t otherwise, int64_t min,
               int64_t max, cvs_error *err)
{
    const char *text = cx_ask_text(ask, key, NULL);
    char *end;
    *out = otherwise;
    if (!text) return 0;
    errno = 0;
    const long long v = is_plain(text) ? strtoll(text, &end, 10) : (end = NULL, 0);
    if (!end || *end || errno || v < min || v > max)
        return cx_fail(err, CVS_E_ARG, "%s: \"%.40s\" is no number from %lld to %lld", key, text,
                       (long long)min, (long long)max);
    *out = v;
    return 0;
}

int cx_ask_number(double *out, const cx_ask *ask, const char *key, double otherwise, double min,
                  double max, cvs_error *err)
{
    const char *text = cx_ask_text(ask, key, NULL);
    char *end;
    *out = otherwise;
    if (!text) return 0;
    const double v = is_plain(text) ? strtod(text, &end) : (end = NULL, 0);
    if (!end || *end || !isfinite(v) || v < min || v > max)
        return cx_fail(err, CVS_E_ARG, "%s: \"%.40s\" is no number from %g to %g", key, text, min,
                       max);
    *out = v;
    return 0;
}

int cx_ask_word(int *out, const cx_ask *ask, const char *key, int otherwise,
                const char *(*word)(int i), cvs_error *err)
{
    const char *text = cx_ask_text(ask, key, NULL);
    cx_str known = {0};
    *out = otherwise;
    if (!text) return 0;
    for (int i = 0; word(i); i++) {
        if (strcmp(word(i), text) == 0) {
            *out = i;
            cx_str_deinit(&known);
            return 0;
        }
        cx_str_addf(&known, "%s%s", i ? ", " : "", word(i));
    }
    int rc = cx_fail(err, CVS_E_ARG, "%s: there is no \"%.40s\"", key, text);
    if (known.data) cx_hint(err, "one of: %s", known.data);
    cx_str_deinit(&known);
    return rc;
}

/* --- what most answers begin with --- */

enum { NOT_FOUND = 404 };

int cx_ask_model(const cx_view_model **out, cx_reply *reply, const cx_ask *ask, cvs_error *err)
{
    int rc = cx_viewer_model(out, ask->viewer, ask->part[0], err);
    if (rc < 0) reply->status = NOT_FOUND;
    return rc;
}

int cx_ask_layer(int *node, cx_reply *reply, const cx_ask *ask, const cx_view_model *model,
                 cvs_error *err)
{
    *node = cx_model_find_node(model->m, ask->part[1], err);
    if (*node >= 0) return 0;
    reply->status = NOT_FOUND;
    return *node;
}

int cx_ask_picture(const cx_view_picture **out, cx_reply *reply, const cx_ask *ask, cvs_error *err)
{
    const char *id = cx_ask_text(ask, "image", NULL);
    *out = NULL;
    if (!id) {
        cx_fail(err, CVS_E_ARG, "of which picture?");
        cx_hint(err, "image=ID, with an id of /api/v1/images");
        return CVS_E_ARG;
    }
    int rc = cx_viewer_take(out, ask->viewer, id, err);
    if (rc == CVS_E_ARG) reply->status = NOT_FOUND;
    return rc;
}

int cx_ask_image(cvs_image_options *out, const cx_ask *ask, cvs_error *err)
{
    int preprocess, resize, rc;
    *out = *cx_viewer_image(ask->viewer);
    TRY(cx_ask_word(&preprocess, ask, "preprocess", (int)out->preprocess, cvs_preprocess_name,
                    err));
    TRY(cx_ask_word(&resize, ask, "resize", (int)out->resize, cvs_resize_name, err));
    out->preprocess = (cvs_preprocess)preprocess;
    out->resize = (cvs_resize)resize;
out:
    return rc;
}

int cx_ask_class(int64_t *out, const cx_ask *ask, const cx_view_model *model, cvs_error *err)
{
    const char *text = cx_ask_text(ask, "class", NULL);
    *out = -1;
    if (!text) return 0;
    for (int i = 0; model->classes && i < cvs_classes_count(model->classes); i++)
        if (cx_streq(cvs_classes_name(model->classes, i), text)) {
            *out = i;
            return 0;
        }
    if (cx_ask_int(out, ask, "class", -1, 0, INT32_MAX, NULL) == 0) return 0;
    int rc = cx_fail(err, CVS_E_ARG, "class: there is no \"%.80s\"", text);
    cx_hint(err, "a number from 0, or a class's name as /api/v1/models/%s has it", model->id);
    return rc;
}

int cx_ask_run(cvs_run **out, cx_reply *reply, const cx_ask *ask, const cx_view_model *model,
               int node, cvs_error *err)
{
    const cx_view_picture *picture = NULL;
    cvs_image_options image;
    int rc;
    *out = NULL;
    TRY(cx_ask_image(&image, ask, err));
    TRY(cx_ask_picture(&picture, reply, ask, err));
    TRY(cx_viewer_computed(out, NULL, ask->viewer, model, picture, &image,
                           node < 0 ? "" : model->m->nodes[node].name, err));
out:
    cx_viewer_let_go(ask->viewer, picture);
    return rc;
}
