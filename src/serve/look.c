/* look.c - a layer, and what it makes of a picture. */
#include "serve/look.h"

#include <math.h>
#include <string.h>

int cx_look_begin(cx_look *look, cx_reply *reply, const cx_ask *ask, cvs_error *err)
{
    int rc;
    TRY(cx_ask_model(&look->model, reply, ask, err));
    TRY(cx_ask_layer(&look->node, reply, ask, look->model, err));
out:
    return rc;
}

int cx_look_taps(cx_str *out, const cvs_model *m, int node, int deep, cvs_error *err)
{
    const cx_node *n = &m->nodes[node];
    cx_str_add(out, n->name);
    for (int i = 0; deep && i < n->n_inputs; i++)
        cx_str_addf(out, ",%s", m->nodes[n->inputs[i]].name);
    return cx_str_ok(out, err);
}

int cx_look_compute(cx_look *look, int deep, cx_reply *reply, const cx_ask *ask, cvs_error *err)
{
    const cvs_model *m = look->model->m;
    const cx_view_picture *picture = NULL;
    cvs_image_options image;
    cx_str taps = {0};
    int rc;
    TRY(cx_look_can_ask(m, err));
    TRY(cx_ask_picture(&picture, reply, ask, err));
    TRY(cx_ask_image(&image, ask, err));
    TRY(cx_look_taps(&taps, m, look->node, deep, err));
    TRY(cx_viewer_computed(&look->run, NULL, ask->viewer, look->model, picture, &image, taps.data,
                           err));
    TRY(cx_map_of(&look->map, look->run, look->node, 0, err));
out:
    cx_str_deinit(&taps);
    cx_viewer_let_go(ask->viewer, picture);
    return rc;
}

void cx_look_end(cx_look *look, const cx_ask *ask)
{
    cx_map_deinit(&look->map);
    cx_viewer_give_back(ask->viewer, look->run);
    look->run = NULL;
}

int cx_look_can_ask(const cvs_model *m, cvs_error *err)
{
    int rc = cx_model_can_run(m, err);
    if (rc < 0 || m->n_inputs == 1) return rc;
    return cx_fail(err, CVS_E_UNSUPPORTED, "the model has %d inputs, and a picture goes to one",
                   m->n_inputs);
}

void cx_look_add_class(cx_json_writer *w, int64_t class_index)
{
    cx_json_add_number(w, "class", class_index < 0 ? NAN : (double)class_index);
}

int64_t cx_look_channels(const cvs_model *m, int node)
{
    const cx_shape *s = &m->nodes[node].shape;
    const int64_t n = s->ndim > 1 ? s->d[cx_node_channel_axis(m, node)] : 1;
    return n < 1 ? INT32_MAX : n;
}

int cx_look_index(int64_t *out, const cx_ask *ask, const char *key, int64_t otherwise, int64_t n,
                  cvs_error *err)
{
    if (otherwise < -1 && !cx_ask_text(ask, key, NULL))
        return cx_fail(err, CVS_E_ARG, "%s is missing: a number from 0 to %lld is wanted", key,
                       (long long)(n - 1));
    return cx_ask_int(out, ask, key, otherwise, 0, n - 1, err);
}

int cx_reply_copy(cx_reply *out, const char *type, const cx_bytes *bytes, cvs_error *err)
{
    cx_bytes copy = {cx_alloc(bytes->size), bytes->size};
    if (!copy.data) return cx_no_memory(err, bytes->size);
    memcpy(copy.data, bytes->data, bytes->size);
    cx_reply_bytes(out, type, &copy);
    return 0;
}
