/* webp_film.h - WebP out, still and animated, by libwebp. */
#ifndef CX_IMAGE_WEBP_FILM_H
#define CX_IMAGE_WEBP_FILM_H

#include "base/file.h"

/* One picture of width × height, red, green, blue; the caller's to cx_bytes_deinit(). */
int cx_webp_still(cx_bytes *out, const uint8_t *pixels, int width, int height, cvs_error *err);

/* n stills of one size as a film that plays for ever. It is half as large again as one that is
 * encoded as a whole, but no frame is encoded twice when some are added later. */
int cx_webp_splice(cx_bytes *out, const cx_bytes *stills, int n, int milliseconds, int last,
                   cvs_error *err);

/* --- a film that is encoded as a whole --- */

typedef struct cx_webp_film cx_webp_film;

/* For frames of width × height. The caller's to cx_webp_film_free() in any case. */
int cx_webp_film_new(cx_webp_film **out, int width, int height, cvs_error *err);
void cx_webp_film_free(cx_webp_film *film);

/* One more frame, red, green, blue, shown for so long. */
int cx_webp_film_add(cx_webp_film *film, const uint8_t *pixels, int milliseconds, cvs_error *err);

/* The file, which plays for ever; the caller's to cx_bytes_deinit(). */
int cx_webp_film_finish(cx_bytes *out, cx_webp_film *film, cvs_error *err);

#endif
