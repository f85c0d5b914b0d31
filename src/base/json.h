/* json.h - JSON, read from strangers' files and written for ours. The one home of jansson. */
#ifndef CX_BASE_JSON_H
#define CX_BASE_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* A value. A document is freed by its root; what is asked of it is borrowed until then. Every
 * function below takes NULL for a value that is not there. */
typedef struct json_t cx_json;

enum {
    CX_JSON_MAX_DEPTH = 128,
    CX_JSON_MAX_VALUES = 1 << 20, /* the largest models of Keras' own have a tenth */
};

/* Parse a text of one value. Python writes NaN, Infinity and -Infinity where JSON has no word for
 * them: these come out as numbers. Deeper nesting than CX_JSON_MAX_DEPTH is refused,
 * and more than CX_JSON_MAX_VALUES values. */
int cx_json_parse(cx_json **out, const char *text, size_t len, cvs_error *err);
void cx_json_free(cx_json *root);
/* A value for a second owner, who frees it or puts it into another value. It must stay as it is. */
cx_json *cx_json_share(const cx_json *v);

int cx_json_is_null(const cx_json *v); /* also for NULL */
int cx_json_is_object(const cx_json *v);
int cx_json_is_array(const cx_json *v);
int cx_json_is_string(const cx_json *v);
int cx_json_is_number(const cx_json *v);
int cx_json_is_bool(const cx_json *v);

/* Member of an object, item of an array; NULL when there is none. */
cx_json *cx_json_get(const cx_json *object, const char *key);
cx_json *cx_json_at(const cx_json *array, size_t i);
size_t cx_json_size(const cx_json *array); /* items of an array, members of an object, else 0 */

/* Key of the i-th member of an object, in the order of the file; NULL past the end. */
const char *cx_json_key(const cx_json *object, size_t i);

/* The value, or `otherwise` when it is of another kind. A real number counts as an integer when it
 * is one (Python writes 2.0). */
const char *cx_json_string(const cx_json *v, const char *otherwise);
int64_t cx_json_int(const cx_json *v, int64_t otherwise);
double cx_json_number(const cx_json *v, double otherwise);
int cx_json_bool(const cx_json *v, int otherwise);

/* What a value is, in a word for messages: "a string", "an object". */
const char *cx_json_kind(const cx_json *v);

/* Building. A value that is put into another belongs to it from then on, also on failure; a NULL
 * one (no memory) makes the whole fail at cx_json_print, which frees `root` in any case. */
cx_json *cx_json_object(void);
cx_json *cx_json_array(void);
void cx_json_put(cx_json *object, const char *key, cx_json *value);
void cx_json_push(cx_json *array, cx_json *value);
cx_json *cx_json_of_string(const char *s); /* NULL becomes null, bytes that are no UTF-8 "?" */
cx_json *cx_json_of_int(int64_t v);
cx_json *cx_json_of_number(double v); /* NaN and infinity become null */
cx_json *cx_json_of_bool(int v);
cx_json *cx_json_of_ints(const int64_t *v, int n); /* an array; -1 becomes null */

/* A copy of all that is in a value; NULL where there is no memory. */
cx_json *cx_json_clone(const cx_json *v);

/* The text of a document, indented, ended by a newline; the caller's to cx_free(). */
int cx_json_print(char **out, cx_json *root, cvs_error *err);
/* The same as Python writes it, on one line and in ASCII: every digit of a number, and the words
 * NaN, Infinity and -Infinity as cx_json_parse found them. */
int cx_json_print_exact(char **out, cx_json *root, cvs_error *err);

/* Writing a document as it comes, without building it: a file with a line of figures for each of
 * thousands of channels is 5 ms cheaper so. All zero begins; `key` is NULL in an array and for the
 * outermost value. Failures wait until cx_json_finish. */
typedef struct cx_json_writer {
    cx_str text;
    int depth, is_first;
} cx_json_writer;
void cx_json_open(cx_json_writer *w, const char *key, char bracket);        /* '{' or '[' */
void cx_json_close(cx_json_writer *w, char bracket);                        /* '}' or ']' */
void cx_json_add_string(cx_json_writer *w, const char *key, const char *s); /* as of_string */
void cx_json_add_int(cx_json_writer *w, const char *key, int64_t v);
void cx_json_add_number(cx_json_writer *w, const char *key, double v); /* as of_number */
void cx_json_add_bool(cx_json_writer *w, const char *key, int v);
void cx_json_add_ints(cx_json_writer *w, const char *key, const int64_t *v, int n);
/* As add_number each, on one line. */
void cx_json_add_floats(cx_json_writer *w, const char *key, const float *v, int64_t n);
/* Values of the array or object that is open in w, written elsewhere, by another thread say: a
 * writer for them, and what it wrote put where w is now, which frees it. */
cx_json_writer cx_json_part(const cx_json_writer *w);
void cx_json_add_part(cx_json_writer *w, cx_json_writer *part);
/* The text so far, the caller's to cx_free(); what is added from now on follows it. */
int cx_json_take(char **out, cx_json_writer *w, cvs_error *err);
/* The text, as from cx_json_print; frees what the writer holds in any case. */
int cx_json_finish(char **out, cx_json_writer *w, cvs_error *err);

#endif
