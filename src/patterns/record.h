/* record.h - what has been found, kept in a file as it is found. */
#ifndef CX_PATTERNS_RECORD_H
#define CX_PATTERNS_RECORD_H

#include "patterns/climb.h"

/* Take what cvs_pattern_options.state_file has for this climb, whose `out` is there; `done` says
 * which pictures. `question` is the objective. Without such a file nothing is done yet. */
int cx_record_open(cx_climb *c, const char *question, cvs_error *err);

/* Keep a picture that is done. */
int cx_record_put(cx_climb *c, int item, cvs_error *err);

void cx_record_close(cx_climb *c);

#endif
