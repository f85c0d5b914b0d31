/* classes.c - class names, one a line of a text file. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { MAX_FILE = 16 << 20 };

struct cvs_classes {
    cx_bytes text; /* the lines, each ended by 0 */
    const char **names;
    int n;
};

/* Cut the text into lines in place; blank lines at the end do not count, others are names too, so
 * that a line's number stays the class' number. */
static int split(cvs_classes *c, cvs_error *err)
{
    char *text = (char *)c->text.data;
    size_t lines = 1;
    for (size_t i = 0; i < c->text.size; i++) lines += text[i] == '\n';
    c->names = cx_calloc(lines, sizeof *c->names);
    if (!c->names) return cx_no_memory(err, lines * sizeof *c->names);
    int last = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        size_t n = strlen(line);
        while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' ')) line[--n] = 0;
        c->names[c->n++] = line;
        if (n > 0) last = c->n;
    }
    c->n = last;
    return last > 0 ? 0 : cx_fail(err, CVS_E_FORMAT, "the file holds no class names");
}

int cvs_classes_load(cvs_classes **out, const char *path, cvs_error *err)
{
    int rc = 0;
    *out = NULL;
    cvs_classes *c = cx_calloc(1, sizeof *c);
    if (!c) return cx_no_memory(err, sizeof *c);
    TRY(cx_file_read(&c->text, path, MAX_FILE, err));
    if (memchr(c->text.data, 0, c->text.size)) {
        rc = cx_where(err, cx_fail(err, CVS_E_FORMAT, "not a text file"), "%s", path);
        goto out;
    }
    uint8_t *ended = cx_realloc_array(c->text.data, c->text.size + 1, 1);
    if (!ended) {
        rc = cx_no_memory(err, c->text.size);
        goto out;
    }
    c->text.data = ended;
    ended[c->text.size] = 0;
    rc = split(c, err);
    if (rc < 0) cx_where(err, rc, "%s", path);
out:
    if (rc < 0)
        cvs_classes_free(c);
    else
        *out = c;
    return rc;
}

void cvs_classes_free(cvs_classes *c)
{
    if (!c) return;
    cx_bytes_deinit(&c->text);
    cx_free(c->names);
    cx_free(c);
}

int cvs_classes_count(const cvs_classes *c)
{
    return c->n;
}

const char *cvs_classes_name(const cvs_classes *c, int i)
{
    return i >= 0 && i < c->n ? c->names[i] : NULL;
}
