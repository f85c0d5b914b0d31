/* routes.c - the table of routes. */
#include "serve/ask.h"

#define ROUTE(method, path, lane, streams, name) cx_answer cx_answer_##name;
#include "serve/routes.def"
#undef ROUTE

static const cx_route routes[] = {
#define ROUTE(method, path, lane, streams, name) \
    {method, path, CX_LANE_##lane, streams, cx_answer_##name},
#include "serve/routes.def"
#undef ROUTE
};

const cx_route *cx_route_at(int i)
{
    return i >= 0 && (size_t)i < sizeof routes / sizeof *routes ? &routes[i] : NULL;
}
