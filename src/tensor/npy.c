/* npy.c - .npy files: magic, version, a Python dictionary in ASCII, then the numbers. */
#include "tensor/npy.h"

#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they lie");

/* Before the dictionary: magic of 6 bytes, version of 2, length of 2 (format 1.0) or 4. */
enum { PREAMBLE = 10, MAX_DICT = 64 << 10, WORD = 16 };
static const char magic[] = "\x93NUMPY";
static const size_t max_file = (size_t)4 << 30;
static const int64_t max_side = (int64_t)1 << 40;

/* --- writing --- */

size_t cx_npy_header(char out[CX_NPY_HEADER], const cx_shape *shape)
{
    int n = snprintf(out + PREAMBLE, CX_NPY_HEADER - PREAMBLE,
                     "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    size_t at = PREAMBLE + (size_t)n;
    for (int i = 0; i < shape->ndim; i++) /* at most 6 numbers of 20 characters: they fit */
        at += (size_t)snprintf(out + at, CX_NPY_HEADER - at, i ? ", %lld" : "%lld",
                               (long long)shape->d[i]);
    at += (size_t)snprintf(out + at, CX_NPY_HEADER - at, shape->ndim == 1 ? ",), }" : "), }");
    size_t size = (at + 1 + 63) / 64 * 64;
    memset(out + at, ' ', size - at - 1);
    out[size - 1] = '\n';
    memcpy(out, magic, 6);
    out[6] = 1;
    out[7] = 0;
    out[8] = (char)((size - PREAMBLE) & 0xff);
    out[9] = (char)((size - PREAMBLE) >> 8);
    return size;
}

int cx_npy_pack(cx_bytes *out, const float *data, const cx_shape *shape, cvs_error *err)
{
    char header[CX_NPY_HEADER];
    const size_t head = cx_npy_header(header, shape);
    const int64_t n = cx_shape_count(shape);
    *out = (cx_bytes){0};
    if (n < 0) return cx_fail(err, CVS_E_ARG, "a shape with free sizes cannot be written");
    const size_t size = head + (size_t)n * sizeof *data;
    out->data = cx_alloc(size);
    if (!out->data) return cx_no_memory(err, size);
    memcpy(out->data, header, head);
    if (n > 0) memcpy(out->data + head, data, size - head);
    out->size = size;
    return 0;
}

int cx_npy_write(const char *path, const float *data, const cx_shape *shape, cvs_error *err)
{
    char header[CX_NPY_HEADER];
    size_t size = cx_npy_header(header, shape);
    int64_t n = cx_shape_count(shape);
    if (n < 0) return cx_fail(err, CVS_E_ARG, "a shape with free sizes cannot be written");
    cx_piece pieces[] = {{header, size}, {data, (size_t)n * sizeof *data}};
    return cx_file_write(path, pieces, 2, err);
}

/* --- the dictionary --- */

typedef struct element {
    char kind; /* 'f', 'i', 'u', 'b' */
    int size;  /* bytes */
    int swap;  /* 1: big-endian */
} element;

typedef struct header {
    element element;
    int fortran;
    cx_shape shape;
    size_t offset; /* of the numbers */
} header;

/* What is left of the dictionary. */
typedef struct cursor {
    const char *begin, *at, *end;
} cursor;

static int expected(const cursor *c, const char *what, cvs_error *err)
{
    return cx_fail(err, CVS_E_FORMAT, "npy header: expected %s at character %lld", what,
                   (long long)(c->at - c->begin));
}

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) c->at++;
}

/* Whether the next character, blanks aside, is that one; then it is taken. */
static int take(cursor *c, char what)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != what) return 0;
    c->at++;
    return 1;
}

static int take_word(cursor *c, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return 0;
    c->at += n;
    return 1;
}

/* A string in single or double quotes, without escapes, of less than WORD characters. */
static int parse_string(char out[WORD], cursor *c, cvs_error *err)
{
    char quote = take(c, '\'') ? '\'' : '"';
    int n = 0;
    if (quote == '"' && !take(c, '"')) return expected(c, "a string", err);
    for (; c->at < c->end && *c->at != quote; c->at++) {
        if (n == WORD - 1 || *c->at == '\\') return expected(c, "a shorter, plain string", err);
        out[n++] = *c->at;
    }
    out[n] = 0;
    return take(c, quote) ? 0 : expected(c, "a closing quote", err);
}

