/* jpeg.c - JPEG files, by libjpeg-turbo with the settings that Pillow uses. */
#include "image/codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "base/mem.h"

/* Every scan of a progressive file walks the whole picture; real ones have about ten. */
enum { MAX_SCANS = 200, EXIF_MARKER = JPEG_APP0 + 1 };

typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    cx_image image;
    uint8_t *inks; /* one row of a CMYK picture */
    int orientation;
    int rc;
    cvs_error *err;
} reader;

/* --- what libjpeg calls --- */

static void on_error(j_common_ptr jpeg)
{
    reader *r = jpeg->client_data;
    char message[JMSG_LENGTH_MAX];
    r->errors.format_message(jpeg, message);
    int code = r->errors.msg_code == JERR_OUT_OF_MEMORY ? CVS_E_NOMEM : CVS_E_FORMAT;
    r->rc = cx_fail(r->err, code, "JPEG: %s", message);
    longjmp(r->jump, 1);
}

/* Warnings: Pillow shows the picture all the same. */
static void on_message(j_common_ptr jpeg, int level)
{
    (void)jpeg, (void)level;
}

static void on_progress(j_common_ptr jpeg)
{
    reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= MAX_SCANS) return;
    r->rc = cx_fail(r->err, CVS_E_FORMAT, "JPEG: more than %d scans", MAX_SCANS);
    longjmp(r->jump, 1);
}

