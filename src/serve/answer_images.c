/* answer_images.c - pictures: listed, sent, looked at. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"
#include "serve/answers.h"

enum { CREATED = 201, NOT_FOUND = 404, TOO_LARGE = 413, PAGE = 100, SIZE = 512, MOST_SIZE = 4096 };

static void add_entry(cx_json_writer *w, const cx_view_entry *e)
{
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "id", e->id);
    cx_json_add_string(w, "name", e->name);
    cx_json_add_int(w, "width", e->width);
    cx_json_add_int(w, "height", e->height);
    cx_json_add_string(w, "source", e->is_sent ? "sent" : "folder");
    cx_json_close(w, '}');
}

/* One picture by its id, or a part of the list. */
int cx_answer_images(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const char *id = cx_ask_text(ask, "id", NULL);
    cx_json_writer w = {0};
    cx_view_entry entry;
    int64_t from, count, n = 0;
    int rc;
    TRY(cx_ask_int(&from, ask, "from", 0, 0, INT32_MAX, err));
    TRY(cx_ask_int(&count, ask, "count", id ? 1 : PAGE, 1, 10000, err));
    cx_json_open(&w, NULL, '{');
    cx_json_add_int(&w, "total", cx_viewer_entry_count(ask->viewer));
    cx_json_open(&w, "images", '[');
    for (int64_t i = from; n < count && cx_viewer_entry(&entry, ask->viewer, i); i++) {
        if (id && strcmp(id, entry.id) != 0) continue;
        add_entry(&w, &entry);
        n++;
    }
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    out->is_fleeting = 1;
    rc = cx_reply_writer(out, &w, err);
out:
    return rc;
}

int cx_answer_upload(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const char *name = cx_ask_text(ask, "name", "picture");
    const cx_view_picture *picture = NULL;
    cx_json_writer w = {0};
    char id[17];
    int rc = cx_viewer_add(id, ask->viewer, name, ask->body, ask->body_size, err);
    if (rc == CVS_E_NOMEM) out->status = TOO_LARGE;
    if (rc < 0) goto out;
    TRY(cx_viewer_take(&picture, ask->viewer, id, err));
    cx_view_entry entry = {.width = picture->width, .height = picture->height, .is_sent = 1};
    memcpy(entry.id, picture->id, sizeof entry.id);
    snprintf(entry.name, sizeof entry.name, "%s", picture->name);
    add_entry(&w, &entry);
    out->status = CREATED;
    rc = cx_reply_writer(out, &w, err);
out:
    cx_viewer_let_go(ask->viewer, picture);
    return rc;
}

/* WebP, as the report's pages have photographs. */
static int send_photo(cx_reply *out, const cx_image *image, int64_t size, cvs_error *err)
{
    const int side = image->width > image->height ? image->width : image->height;
    const double scale = side > size ? (double)size / side : 1;
    const int w = (int)lround(image->width * scale), h = (int)lround(image->height * scale);
    cx_page_picture picture = {0};
    int rc =
        cx_page_resized(&picture, image, w > 0 ? w : 1, h > 0 ? h : 1, CVS_RESIZE_ANTIALIAS, err);
    if (rc == 0) cx_reply_bytes(out, "image/webp", &picture.bytes);
    return rc;
}

int cx_answer_image(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const cx_view_picture *picture = NULL;
    cx_image image = {0};
    int64_t size;
    int rc;
    TRY(cx_ask_int(&size, ask, "size", SIZE, 16, MOST_SIZE, err));
    rc = cx_viewer_take(&picture, ask->viewer, ask->part[0], err);
    if (rc == CVS_E_ARG) out->status = NOT_FOUND;
    if (rc < 0) goto out;
    TRY(cx_input_picture(&image, picture->input, err));
    if (image.data)
        rc = send_photo(out, &image, size, err);
    else
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "%s: these numbers are no picture", picture->name);
out:
    cx_image_deinit(&image);
    cx_viewer_let_go(ask->viewer, picture);
    return rc;
}

static int send_png(cx_reply *out, const cx_tensor *pixels, cvs_error *err)
{
    const int64_t *d = pixels->shape.d;
    const int64_t n = cx_shape_count(&pixels->shape);
    cx_block bytes = {0};
    cx_bytes file = {0};
    int rc = cx_block_init(&bytes, (size_t)n, err);
    if (rc < 0) return rc;
    uint8_t *to = bytes.data;
    for (int64_t i = 0; i < n; i++) to[i] = (uint8_t)(fminf(fmaxf(pixels->data[i], 0), 255) + 0.5F);
    const cx_png png = {.width = (int)d[1], .height = (int)d[0], .channels = (int)d[2], .data = to};
    rc = cx_png_encode(&file, &png, err);
    if (rc == 0) cx_reply_bytes(out, "image/png", &file);
    cx_block_deinit(&bytes);
    return rc;
}

/* The size and channels that the model's input wants of a picture. */
static int wanted(int *height, int *width, int *channels, const cvs_model *m, const cx_image *image,
                  cvs_error *err)
{
    const cx_shape *s = &m->nodes[m->inputs[0]].shape;
    const int axis = cx_node_channel_axis(m, m->inputs[0]), first = s->ndim == 4 && axis == 1;
    if (s->ndim != 3 && s->ndim != 4)
        return cx_fail(err, CVS_E_UNSUPPORTED, "what the model gets is no picture");
    const int64_t h = s->d[1 + first], w = s->d[2 + first], c = s->ndim == 4 ? s->d[axis] : 1;
    if (h > CX_IMAGE_MAX_SIDE || w > CX_IMAGE_MAX_SIDE)
        return cx_fail(err, CVS_E_UNSUPPORTED, "what the model gets is too large to be shown");
    *height = h > 0 ? (int)h : image->height;
    *width = w > 0 ? (int)w : image->width;
    *channels = c == 1 ? 1 : 3;
    return 0;
}

int cx_answer_seen(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const cx_view_model *model;
    const cx_view_picture *picture = NULL;
    cvs_image_options how;
    cx_image image = {0}, converted = {0};
    cx_tensor pixels = {0};
    int height = 0, width = 0, channels = 0, rc;
    TRY(cx_ask_model(&model, out, ask, err));
    TRY(cx_ask_image(&how, ask, err));
    TRY(cx_ask_picture(&picture, out, ask, err));
    TRY(cx_input_picture(&image, picture->input, err));
    if (!image.data) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "%s: these numbers are no picture", picture->name);
        goto out;
    }
    TRY(wanted(&height, &width, &channels, model->m, &image, err));
    TRY(cx_image_convert(&converted, &image, channels, err));
    TRY(cx_image_resize(&pixels, &converted, width, height, how.resize, err));
    rc = send_png(out, &pixels, err);
out:
    cx_tensor_deinit(&pixels);
    cx_image_deinit(&converted);
    cx_image_deinit(&image);
    cx_viewer_let_go(ask->viewer, picture);
    return rc;
}
