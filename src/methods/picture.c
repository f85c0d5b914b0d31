/* picture.c - an input as a picture. */
#include "methods/picture.h"

int cx_picture_of(cx_picture *out, const cx_question *q, cvs_error *err)
{
    const cx_shape *s = &q->x[q->input].shape;
    const int node = q->model->inputs[q->input];
    const int first = s->ndim > 2 && cx_node_channel_axis(q->model, node) == 1;
    char text[CX_SHAPE_TEXT];
    *out = (cx_picture){0};
    if (s->ndim < 3 || s->ndim > 4)
        return cx_fail(err, CVS_E_UNSUPPORTED, "an input of shape %s is no picture: %s needs one",
                       cx_shape_text(text, s), q->method->about.title);
    out->channels = s->d[first ? 1 : s->ndim - 1];
    out->width = s->d[s->ndim - 2 + first];
    out->height = s->ndim == 4 ? s->d[1 + first] : 1;
    out->cell = first ? 1 : out->channels;
    out->channel = first ? out->height * out->width : 1;
    return 0;
}
