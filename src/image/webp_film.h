/* webp_film.h - animated WebP out, by libwebp. */
#ifndef CX_IMAGE_WEBP_FILM_H
#define CX_IMAGE_WEBP_FILM_H

#include "base/file.h"

typedef struct cx_webp_film cx_webp_film;

/* For frames of width × height. The caller's to cx_webp_film_free() in any case. */
int cx_webp_film_new(cx_webp_film **out, int width, int height, cvs_error *err);
void cx_webp_film_free(cx_webp_film *film);

/* One more frame, red, green, blue, shown for so long. */
int cx_webp_film_add(cx_webp_film *film, const uint8_t *pixels, int milliseconds, cvs_error *err);

/* The file, which plays for ever; the caller's to cx_bytes_deinit(). */
int cx_webp_film_finish(cx_bytes *out, cx_webp_film *film, cvs_error *err);

#endif
