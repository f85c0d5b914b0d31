/* web.h - the page's style and scripts, which the build takes into the library from the files
 * beside this one: bytes, not ended by 0. */
#ifndef CX_REPORT_WEB_WEB_H
#define CX_REPORT_WEB_WEB_H

extern const char cx_web_css[], cx_web_css_end[];
extern const char cx_web_js[], cx_web_js_end[];

#endif
