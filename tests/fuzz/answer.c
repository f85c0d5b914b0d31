/* answer.c - in the place of the listener that starts a child: the answer stands in the file, after
 * its signature. A libhdf5 that was taken over by its file can say anything. */
#include "listen.h"

enum { SIGNATURE = 8 };

int cx_h5_listen(cx_h5 *h5, cvs_error *err)
{
    if (lseek(h5->fd, SIGNATURE, SEEK_SET) != SIGNATURE) abort();
    return listen_to(h5, h5->fd, err);
}
