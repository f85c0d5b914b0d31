/* html.c - escapes and data URIs. */
#include "report/html.h"

#include <string.h>

#include "report/xml.h"

void cx_html_attribute(cx_str *out, const char *text)
{
    while (*text) {
        const size_t n = strcspn(text, "\"'");
        cx_str part = {0};
        cx_str_add_n(&part, text, n);
        if (part.data) cx_xml_text(out, part.data);
        out->failed |= part.failed;
        cx_str_deinit(&part);
        text += n;
        if (!*text) return;
        cx_str_add(out, *text++ == '"' ? "&quot;" : "&#39;");
    }
}

void cx_html_json(cx_str *out, const char *json)
{
    while (*json) {
        const size_t n = strcspn(json, "<>&");
        cx_str_add_n(out, json, n);
        json += n;
        if (!*json) return;
        cx_str_addf(out, "\\u%04x", (unsigned)(unsigned char)*json++);
    }
}

void cx_data_uri(cx_str *out, const char *type, const uint8_t *bytes, size_t size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { GROUPS = 256 }; /* written at once */
    char text[4 * GROUPS];
    size_t at = 0;
    cx_str_addf(out, "data:%s;base64,", type);
    while (at < size) {
        size_t n = 0;
        for (; n < sizeof text && at < size; n += 4, at += 3) {
            const size_t left = size - at;
            const unsigned v = (unsigned)bytes[at] << 16 |
                               (left > 1 ? (unsigned)bytes[at + 1] << 8 : 0) |
                               (left > 2 ? (unsigned)bytes[at + 2] : 0);
            text[n] = letters[v >> 18];
            text[n + 1] = letters[v >> 12 & 63];
            text[n + 2] = left > 1 ? letters[v >> 6 & 63] : '=';
            text[n + 3] = left > 2 ? letters[v & 63] : '=';
        }
        cx_str_add_n(out, text, n);
    }
}
