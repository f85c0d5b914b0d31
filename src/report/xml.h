/* xml.h - pieces of XML. */
#ifndef CX_REPORT_XML_H
#define CX_REPORT_XML_H

#include "base/str.h"
#include "draw/font.h"

/* Text in an element. What XML has no word for becomes U+FFFD. */
void cx_xml_text(cx_str *out, const char *text);

/* The same in at most `room` pixels: where it needs more, its middle becomes an ellipsis. */
void cx_xml_fitted(cx_str *out, cx_font *font, int size, double room, const char *text);

/* A coordinate, in tenths, whatever the locale; two of them, a blank behind each. */
void cx_xml_number(cx_str *out, double x);
void cx_xml_point(cx_str *out, double x, double y);

#endif
