/* page.h - what the report's page is made of, gathered before a word of it is written. */
#ifndef CX_REPORT_PAGE_H
#define CX_REPORT_PAGE_H

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "draw/byte_sheet.h"
#include "draw/colormap.h"
#include "graph/run.h"
#include "image/image.h"

enum {
    CX_PAGE_TOP = 5,         /* classes that an input's bars show */
    CX_PAGE_CLASSES = 8,     /* and for which it can be explained */
    CX_PAGE_METHODS = 16,    /* by so many methods */
    CX_PAGE_CHANNELS = 2048, /* of a layer that are shown; more is a vector, not maps */
};

/* A picture in a file's bytes. */
typedef struct cx_page_picture {
    cx_bytes bytes;
    int width, height;
} cx_page_picture;

/* A layer's channels for one input, side by side in one gray picture. */
typedef struct cx_page_sheet {
    cx_page_picture picture; /* without bytes: there is none */
    cx_byte_sheet cells;     /* without the bytes themselves */
    int64_t rows, cols;      /* of a channel as the layer gives it */
    int64_t of;              /* channels, of which cells.channels are shown */
    cvs_stats whole, *each;  /* of all values; owned */
    double at_top;           /* share of the values that are the largest, or nearly so */
} cx_page_sheet;

typedef struct cx_page_layer {
    int node;
    int shrink;            /* a cell of the sheet is the mean of shrink × shrink values */
    cx_page_sheet *sheets; /* one an input; owned */
} cx_page_layer;

typedef struct cx_page_score {
    int64_t index;
    double value;
} cx_page_score;

typedef struct cx_page_input {
    const char *name;
    char failure[1024]; /* why there is nothing of it; "" */
    cx_page_picture photo, seen;
    double low, high;   /* of the numbers that the network takes */
    double squeeze;     /* how much wider the picture became against its height; 1: not at all */
    int64_t n_scores;   /* classes; 0: the output is no list of them */
    int is_probability; /* the scores are shares of 1 */
    cx_page_score top[CX_PAGE_TOP];
    int n_top;
    int64_t classes[CX_PAGE_CLASSES]; /* that are explained; -1: a number without a class */
    int n_classes;
} cx_page_input;

/* A heatmap: bytes as in a sheet, from 0 to limit, or from -limit to limit where it has a sign. */
typedef struct cx_page_map {
    int input, place, method; /* place in the input's classes */
    cvs_explanation *e;       /* NULL: there is none … */
    char failure[700];        /* … for this reason */
    cx_page_picture picture;
    double limit, peak; /* the scale's end, the largest size */
    int is_signed;
} cx_page_map;

typedef struct cx_page_finding {
    int is_warning;
    int node; /* the layer it is about, or -1 */
    const char *text;
} cx_page_finding;

typedef struct cx_page {
    const cvs_model *m;
    const cvs_report_options *o;
    cvs_image_options image;
    cx_arena *arena; /* of findings and reasons */
    int pictured;    /* which input of the model is looked at */
    int output;      /* and which output, a node … */
    int output_number;
    cx_page_input *inputs;
    int n_inputs, n_good;
    cx_page_layer *layers;
    int n_layers;
    const cvs_method *methods[CX_PAGE_METHODS];
    int n_methods;
    cx_page_map *maps;
    int n_maps, n_drawn;   /* of which so many could be made */
    cvs_patterns *kernels; /* of the first layer, or NULL */
    int kernel_node;
    cvs_patterns **patterns; /* a layer each */
    int n_patterns;
    cx_page_finding *findings;
    int n_findings;
    const char **left_out; /* what the page does not have, and why */
    int n_left_out;
} cx_page;

/* --- gathering; each frees nothing: cx_page_deinit() does --- */

/* Inputs, predictions and the sheets of all layers. */
int cx_page_compute(cx_page *p, const cvs_report_input *inputs, cvs_error *err);
/* Heatmaps of an input, whose run is set. */
int cx_page_explain(cx_page *p, const cvs_run *run, int input, cvs_error *err);
/* The first layer's kernels, and by wish patterns. */
int cx_page_find_patterns(cx_page *p, cvs_error *err);
/* What a student should know of all this. */
int cx_page_diagnose(cx_page *p, cvs_error *err);
void cx_page_deinit(cx_page *p);

/* Lines for the lists; `node` is a layer or -1. */
int cx_page_find(cx_page *p, int is_warning, int node, cvs_error *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int cx_page_leave_out(cx_page *p, cvs_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- page_sheet.c: numbers to gray pictures --- */

/* How much each layer must shrink for all to fit on one page. */
int cx_page_choose_shrink(cx_page *p, const cvs_run *run, cvs_error *err);
/* The sheets of an input after a forward pass. */
int cx_page_draw_sheets(cx_page *p, const cvs_run *run, int input, cvs_error *err);

/* --- page_picture.c --- */

/* A photograph for the page, no larger than it needs, and the picture that the network sees. */
int cx_page_photo(cx_page_picture *out, const cx_image *image, cvs_error *err);
int cx_page_resized(cx_page_picture *out, const cx_image *image, int width, int height,
                    cvs_resize mode, cvs_error *err);
/* height × width × channels numbers in 0 … 1, one or three channels. */
int cx_page_tile(cx_page_picture *out, const float *x, int64_t h, int64_t w, int64_t channels,
                 cvs_error *err);
/* The same as a photograph is kept, smaller and less exact. */
int cx_page_pattern(cx_page_picture *out, const float *x, int64_t h, int64_t w, int64_t channels,
                    cvs_error *err);

/* --- writing --- */

/* A class's name, or "class 3" in `room`. */
const char *cx_page_class(const cx_page *p, int64_t index, char room[32]);

/* The pieces of the page's body, each a section. */
void cx_page_write_head(cx_str *out, const cx_page *p);
void cx_page_write_answers(cx_str *out, const cx_page *p);
void cx_page_write_findings(cx_str *out, const cx_page *p);
void cx_page_write_heat(cx_str *out, const cx_page *p);
int cx_page_write_network(cx_str *out, const cx_page *p, cvs_error *err);
void cx_page_write_layers(cx_str *out, const cx_page *p);
int cx_page_write_patterns(cx_str *out, const cx_page *p, cvs_error *err);
void cx_page_write_foot(cx_str *out, const cx_page *p);

void cx_page_picture_write(cx_str *out, const cx_page_picture *picture, const char *type);

/* A map's 256 colours, six hexadecimal digits each. */
void cx_page_add_colours(cx_json_writer *w, const char *key, cx_colormap map);
/* What the page's scripts read. */
int cx_page_data(char **out, const cx_page *p, cvs_error *err);
/* What the page says, for other programs. */
int cx_page_index(char **out, const cx_page *p, const char *path, cvs_error *err);

#endif