static int parse_descr(element *out, cursor *c, cvs_error *err)
{
    char word[WORD] = "";
    static const char *const known[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                        "i8", "u1", "u2", "u4", "u8", "b1"};
    skip_blanks(c);
    if (c->at < c->end && *c->at == '[')
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "npy header: descr is a list: structured arrays are not read");
    int rc = parse_string(word, c, err);
    if (rc < 0) return rc;
    if (word[0] && strchr("<>=|", word[0]))
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strcmp(word + 1, known[i]) == 0) {
                *out = (element){word[1], word[2] - '0', word[0] == '>'};
                return 0;
            }
    rc = cx_fail(err, CVS_E_UNSUPPORTED, "npy header: descr '%s' is no kind of number that is read",
                 word);
    cx_hint(err, "save it as float32");
    return rc;
}

static int parse_bool(int *out, cursor *c, cvs_error *err)
{
    *out = take_word(c, "True");
    return *out || take_word(c, "False") ? 0 : expected(c, "True or False", err);
}

static int parse_side(int64_t *out, cursor *c, cvs_error *err)
{
    int64_t v = 0;
    skip_blanks(c);
    if (c->at == c->end || *c->at < '0' || *c->at > '9') return expected(c, "a size", err);
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        v = v * 10 + (*c->at - '0');
        if (v > max_side) return expected(c, "a size of at most 2^40", err);
    }
    *out = v;
    return 0;
}

static int parse_shape(cx_shape *out, cursor *c, cvs_error *err)
{
    *out = (cx_shape){0};
    if (!take(c, '(')) return expected(c, "a tuple", err);
    while (!take(c, ')')) {
        if (out->ndim == CX_MAX_DIMS)
            return cx_fail(err, CVS_E_UNSUPPORTED, "npy header: shape has more than %d axes",
                           CX_MAX_DIMS);
        int rc = parse_side(&out->d[out->ndim], c, err);
        if (rc < 0) return rc;
        out->ndim++;
        if (take(c, ',')) continue;
        /* Python's tuple of one has its comma: (3) is a number */
        if (out->ndim == 1 || !take(c, ')')) return expected(c, "a comma", err);
        break;
    }
    return 0;
}

/* One "key: value"; `seen` has a bit for each key so far. */
enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
static int parse_entry(header *out, int *seen, cursor *c, cvs_error *err)
{
    char key[WORD];
    int rc = parse_string(key, c, err);
    if (rc < 0) return rc;
    int which = strcmp(key, "descr") == 0           ? DESCR
                : strcmp(key, "fortran_order") == 0 ? ORDER
                : strcmp(key, "shape") == 0         ? SHAPE
                                                    : 0;
    if (!which || *seen & which)
        return cx_fail(err, CVS_E_FORMAT, "npy header: key '%s' is %s", key,
                       which ? "there twice" : "unknown");
    *seen |= which;
    if (!take(c, ':')) return expected(c, "a colon", err);
    if (which == DESCR) return parse_descr(&out->element, c, err);
    if (which == ORDER) return parse_bool(&out->fortran, c, err);
    return parse_shape(&out->shape, c, err);
}

static int parse_dict(header *out, cursor *c, cvs_error *err)
{
    int seen = 0;
    if (!take(c, '{')) return expected(c, "a dictionary", err);
    while (!take(c, '}')) {
        int rc = parse_entry(out, &seen, c, err);
        if (rc < 0) return rc;
        if (take(c, ',')) continue;
        if (!take(c, '}')) return expected(c, "a comma", err);
        break;
    }
    skip_blanks(c);
    if (c->at != c->end) return expected(c, "nothing more", err);
    if (seen == (DESCR | ORDER | SHAPE)) return 0;
    return cx_fail(err, CVS_E_FORMAT, "npy header: %s is missing",
                   !(seen & DESCR)   ? "descr"
                   : !(seen & ORDER) ? "fortran_order"
                                     : "shape");
}

