/* graph_svg.h - the picture of a network as text. */
#ifndef CX_REPORT_GRAPH_SVG_H
#define CX_REPORT_GRAPH_SVG_H

#include "base/str.h"
#include "graph/model.h"

/* The SVG element. `linked` (NULL: none) has a 1 for each node whose box leads to #layer-NODE of
 * the page that the picture stands in. */
int cx_graph_svg(cx_str *out, const cvs_model *m, const unsigned char *linked, cvs_error *err);

/* "Sequential · 12 layers · 3,453,121 parameters, all of them trainable". */
void cx_graph_totals(cx_str *out, const cvs_model *m);

#endif
