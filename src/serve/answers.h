/* answers.h - the answers that the table of routes names. */
#ifndef CX_SERVE_ANSWERS_H
#define CX_SERVE_ANSWERS_H

#include "serve/ask.h"

#define ROUTE(method, path, lane, streams, name) cx_answer cx_answer_##name;
#include "serve/routes.def"
#undef ROUTE

#endif
