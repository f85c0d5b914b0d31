/* json.c - jansson, wrapped: limits, Python's odd numbers, failures that wait until the end. */
#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/digits.h"
#include "base/mem.h"
#include "base/str.h"

/* Deep nesting must not reach the recursive parser, and a value of three bytes takes a hundred
 * times as many in memory. Each value but the first follows a bracket or a comma. */
static int check_structure(const char *text, size_t len, cvs_error *err)
{
    int depth = 0, values = 1, in_string = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = 0;
        } else if (c == '"')
            in_string = 1;
        else if (c == '[' || c == '{' || c == ',') {
            depth += c != ',';
            if (depth > CX_JSON_MAX_DEPTH)
                return cx_fail(err, CVS_E_FORMAT,
                               "JSON is nested deeper than %d levels at byte %zu",
                               CX_JSON_MAX_DEPTH, i);
            if (++values > CX_JSON_MAX_VALUES)
                return cx_fail(err, CVS_E_FORMAT, "JSON has more than %d values",
                               CX_JSON_MAX_VALUES);
        } else if (c == ']' || c == '}')
            depth--;
    }
    return 0;
}

/* Python's words for numbers that JSON lacks become these strings, which the readers know. */
static const struct {
    const char *word, *json;
} odd_numbers[] = {
    {"-Infinity", "\"-Infinity\""}, {"Infinity", "\"Infinity\""}, {"NaN", "\"NaN\""}};

static void quote_odd_numbers(cx_str *out, const char *text, size_t len)
{
    size_t from = 0;
    int in_string = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == 'N' || c == 'I' || c == '-')) {
            for (size_t k = 0; k < 3; k++) {
                size_t n = strlen(odd_numbers[k].word);
                if (len - i < n || memcmp(text + i, odd_numbers[k].word, n) != 0) continue;
                cx_str_add_n(out, text + from, i - from);
                cx_str_add(out, odd_numbers[k].json);
                i += n - 1;
                from = i + 1;
                break;
            }
        }
    }
    cx_str_add_n(out, text + from, len - from);
}

int cx_json_parse(cx_json **out, const char *text, size_t len, cvs_error *err)
{
    json_error_t e;
    cx_str s = {0};
    *out = NULL;
    int rc = check_structure(text, len, err);
    if (rc < 0) return rc;
    if (len > 0) quote_odd_numbers(&s, text, len);
    rc = cx_str_ok(&s, err);
    if (rc == 0) {
        *out = json_loadb(s.data ? s.data : "", s.len,
                          JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &e);
        if (!*out && json_error_code(&e) == json_error_out_of_memory)
            rc = cx_no_memory(err, s.len);
        else if (!*out)
            rc = cx_fail(err, CVS_E_FORMAT, "not valid JSON at byte %d: %s", e.position, e.text);
    }
    cx_str_deinit(&s);
    return rc;
}

void cx_json_free(cx_json *root)
{
    json_decref(root);
}

cx_json *cx_json_share(const cx_json *v)
{
    return json_incref((cx_json *)(uintptr_t)v);
}

int cx_json_is_null(const cx_json *v)
{
    return !v || json_is_null(v);
}

int cx_json_is_object(const cx_json *v)
{
    return json_is_object(v);
}

int cx_json_is_array(const cx_json *v)
{
    return json_is_array(v);
}

int cx_json_is_string(const cx_json *v)
{
    return json_is_string(v);
}

/* The value of one of the odd numbers; 0 and *known = 0 for any other string. */
static double odd_number(const cx_json *v, int *known)
{
    const char *s = json_string_value(v);
    *known = 1;
    if (cx_streq(s, "NaN")) return NAN;
    if (cx_streq(s, "Infinity")) return INFINITY;
    if (cx_streq(s, "-Infinity")) return -INFINITY;
    *known = 0;
    return 0;
}

int cx_json_is_number(const cx_json *v)
{
    int odd;
    odd_number(v, &odd);
    return json_is_number(v) || odd;
}

int cx_json_is_bool(const cx_json *v)
{
    return json_is_boolean(v);
}

cx_json *cx_json_get(const cx_json *object, const char *key)
{
    return json_object_get(object, key);
}

cx_json *cx_json_at(const cx_json *array, size_t i)
{
    return json_array_get(array, i);
}

size_t cx_json_size(const cx_json *array)
{
    return json_is_array(array) ? json_array_size(array) : json_object_size(array);
}

const char *cx_json_key(const cx_json *object, size_t i)
{
    void *it = json_object_iter((cx_json *)(uintptr_t)object);
    while (it && i-- > 0) it = json_object_iter_next((cx_json *)(uintptr_t)object, it);
    return it ? json_object_iter_key(it) : NULL;
}

