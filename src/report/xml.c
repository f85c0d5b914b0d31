/* xml.c - text and numbers that XML can hold. */
#include "report/xml.h"

#include <math.h>
#include <string.h>

/* Bytes of the character at `s` that XML 1.0 allows; 0 where there is none. */
static size_t character(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t n = u[0] < 0x80   ? 1
               : u[0] < 0xc2 ? 0
               : u[0] < 0xe0 ? 2
               : u[0] < 0xf0 ? 3
               : u[0] < 0xf5 ? 4
                             : 0;
    if (n == 1) return u[0] >= 0x20 || u[0] == '\t' || u[0] == '\n';
    for (size_t i = 1; i < n; i++)
        if ((u[i] & 0xc0) != 0x80) return 0;
    const int second = n ? u[1] : 0;
    if ((u[0] == 0xe0 && second < 0xa0) || (u[0] == 0xf0 && second < 0x90)) return 0; /* too long */
    if ((u[0] == 0xed && second > 0x9f) || (u[0] == 0xf4 && second > 0x8f)) return 0; /* no code */
    if (u[0] == 0xef && second == 0xbf && u[2] > 0xbd) return 0; /* U+FFFE, U+FFFF */
    return n;
}

static void add_bytes(cx_str *out, const char *text, const char *end)
{
    while (text < end) {
        size_t n = character(text);
        if (n == 0)
            cx_str_add(out, "\xef\xbf\xbd");
        else if (*text == '<')
            cx_str_add(out, "&lt;");
        else if (*text == '>')
            cx_str_add(out, "&gt;");
        else if (*text == '&')
            cx_str_add(out, "&amp;");
        else
            cx_str_add_n(out, text, n);
        text += n ? n : 1;
    }
}

void cx_xml_text(cx_str *out, const char *text)
{
    add_bytes(out, text, text + strlen(text));
}

void cx_xml_fitted(cx_str *out, cx_font *font, int size, double room, const char *text)
{
    const char *head = text, *tail, *p;
    double whole = cx_font_width(font, size, text), left;
    if (whole <= room) {
        cx_xml_text(out, text);
        return;
    }
    left = (room - cx_font_width(font, size, "…")) / 2;
    for (p = text; *p;) { /* a little more than half of the room for the end */
        double advance = cx_font_next(font, size, &p)->advance;
        if (advance > left) break;
        left -= advance;
        head = p;
    }
    left += (room - cx_font_width(font, size, "…")) / 2;
    for (tail = head; *tail && whole > left;) {
        whole = cx_font_width(font, size, tail);
        if (whole > left) cx_font_next(font, size, &tail);
    }
    add_bytes(out, text, head);
    cx_str_add(out, "…");
    cx_xml_text(out, tail);
}

void cx_xml_number(cx_str *out, double x)
{
    long tenths = lround(x * 10), size = tenths < 0 ? -tenths : tenths;
    cx_str_addf(out, "%s%ld", tenths < 0 ? "-" : "", size / 10);
    if (size % 10) cx_str_addf(out, ".%ld", size % 10);
}

void cx_xml_point(cx_str *out, double x, double y)
{
    cx_xml_number(out, x);
    cx_str_add(out, " ");
    cx_xml_number(out, y);
    cx_str_add(out, " ");
}
