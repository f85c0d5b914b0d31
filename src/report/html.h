/* html.h - pieces of a page. */
#ifndef CX_REPORT_HTML_H
#define CX_REPORT_HTML_H

#include <stdint.h>

#include "base/str.h"

/* Text in an attribute between double quotes. */
void cx_html_attribute(cx_str *out, const char *text);

/* JSON as the content of a <script>: what could end it, or begin a comment in it, is written as an
 * escape, which means the same to whoever parses the JSON. */
void cx_html_json(cx_str *out, const char *json);

/* "data:image/png;base64,…", which can stand in an attribute as well as in JSON. */
void cx_data_uri(cx_str *out, const char *type, const uint8_t *bytes, size_t size);

#endif