static int parse_header(header *out, const uint8_t *bytes, size_t size, cvs_error *err)
{
    if (size < PREAMBLE || memcmp(bytes, magic, 6) != 0)
        return cx_fail(err, CVS_E_FORMAT, "not a .npy file: it does not begin with \\x93NUMPY");
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return cx_fail(err, CVS_E_UNSUPPORTED, "npy format %d.%d is not known", bytes[6], bytes[7]);
    size_t begin = PREAMBLE, length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) {
        begin += 2;
        if (size < begin) return cx_fail(err, CVS_E_FORMAT, "the file ends in the npy header");
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (length > MAX_DICT)
        return cx_fail(err, CVS_E_FORMAT, "npy header: %zu bytes are more than the limit of %d",
                       length, MAX_DICT);
    if (length > size - begin) return cx_fail(err, CVS_E_FORMAT, "the file ends in the npy header");
    const char *dict = (const char *)bytes + begin;
    cursor c = {dict, dict, dict + length};
    out->offset = begin + length;
    return parse_dict(out, &c, err);
}

/* --- the numbers --- */

float cx_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 0x1f, digits = h & 0x3ff;
    uint32_t bits = sign | (exponent + 112) << 23 | digits << 13;
    float f;
    if (exponent == 0) { /* subnormal: digits * 2^-24, exact */
        f = (float)digits * 0x1p-24f;
        return sign ? -f : f;
    }
    if (exponent == 31) bits = sign | 0x7f800000 | digits << 13;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* One number as float32. The bytes need no alignment. */
static float number(const uint8_t *bytes, const element *e)
{
    uint64_t v = 0;
    for (int i = 0; i < e->size; i++)
        v |= (uint64_t)bytes[e->swap ? e->size - 1 - i : i] << (8 * i);
    if (e->kind == 'b') return v ? 1 : 0;
    if (e->kind == 'u') return (float)v;
    if (e->kind == 'i') {
        int unused = 64 - 8 * e->size; /* the sign is moved to the top and back down */
        return (float)((int64_t)(v << unused) >> unused);
    }
    if (e->size == 2) return cx_half_to_float((uint16_t)v);
    if (e->size == 4) {
        uint32_t bits = (uint32_t)v;
        float f;
        memcpy(&f, &bits, sizeof f);
        return f;
    }
    double d;
    memcpy(&d, &v, sizeof d);
    return (float)d;
}

/* Numbers in Fortran order, the first axis fastest, to their places in C order. */
static void read_fortran(cx_tensor *out, const uint8_t *bytes, int64_t n, const element *e)
{
    const cx_shape *s = &out->shape;
    int64_t step[CX_MAX_DIMS], index[CX_MAX_DIMS] = {0}, at = 0;
    for (int a = 0; a < s->ndim; a++) step[a] = cx_shape_count_range(s, a + 1, s->ndim);
    for (int64_t i = 0; i < n; i++, bytes += e->size) {
        out->data[at] = number(bytes, e);
        for (int a = 0; a < s->ndim; a++) {
            at += step[a];
            if (++index[a] < s->d[a]) break;
            at -= step[a] * s->d[a];
            index[a] = 0;
        }
    }
}

int cx_npy_parse(cx_tensor *out, const uint8_t *bytes, size_t size, cvs_error *err)
{
    header h = {0};
    *out = (cx_tensor){0};
    int rc = parse_header(&h, bytes, size, err);
    if (rc < 0) return rc;
    int64_t n = cx_shape_count(&h.shape);
    size_t there = size - h.offset, wanted;
    if (n < 0 || cx_mul_size(&wanted, (size_t)n, (size_t)h.element.size) || wanted != there) {
        char text[CX_SHAPE_TEXT];
        return cx_fail(err, CVS_E_FORMAT,
                       "npy header: shape %s of %d-byte numbers does not fit the %zu bytes there",
                       cx_shape_text(text, &h.shape), h.element.size, there);
    }
    rc = cx_tensor_init(out, &h.shape, err);
    if (rc < 0) return rc;
    bytes += h.offset;
    if (h.fortran)
        read_fortran(out, bytes, n, &h.element);
    else if (h.element.kind == 'f' && h.element.size == 4 && !h.element.swap)
        memcpy(out->data, bytes, wanted);
    else
        for (int64_t i = 0; i < n; i++)
            out->data[i] = number(bytes + i * h.element.size, &h.element);
    return 0;
}

int cx_npy_read(cx_tensor *out, const char *path, cvs_error *err)
{
    cx_bytes file;
    *out = (cx_tensor){0};
    int rc = cx_file_read(&file, path, max_file, err);
    if (rc < 0) return rc;
    rc = cx_npy_parse(out, file.data, file.size, err);
    if (rc < 0) cx_where(err, rc, "%s", path);
    cx_bytes_deinit(&file);
    return rc;
}
