/* channels.h - lists of channels on the command line. */
#ifndef CX_CLI_CHANNELS_H
#define CX_CLI_CHANNELS_H

#include <stdint.h>

#include "base/error.h"

typedef struct cx_channels {
    int64_t *item; /* owned */
    int n;
} cx_channels;

/* "0-63,70": numbers, and ranges as far as there are channels, of which there are `most`; NULL: all
 * of them. Errors name --channels. */
int cx_channels_read(cx_channels *out, const char *text, int64_t most, cvs_error *err);
void cx_channels_deinit(cx_channels *channels);

#endif
