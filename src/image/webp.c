/* webp.c - WebP files, by libwebp: lossy, lossless, and the first picture of an animation. */
#include "image/codec.h"

#include <webp/decode.h>
#include <webp/demux.h>

static int check_state(WebPDemuxState state, cvs_error *err)
{
    if (state == WEBP_DEMUX_DONE) return 0;
    if (state == WEBP_DEMUX_PARSE_ERROR)
        return cx_fail(err, CVS_E_FORMAT, "WebP: malformed chunks");
    return cx_truncated(err, "WebP");
}

static int decode_status(VP8StatusCode status, cvs_error *err)
{
    switch (status) {
    case VP8_STATUS_OK:
        return 0;
    case VP8_STATUS_OUT_OF_MEMORY:
        return cx_fail(err, CVS_E_NOMEM, "WebP: out of memory");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return cx_truncated(err, "WebP");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return cx_fail(err, CVS_E_UNSUPPORTED, "WebP: a feature that libwebp does not know");
    case VP8_STATUS_INVALID_PARAM:
    case VP8_STATUS_BITSTREAM_ERROR:
    case VP8_STATUS_USER_ABORT:
        break;
    }
    return cx_fail(err, CVS_E_FORMAT, "WebP: malformed picture data");
}

/* The first frame, put on its place of the canvas; what it leaves free stays black, transparent. */
static int decode_frame(cx_image *image, const WebPIterator *frame, cvs_error *err)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return cx_fail(err, CVS_E_UNSUPPORTED, "WebP: libwebp has another version than its header");
    size_t pixel = (size_t)image->channels, stride = (size_t)image->width * pixel;
    size_t at = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * pixel;
    size_t size = stride * (size_t)image->height;
    if (at >= size) return cx_fail(err, CVS_E_FORMAT, "WebP: a frame beside the picture");
    config.output.colorspace = pixel == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA =
        (WebPRGBABuffer){.rgba = image->data + at, .stride = (int)stride, .size = size - at};
    int rc = decode_status(WebPDecode(frame->fragment.bytes, frame->fragment.size, &config), err);
    WebPFreeDecBuffer(&config.output);
    return rc;
}

static int find_orientation(int *out, const WebPDemuxer *demux, cvs_error *err)
{
    WebPChunkIterator chunk;
    *out = 1;
    if (!WebPDemuxGetChunk(demux, "EXIF", 1, &chunk)) return 0;
    int rc = cx_exif_orientation(out, chunk.chunk.bytes, chunk.chunk.size, err);
    WebPDemuxReleaseChunkIterator(&chunk);
    return rc;
}

int cx_webp_decode(cx_image *out, int *orientation, const uint8_t *bytes, size_t size,
                   const cx_wish *wish, cvs_error *err)
{
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    WebPIterator frame = {0};
    int rc;

    *out = (cx_image){0};
    WebPDemuxer *demux = WebPDemuxPartial(&(WebPData){bytes, size}, &state);
    TRY(check_state(state, err));
    int has_alpha = (WebPDemuxGetI(demux, WEBP_FF_FORMAT_FLAGS) & ALPHA_FLAG) != 0;
    unsigned width = WebPDemuxGetI(demux, WEBP_FF_CANVAS_WIDTH);
    unsigned height = WebPDemuxGetI(demux, WEBP_FF_CANVAS_HEIGHT);
    TRY(cx_image_check_packing("WebP", width, height, size, err));
    TRY(cx_image_check_most(width, height, wish->most, err));
    TRY(cx_image_init(out, (int)width, (int)height, wish->alpha && has_alpha ? 4 : 3, err));
    if (!WebPDemuxGetFrame(demux, 1, &frame)) {
        rc = cx_fail(err, CVS_E_FORMAT, "WebP: no picture in it");
        goto out;
    }
    TRY(decode_frame(out, &frame, err));
    if (orientation) TRY(find_orientation(orientation, demux, err));
out:
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demux);
    if (rc < 0) cx_image_deinit(out);
    return rc;
}