const char *cx_json_string(const cx_json *v, const char *otherwise)
{
    return json_is_string(v) ? json_string_value(v) : otherwise;
}

int64_t cx_json_int(const cx_json *v, int64_t otherwise)
{
    if (json_is_integer(v)) return json_integer_value(v);
    if (!json_is_real(v)) return otherwise;
    double d = json_real_value(v);
    return d >= -9e15 && d <= 9e15 && d == floor(d) ? (int64_t)d : otherwise;
}

double cx_json_number(const cx_json *v, double otherwise)
{
    int odd;
    double d = odd_number(v, &odd);
    if (odd) return d;
    return json_is_number(v) ? json_number_value(v) : otherwise;
}

int cx_json_bool(const cx_json *v, int otherwise)
{
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

const char *cx_json_kind(const cx_json *v)
{
    if (!v) return "missing";
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "unknown";
}

/* --- building --- */

cx_json *cx_json_object(void)
{
    return json_object();
}

cx_json *cx_json_clone(const cx_json *v)
{
    return json_deep_copy(v);
}

cx_json *cx_json_array(void)
{
    return json_array();
}

/* jansson refuses a NULL value; the mark left instead makes cx_json_print fail. */
static const char no_memory[] = "\x01no memory";

void cx_json_put(cx_json *object, const char *key, cx_json *value)
{
    if (json_object_set_new(object, key, value) < 0 && object)
        json_object_set_new(object, no_memory, json_null());
}

void cx_json_push(cx_json *array, cx_json *value)
{
    if (json_array_append_new(array, value) < 0 && array)
        json_array_append_new(array, json_string(no_memory));
}

cx_json *cx_json_of_string(const char *s)
{
    if (!s) return json_null();
    cx_json *v = json_string(s);
    if (v) return v;
    char *ascii = cx_strdup(s);
    if (!ascii) return NULL;
    for (char *p = ascii; *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    v = json_string(ascii);
    cx_free(ascii);
    return v;
}

cx_json *cx_json_of_int(int64_t v)
{
    return json_integer(v);
}

cx_json *cx_json_of_number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

cx_json *cx_json_of_bool(int v)
{
    return json_boolean(v);
}

cx_json *cx_json_of_ints(const int64_t *v, int n)
{
    cx_json *array = json_array();
    for (int i = 0; array && i < n; i++)
        cx_json_push(array, v[i] < 0 ? json_null() : json_integer(v[i]));
    return array;
}

static int complete(const cx_json *v)
{
    const char *key;
    cx_json *item;
    size_t i;
    if (!v) return 0;
    if (json_is_string(v)) return strcmp(json_string_value(v), no_memory) != 0;
    json_array_foreach((cx_json *)(uintptr_t)v, i, item) if (!complete(item)) return 0;
    json_object_foreach((cx_json *)(uintptr_t)v, key,
                        item) if (strcmp(key, no_memory) == 0 || !complete(item)) return 0;
    return 1;
}

static int add_text(const char *bytes, size_t n, void *s)
{
    cx_str_add_n(s, bytes, n);
    return ((cx_str *)s)->failed ? -1 : 0;
}

static int print(cx_str *s, cx_json *root, size_t flags, cvs_error *err)
{
    int failed = !complete(root) || json_dump_callback(root, add_text, s, flags) < 0;
    json_decref(root);
    return failed ? cx_no_memory(err, s->len) : cx_str_ok(s, err);
}

int cx_json_print(char **out, cx_json *root, cvs_error *err)
{
    cx_str s = {0};
    int rc;
    *out = NULL;
    TRY(print(&s, root, JSON_INDENT(1) | JSON_REAL_PRECISION(9), err));
    cx_str_add(&s, "\n");
    rc = cx_str_take(out, &s, err);
out:
    cx_str_deinit(&s);
    return rc;
}

/* The reverse of quote_odd_numbers. What is called NaN, a layer say, stays a string. */
static void unquote_odd_numbers(cx_str *out, const char *text)
{
    static const char name[] = "\"name\": ";
    const char *from = text, *quote = text;
    while ((quote = strchr(quote, '"'))) {
        const char *end = quote + 1;
        while (*end && *end != '"') end += *end == '\\' && end[1] ? 2 : 1;
        if (*end) end++;
        size_t n = (size_t)(end - quote), before = (size_t)(quote - text);
        int is_value = *end != ':' && (before < sizeof name - 1 ||
                                       memcmp(quote - sizeof name + 1, name, sizeof name - 1) != 0);
        for (size_t k = 0; k < 3 && is_value; k++) {
            if (strlen(odd_numbers[k].json) != n || memcmp(quote, odd_numbers[k].json, n) != 0)
                continue;
            cx_str_add_n(out, from, (size_t)(quote - from));
            cx_str_add(out, odd_numbers[k].word);
            from = end;
        }
        quote = end;
    }
    cx_str_add(out, from);
}

int cx_json_print_exact(char **out, cx_json *root, cvs_error *err)
{
    cx_str quoted = {0}, s = {0};
    int rc;
    *out = NULL;
    TRY(print(&quoted, root, JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII, err));
    unquote_odd_numbers(&s, quoted.data);
    rc = cx_str_take(out, &s, err);
out:
    cx_str_deinit(&quoted);
    cx_str_deinit(&s);
    return rc;
}

/* --- writing as it comes --- */

/* A string in quotes. jansson knows the escapes. */
static void add_quoted(cx_str *text, const char *s)
{
    cx_json *v = cx_json_of_string(s);
    if (!v || json_dump_callback(v, add_text, text, JSON_ENCODE_ANY) < 0) text->failed = 1;
    json_decref(v);
}

/* What stands before a value: a comma, the indent, the key. Keys are ours and need no escapes. */
static void begin_value(cx_json_writer *w, const char *key)
{
    if (w->depth > 0) {
        cx_str_add(&w->text, w->is_first ? "\n" : ",\n");
        cx_str_repeat(&w->text, " ", w->depth);
    }
    if (key) {
        cx_str_add(&w->text, "\"");
        cx_str_add(&w->text, key);
        cx_str_add(&w->text, "\": ");
    }
    w->is_first = 0;
}

void cx_json_open(cx_json_writer *w, const char *key, char bracket)
{
    begin_value(w, key);
    cx_str_add_n(&w->text, &bracket, 1);
    w->depth++;
    w->is_first = 1;
}

void cx_json_close(cx_json_writer *w, char bracket)
{
    w->depth--;
    if (!w->is_first) {
        cx_str_add(&w->text, "\n");
        cx_str_repeat(&w->text, " ", w->depth);
    }
    cx_str_add_n(&w->text, &bracket, 1);
    w->is_first = 0;
}

void cx_json_add_string(cx_json_writer *w, const char *key, const char *s)
{
    begin_value(w, key);
    add_quoted(&w->text, s);
}

static void add_whole(cx_json_writer *w, int64_t v)
{
    char digits[CX_DIGITS];
    cx_str_add_n(&w->text, digits, (size_t)cx_digits_int(digits, v));
}

void cx_json_add_int(cx_json_writer *w, const char *key, int64_t v)
{
    begin_value(w, key);
    add_whole(w, v);
}

static void add_digits(cx_json_writer *w, double v)
{
    char digits[CX_DIGITS];
    if (isfinite(v))
        cx_str_add_n(&w->text, digits, (size_t)cx_digits(digits, v));
    else
        cx_str_add(&w->text, "null");
}

void cx_json_add_number(cx_json_writer *w, const char *key, double v)
{
    begin_value(w, key);
    add_digits(w, v);
}

void cx_json_add_floats(cx_json_writer *w, const char *key, const float *v, int64_t n)
{
    begin_value(w, key);
    cx_str_add(&w->text, "[");
    for (int64_t i = 0; i < n; i++) {
        if (i) cx_str_add(&w->text, ", ");
        add_digits(w, (double)v[i]);
    }
    cx_str_add(&w->text, "]");
}

void cx_json_add_bool(cx_json_writer *w, const char *key, int v)
{
    begin_value(w, key);
    cx_str_add(&w->text, v ? "true" : "false");
}

void cx_json_add_ints(cx_json_writer *w, const char *key, const int64_t *v, int n)
{
    begin_value(w, key);
    cx_str_add(&w->text, "[");
    for (int i = 0; i < n; i++) {
        cx_str_add(&w->text, i ? ", " : "");
        if (v[i] < 0)
            cx_str_add(&w->text, "null");
        else
            add_whole(w, v[i]);
    }
    cx_str_add(&w->text, "]");
}

cx_json_writer cx_json_part(const cx_json_writer *w)
{
    return (cx_json_writer){.depth = w->depth, .is_first = 1};
}

void cx_json_add_part(cx_json_writer *w, cx_json_writer *part)
{
    if (part->text.len > 0) {
        if (!w->is_first) cx_str_add(&w->text, ",");
        cx_str_add_n(&w->text, part->text.data, part->text.len);
        w->is_first = 0;
    }
    w->text.failed |= part->text.failed;
    cx_str_deinit(&part->text);
}

int cx_json_take(char **out, cx_json_writer *w, cvs_error *err)
{
    return cx_str_take(out, &w->text, err);
}

int cx_json_finish(char **out, cx_json_writer *w, cvs_error *err)
{
    cx_str_add(&w->text, "\n");
    return cx_str_take(out, &w->text, err);
}
