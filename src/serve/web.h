/* web.h - the files of the viewer's page, which the build takes into the library as they are. */
#ifndef CX_SERVE_WEB_H
#define CX_SERVE_WEB_H

typedef struct cx_web_file {
    const char *name; /* in its address */
    const char *data, *end;
} cx_web_file;

/* The file of that name, "" being the page itself; NULL where there is none. */
const cx_web_file *cx_web_find(const char *name);

/* Its media type, by its ending. Static. */
const char *cx_web_type(const cx_web_file *file);

#endif
