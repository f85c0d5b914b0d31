/* unknown.c - layers that cannot be computed: classes of users, and Lambda, which holds Python.
 * They have their place in a model that is described. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

enum { MAX_CODE = 1 << 16 };

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Whether marshalled code in base64 holds one of the numbers that pixels are divided by: 255 as an
 * integer ('i'; the upper bit only says that it may be referred to), 255.0 or 127.5 as a double
 * ('g'). */
static int divides_pixels(const char *base64)
{
    static const uint8_t ends[][3] = {{0xe0, 0x6f, 0x40}, {0xe0, 0x5f, 0x40}};
    uint8_t last[9] = {0};
    unsigned bits = 0;
    int n_bits = 0;
    for (size_t i = 0; base64[i] && i < MAX_CODE; i++) {
        int d = digit(base64[i]);
        if (d < 0) continue; /* base64 comes in lines */
        bits = bits << 6 | (unsigned)d;
        n_bits += 6;
        if (n_bits < 8) continue;
        n_bits -= 8;
        memmove(last, last + 1, sizeof last - 1);
        last[8] = (uint8_t)(bits >> n_bits);
        if ((last[4] & 0x7f) == 'i' && memcmp(last + 5, "\xff\0\0", 4) == 0) return 1;
        if ((last[0] & 0x7f) == 'g' && memcmp(last + 1, "\0\0\0\0", 5) == 0 &&
            (memcmp(last + 6, ends[0], 3) == 0 || memcmp(last + 6, ends[1], 3) == 0))
            return 1;
    }
    return 0;
}

const cx_layer_kind *cx_unknown_kind(const char *class_name, cx_arena *arena)
{
    const char *package_end = strrchr(class_name, '>');
    cx_layer_kind *kind = cx_arena_alloc(arena, sizeof *kind);
    char *name = cx_arena_strdup(arena, package_end ? package_end + 1 : class_name);
    if (!kind || !name) return NULL;
    *kind = (cx_layer_kind){.class_name = name, .moves_axes = 1, .is_unknown = 1};
    return kind;
}

static int is_lambda(const char *class_name)
{
    return cx_streq(class_name, "Lambda");
}

const char *cx_unknown_class_hint(const char *class_name, const cx_json *config)
{
    if (!is_lambda(class_name)) return NULL;
    const cx_json *function = cx_json_get(config, "function");
    const cx_json *code = cx_json_get(cx_json_get(function, "config"), "code"); /* Keras 3 */
    if (!code) code = cx_json_at(function, 0);
    if (divides_pixels(cx_json_string(code, "")))
        return "a Lambda holds Python code; this one looks like x / 255: put a Rescaling layer in "
               "its place and save again";
    return "a Lambda holds Python code; put built-in layers in its place and save again";
}

/* A Lambda's output_shape is without the batch; where it is a function, the list holds its code. */
int cx_unknown_class_shape(cx_shape *out, const char *class_name, const cx_json *config)
{
    const cx_json *list =
        is_lambda(class_name) ? cx_config_get(config, "output_shape", NULL) : NULL;
    const size_t n = cx_json_size(list);
    *out = (cx_shape){.ndim = (int)n + 1, .d = {CX_FREE}};
    if (!cx_json_is_array(list) || n < 1 || n >= CX_MAX_DIMS) return 0;
    for (size_t i = 0; i < n; i++) {
        const cx_json *item = cx_json_at(list, i);
        out->d[i + 1] = cx_json_is_null(item) ? CX_FREE : cx_json_int(item, 0);
        if (out->d[i + 1] != CX_FREE && (out->d[i + 1] < 1 || out->d[i + 1] > INT32_MAX)) return 0;
    }
    return 1;
}
