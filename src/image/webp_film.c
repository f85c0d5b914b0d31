/* webp_film.c - WebP out: lossy, since frames of patterns are as rich as photographs. */
#include "image/webp_film.h"

#include <string.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "base/mem.h"

enum { QUALITY = 80, EFFORT = 2, KEY_FRAMES = 16 };

static int other_version(cvs_error *err)
{
    return cx_fail(err, CVS_E_UNSUPPORTED, "libwebp has another version than its header");
}

static int check_size(int width, int height, cvs_error *err)
{
    if (width <= WEBP_MAX_DIMENSION && height <= WEBP_MAX_DIMENSION) return 0;
    return cx_fail(err, CVS_E_UNSUPPORTED, "%d × %d pixels: WebP has at most %d", width, height,
                   WEBP_MAX_DIMENSION);
}

static int make_config(WebPConfig *out, cvs_error *err)
{
    if (!WebPConfigInit(out)) return other_version(err);
    out->quality = QUALITY;
    out->method = EFFORT;
    return 0;
}

/* The caller's to WebPPictureFree() on success. */
static int make_picture(WebPPicture *out, const uint8_t *pixels, int width, int height,
                        cvs_error *err)
{
    if (!WebPPictureInit(out)) return other_version(err);
    out->width = width;
    out->height = height;
    out->use_argb = 1;
    if (WebPPictureImportRGB(out, pixels, 3 * width)) return 0;
    return cx_no_memory(err, (size_t)width * (size_t)height * 4);
}

/* libwebp's memory becomes ours. */
static int take(cx_bytes *out, const uint8_t *data, size_t size, cvs_error *err)
{
    out->data = cx_alloc(size);
    if (!out->data) return cx_no_memory(err, size);
    memcpy(out->data, data, size);
    out->size = size;
    return 0;
}

/* --- stills --- */

int cx_webp_still(cx_bytes *out, const uint8_t *pixels, int width, int height, cvs_error *err)
{
    WebPMemoryWriter writer;
    WebPPicture picture = {0};
    WebPConfig config;
    int rc;
    *out = (cx_bytes){0};
    WebPMemoryWriterInit(&writer);
    TRY(check_size(width, height, err));
    TRY(make_config(&config, err));
    TRY(make_picture(&picture, pixels, width, height, err));
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    if (!WebPEncode(&config, &picture))
        TRY(cx_fail(err, CVS_E_NOMEM, "a WebP picture: error %d", (int)picture.error_code));
    TRY(take(out, writer.mem, writer.size, err));
out:
    WebPPictureFree(&picture);
    WebPMemoryWriterClear(&writer);
    return rc;
}

int cx_webp_splice(cx_bytes *out, const cx_bytes *stills, int n, int milliseconds, int last,
                   cvs_error *err)
{
    const WebPMuxAnimParams for_ever = {.bgcolor = 0xffffffff, .loop_count = 0};
    WebPMux *mux = WebPMuxNew();
    WebPData data = {0};
    WebPMuxError bad = mux ? WEBP_MUX_OK : WEBP_MUX_MEMORY_ERROR;
    int rc = 0;
    *out = (cx_bytes){0};
    for (int i = 0; i < n && bad == WEBP_MUX_OK; i++) {
        const WebPMuxFrameInfo frame = {
            .bitstream = {stills[i].data, stills[i].size},
            .duration = i + 1 < n ? milliseconds : last,
            .id = WEBP_CHUNK_ANMF,
            .dispose_method = WEBP_MUX_DISPOSE_NONE,
            .blend_method = WEBP_MUX_NO_BLEND,
        };
        bad = WebPMuxPushFrame(mux, &frame, 0);
    }
    if (bad == WEBP_MUX_OK) bad = WebPMuxSetAnimationParams(mux, &for_ever);
    if (bad == WEBP_MUX_OK) bad = WebPMuxAssemble(mux, &data);
    if (bad == WEBP_MUX_OK)
        rc = take(out, data.bytes, data.size, err);
    else
        rc = cx_fail(err, CVS_E_NOMEM, "a film: libwebp's error %d", (int)bad);
    WebPDataClear(&data);
    WebPMuxDelete(mux);
    return rc;
}

/* --- films --- */

struct cx_webp_film {
    WebPAnimEncoder *encoder;
    WebPConfig config;
    int width, height, time;
};

int cx_webp_film_new(cx_webp_film **out, int width, int height, cvs_error *err)
{
    WebPAnimEncoderOptions options;
    int rc;
    cx_webp_film *f = *out = cx_calloc(1, sizeof *f);
    if (!f) return cx_no_memory(err, sizeof *f);
    f->width = width;
    f->height = height;
    TRY(check_size(width, height, err));
    TRY(make_config(&f->config, err));
    if (!WebPAnimEncoderOptionsInit(&options)) TRY(other_version(err));
    options.kmax = KEY_FRAMES;
    f->encoder = WebPAnimEncoderNew(width, height, &options);
    if (!f->encoder) TRY(cx_no_memory(err, (size_t)width * (size_t)height * 4));
out:
    return rc;
}

void cx_webp_film_free(cx_webp_film *f)
{
    if (f && f->encoder) WebPAnimEncoderDelete(f->encoder);
    cx_free(f);
}

int cx_webp_film_add(cx_webp_film *f, const uint8_t *pixels, int milliseconds, cvs_error *err)
{
    WebPPicture picture = {0};
    int rc;
    TRY(make_picture(&picture, pixels, f->width, f->height, err));
    if (!WebPAnimEncoderAdd(f->encoder, &picture, f->time, &f->config))
        TRY(cx_fail(err, CVS_E_NOMEM, "a film's frame: %s", WebPAnimEncoderGetError(f->encoder)));
    f->time += milliseconds;
out:
    WebPPictureFree(&picture);
    return rc;
}

int cx_webp_film_finish(cx_bytes *out, cx_webp_film *f, cvs_error *err)
{
    WebPData data = {0};
    int rc;
    *out = (cx_bytes){0};
    if (!WebPAnimEncoderAdd(f->encoder, NULL, f->time, NULL) ||
        !WebPAnimEncoderAssemble(f->encoder, &data))
        return cx_fail(err, CVS_E_NOMEM, "a film: %s", WebPAnimEncoderGetError(f->encoder));
    rc = take(out, data.bytes, data.size, err);
    WebPDataClear(&data);
    return rc;
}
