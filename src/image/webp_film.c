/* webp_film.c - animated WebP: lossy, since frames of patterns are as rich as photographs. */
#include "image/webp_film.h"

#include <string.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "base/mem.h"

enum { QUALITY = 80, EFFORT = 2, KEY_FRAMES = 16 };

struct cx_webp_film {
    WebPAnimEncoder *encoder;
    WebPConfig config;
    int width, height, time;
};

int cx_webp_film_new(cx_webp_film **out, int width, int height, cvs_error *err)
{
    WebPAnimEncoderOptions options;
    cx_webp_film *f = *out = cx_calloc(1, sizeof *f);
    if (!f) return cx_no_memory(err, sizeof *f);
    f->width = width;
    f->height = height;
    if (width > WEBP_MAX_DIMENSION || height > WEBP_MAX_DIMENSION)
        return cx_fail(err, CVS_E_UNSUPPORTED, "a film of %d × %d pixels: WebP has at most %d",
                       width, height, WEBP_MAX_DIMENSION);
    if (!WebPAnimEncoderOptionsInit(&options) || !WebPConfigInit(&f->config))
        return cx_fail(err, CVS_E_UNSUPPORTED, "libwebp has another version than its header");
    f->config.quality = QUALITY;
    f->config.method = EFFORT;
    options.kmax = KEY_FRAMES;
    f->encoder = WebPAnimEncoderNew(width, height, &options);
    return f->encoder ? 0 : cx_no_memory(err, (size_t)width * (size_t)height * 4);
}

void cx_webp_film_free(cx_webp_film *f)
{
    if (f && f->encoder) WebPAnimEncoderDelete(f->encoder);
    cx_free(f);
}

int cx_webp_film_add(cx_webp_film *f, const uint8_t *pixels, int milliseconds, cvs_error *err)
{
    WebPPicture picture;
    int rc = 0;
    if (!WebPPictureInit(&picture))
        return cx_fail(err, CVS_E_UNSUPPORTED, "libwebp has another version than its header");
    picture.width = f->width;
    picture.height = f->height;
    picture.use_argb = 1;
    if (!WebPPictureImportRGB(&picture, pixels, 3 * f->width))
        rc = cx_no_memory(err, (size_t)f->width * (size_t)f->height * 4);
    else if (!WebPAnimEncoderAdd(f->encoder, &picture, f->time, &f->config))
        rc = cx_fail(err, CVS_E_NOMEM, "a film's frame: %s", WebPAnimEncoderGetError(f->encoder));
    WebPPictureFree(&picture);
    f->time += milliseconds;
    return rc;
}

int cx_webp_film_finish(cx_bytes *out, cx_webp_film *f, cvs_error *err)
{
    WebPData data = {0};
    *out = (cx_bytes){0};
    if (!WebPAnimEncoderAdd(f->encoder, NULL, f->time, NULL) ||
        !WebPAnimEncoderAssemble(f->encoder, &data))
        return cx_fail(err, CVS_E_NOMEM, "a film: %s", WebPAnimEncoderGetError(f->encoder));
    out->data = cx_alloc(data.size);
    if (out->data) {
        memcpy(out->data, data.bytes, data.size);
        out->size = data.size;
    }
    WebPDataClear(&data);
    return out->data ? 0 : cx_no_memory(err, data.size);
}
