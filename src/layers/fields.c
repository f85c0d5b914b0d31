/* fields.c - Keras configurations read into the kinds' structs by their tables of fields. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

cx_json *cx_config_unwrap(cx_json *v)
{
    const char *class_name = cx_json_string(cx_json_get(v, "class_name"), NULL);
    if (cx_streq(class_name, "__tuple__")) return cx_json_get(v, "items");
    if (cx_streq(class_name, "__numpy__") || cx_streq(class_name, "__tensor__"))
        return cx_json_get(cx_json_get(v, "config"), "value");
    return v;
}

cx_json *cx_config_get(const cx_json *config, const char *keys, char found[CX_KEY_TEXT])
{
    char key[CX_KEY_TEXT];
    const char *from = keys;
    for (;;) {
        size_t n = strcspn(from, "|");
        if (n > sizeof key - 1) n = sizeof key - 1;
        memcpy(key, from, n);
        key[n] = 0;
        cx_json *v = cx_config_unwrap(cx_json_get(config, key));
        /* What is missing is called by its newest name. */
        if (found && (from == keys || !cx_json_is_null(v))) memcpy(found, key, n + 1);
        if (!cx_json_is_null(v)) return v;
        from += n;
        if (!*from) return NULL;
        from++;
    }
}

/* A number where Keras or numpy made a list of it: [0.1] is 0.1. */
static int scalar(const cx_json **out, const cx_json *v, const char *key, cvs_error *err)
{
    if (cx_json_is_array(v)) {
        if (cx_json_size(v) != 1)
            return cx_fail(err, CVS_E_UNSUPPORTED, "%s: one number is supported, not a list of %zu",
                           key, cx_json_size(v));
        v = cx_config_unwrap(cx_json_at(v, 0));
    }
    if (!cx_json_is_number(v))
        return cx_fail(err, CVS_E_FORMAT, "%s: a number is wanted, not %s", key, cx_json_kind(v));
    *out = v;
    return 0;
}

/* A range of one value is an option that is not there yet. */
static int check_range(double value, const char *key, double min, double max, cvs_error *err)
{
    if (value >= min && value <= max) return 0;
    if (min >= max)
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s: %.15g is not supported", key, value);
    return cx_fail(err, CVS_E_FORMAT, "%s: %.15g is out of range (%.15g to %.15g)", key, value, min,
                   max);
}

int cx_config_number(double *out, const cx_json *v, const char *key, double min, double max,
                     cvs_error *err)
{
    const cx_json *number = NULL;
    int rc;
    TRY(scalar(&number, v, key, err));
    *out = cx_json_number(number, 0);
    TRY(check_range(*out, key, min, max, err));
out:
    return rc;
}

int cx_config_int(int64_t *out, const cx_json *v, const char *key, double min, double max,
                  cvs_error *err)
{
    const cx_json *number = NULL;
    int rc;
    *out = 0;
    TRY(scalar(&number, v, key, err));
    *out = cx_json_int(number, 0);
    if (*out != cx_json_int(number, 1))
        return cx_fail(err, CVS_E_FORMAT, "%s: a whole number is wanted, not %.15g", key,
                       cx_json_number(number, 0));
    TRY(check_range((double)*out, key, min, max, err));
out:
    return rc;
}

static int read_ints(int64_t out[CX_SPACE], const cx_field *f, int rank, const cx_json *v,
                     const char *key, cvs_error *err)
{
    int rc = 0;
    if (cx_json_is_array(v) && cx_json_size(v) != (size_t)rank)
        return cx_fail(err, CVS_E_FORMAT, "%s: %d numbers are wanted, not %zu", key, rank,
                       cx_json_size(v));
    for (int a = 0; a < CX_SPACE; a++) out[a] = 1;
    for (int a = 0; a < rank; a++) {
        const cx_json *item = v;
        if (cx_json_is_array(v)) item = cx_config_unwrap(cx_json_at(v, (size_t)a));
        TRY(cx_config_int(&out[a], item, key, f->min, f->max, err));
    }
out:
    return rc;
}

static int read_bool(int *out, const cx_field *f, const cx_json *v, const char *key, cvs_error *err)
{
    int64_t as_int = cx_json_int(v, -1);
    if (!cx_json_is_bool(v) && as_int != 0 && as_int != 1)
        return cx_fail(err, CVS_E_FORMAT, "%s: true or false is wanted, not %s", key,
                       cx_json_kind(v));
    *out = cx_json_bool(v, as_int == 1);
    if (*out < f->min || *out > f->max)
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s: %s is not supported", key,
                       *out ? "true" : "false");
    return 0;
}

static int read_word(int *out, const cx_field *f, const cx_json *v, const char *key, cvs_error *err)
{
    const char *word = cx_json_string(v, NULL);
    cx_str known = {0};
    if (!word)
        return cx_fail(err, CVS_E_FORMAT, "%s: a string is wanted, not %s", key, cx_json_kind(v));
    for (int i = 0; f->words[i]; i++) {
        if (strcmp(f->words[i], word) == 0) {
            *out = i;
            cx_str_deinit(&known);
            return 0;
        }
        cx_str_addf(&known, "%s%s", i ? ", " : "", f->words[i]);
    }
    cx_fail(err, CVS_E_UNSUPPORTED, "%s: \"%.80s\" is not supported", key, word);
    if (known.data) cx_hint(err, "supported: %s", known.data);
    cx_str_deinit(&known);
    return CVS_E_UNSUPPORTED;
}

static void set_default(void *at, const cx_field *f, int rank)
{
    switch (f->type) {
    case CX_INT:
        *(int64_t *)at = (int64_t)f->otherwise;
        break;
    case CX_INTS:
        for (int a = 0; a < CX_SPACE; a++)
            ((int64_t *)at)[a] = a < rank ? (int64_t)f->otherwise : 1;
        break;
    case CX_NUMBER:
        *(double *)at = f->otherwise;
        break;
    case CX_BOOL:
    case CX_WORD:
        *(int *)at = (int)f->otherwise;
        break;
    case CX_ACTIVATION:
        *(cx_activation *)at = (cx_activation){.kind = CX_ACT_LINEAR};
        break;
    }
}

static int read_field(void *at, const cx_field *f, int rank, const cx_json *config,
                      const cx_config_context *context, cvs_error *err)
{
    char key[CX_KEY_TEXT];
    const cx_json *v = cx_config_get(config, f->key, key);
    if (!v) {
        if (isnan(f->otherwise)) return cx_fail(err, CVS_E_FORMAT, "%s: missing", key);
        set_default(at, f, rank);
        return 0;
    }
    switch (f->type) {
    case CX_INT:
        return cx_config_int(at, v, key, f->min, f->max, err);
    case CX_INTS:
        return read_ints(at, f, rank, v, key, err);
    case CX_NUMBER:
        return cx_config_number(at, v, key, f->min, f->max, err);
    case CX_BOOL:
        return read_bool(at, f, v, key, err);
    case CX_WORD:
        return read_word(at, f, v, key, err);
    case CX_ACTIVATION:
        return cx_activation_read(at, v, context, err);
    }
    return 0;
}

int cx_fields_read(void *cfg, const cx_field *fields, int rank, const cx_json *config,
                   const cx_config_context *context, cvs_error *err)
{
    int rc = 0;
    for (const cx_field *f = fields; f && f->key; f++)
        TRY(read_field((char *)cfg + f->at, f, rank, config, context, err));
out:
    return rc;
}