static void on_source(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

/* All bytes are there from the start: to ask for more is to be truncated. Suspending, as Pillow
 * does, tells that apart from a picture that is whole; feeding an end marker would not. */
static boolean on_empty(j_decompress_ptr jpeg)
{
    (void)jpeg;
    return FALSE;
}

static void on_skip(j_decompress_ptr jpeg, long n)
{
    struct jpeg_source_mgr *s = jpeg->src;
    size_t skipped = n <= 0 ? 0 : (size_t)n < s->bytes_in_buffer ? (size_t)n : s->bytes_in_buffer;
    s->next_input_byte += skipped;
    s->bytes_in_buffer -= skipped;
}

/* --- reading --- */

/* A Huffman code has a bit at least and every 8 x 8 block one code at least, so a header that
 * promises more than the file can hold is told before memory is asked for. Arithmetic codes may
 * have next to nothing. */
static int check_promise(const reader *r, size_t size)
{
    const struct jpeg_decompress_struct *j = &r->jpeg;
    if (j->arith_code)
        return cx_image_check_packing("JPEG", j->image_width, j->image_height, size, r->err);
    uint64_t blocks = ((uint64_t)j->image_width + 7) / 8 * (((uint64_t)j->image_height + 7) / 8);
    if (blocks / 8 <= size) return 0;
    return cx_fail(r->err, CVS_E_FORMAT,
                   "JPEG: %zu bytes cannot hold %u x %u pixels: the file is "
                   "truncated",
                   size, j->image_width, j->image_height);
}

static int read_header(reader *r, const uint8_t *bytes, size_t size)
{
    struct jpeg_decompress_struct *j = &r->jpeg;
    jpeg_create_decompress(j);
    j->client_data = r;
    j->progress = &r->progress;
    r->progress.progress_monitor = on_progress;
    r->source.init_source = on_source;
    r->source.term_source = on_source;
    r->source.fill_input_buffer = on_empty;
    r->source.skip_input_data = on_skip;
    r->source.resync_to_restart = jpeg_resync_to_restart;
    r->source.next_input_byte = bytes;
    r->source.bytes_in_buffer = size;
    j->src = &r->source;
    if (r->orientation) jpeg_save_markers(j, EXIF_MARKER, 0xFFFF);
    if (jpeg_read_header(j, TRUE) != JPEG_HEADER_OK) return cx_truncated(r->err, "JPEG");
    return check_promise(r, size);
}

/* APP1 holds EXIF, but XMP too. */
static int find_orientation(reader *r)
{
    r->orientation = 1;
    for (jpeg_saved_marker_ptr m = r->jpeg.marker_list; m; m = m->next)
        if (m->marker == EXIF_MARKER && m->data_length >= 6 && memcmp(m->data, "Exif\0", 6) == 0)
            return cx_exif_orientation(&r->orientation, m->data, m->data_length, r->err);
    return 0;
}

/* The picture's channels and the space that libjpeg converts to; CMYK is ours to convert on. */
static int choose_space(reader *r, int *channels)
{
    struct jpeg_decompress_struct *j = &r->jpeg;
    switch (j->num_components) {
    case 1:
        j->out_color_space = JCS_GRAYSCALE, *channels = 1;
        return 0;
    case 3:
        j->out_color_space = JCS_RGB, *channels = 3;
        return 0;
    case 4:
        j->out_color_space = JCS_CMYK, *channels = 3;
        return 0;
    default:
        return cx_fail(r->err, CVS_E_UNSUPPORTED,
                       "JPEG: %d components: only gray, colour and CMYK "
                       "are read",
                       j->num_components);
    }
}

/* a * b / 255, rounded, as Pillow does it. */
static int mul_255(int a, int b)
{
    int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

/* Pillow takes every CMYK JPEG for Adobe's, whose inks are stored inverted, and then does the plain
 * conversion (1 - ink) * (1 - black), without a colour profile. */
static void rgb_from_inks(uint8_t *rgb, const uint8_t *inks, int width)
{
    for (int x = 0; x < width; x++, rgb += 3, inks += 4) {
        int light = inks[3];
        for (int c = 0; c < 3; c++) {
            int v = light - mul_255(255 - inks[c], light);
            rgb[c] = (uint8_t)(v < 0 ? 0 : v);
        }
    }
}

static int read_rows(reader *r)
{
    struct jpeg_decompress_struct *j = &r->jpeg;
    size_t row = (size_t)r->image.width * (size_t)r->image.channels;
    /* At full size always: libjpeg gives a half or an eighth for less, but its pixels are means,
     * and Keras takes the nearest of those that a full decode gives. */
    if (!jpeg_start_decompress(j)) return cx_truncated(r->err, "JPEG");
    while (j->output_scanline < j->output_height) {
        uint8_t *to = r->image.data + j->output_scanline * row;
        JSAMPROW line = r->inks ? r->inks : to;
        if (jpeg_read_scanlines(j, &line, 1) != 1) return cx_truncated(r->err, "JPEG");
        if (r->inks) rgb_from_inks(to, r->inks, r->image.width);
    }
    return 0;
}

static int read_all(reader *r, const uint8_t *bytes, size_t size)
{
    int channels = 0, rc;
    TRY(read_header(r, bytes, size));
    if (r->orientation) TRY(find_orientation(r));
    TRY(choose_space(r, &channels));
    TRY(cx_image_init(&r->image, (int)r->jpeg.image_width, (int)r->jpeg.image_height, channels,
                      r->err));
    if (r->jpeg.out_color_space == JCS_CMYK) {
        size_t n = (size_t)r->image.width * 4;
        r->inks = cx_alloc(n);
        if (!r->inks) return cx_no_memory(r->err, n);
    }
    rc = read_rows(r);
out:
    return rc;
}

/* libjpeg leaves by longjmp; what must survive that lies in *r, in the caller's frame. */
static int guarded(reader *r, const uint8_t *bytes, size_t size)
{
    if (setjmp(r->jump)) return r->rc;
    return read_all(r, bytes, size);
}

int cx_jpeg_decode(cx_image *out, int *orientation, const uint8_t *bytes, size_t size, int alpha,
                   cvs_error *err)
{
    reader r = {.err = err, .orientation = orientation != NULL};
    (void)alpha; /* there is none */
    r.jpeg.err = jpeg_std_error(&r.errors);
    r.jpeg.client_data = &r; /* an error can come before the object is made */
    r.errors.error_exit = on_error;
    r.errors.emit_message = on_message;
    int rc = guarded(&r, bytes, size);
    jpeg_destroy_decompress(&r.jpeg);
    cx_free(r.inks);
    if (rc < 0) cx_image_deinit(&r.image);
    *out = r.image;
    if (orientation && rc == 0) *orientation = r.orientation;
    return rc;
}
