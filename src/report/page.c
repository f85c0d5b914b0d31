/* page.c - cvs_report_write: gathers, then writes one page that needs nothing else. */
#include <string.h>

#include "report/html.h"
#include "report/outdir.h"
#include "report/page.h"
#include "report/web/web.h"

/* Quick ones: two that every book has, two that correct them, three that look at pixels. */
static const char *const usual_methods[] = {"gradcam",  "gradcam++",       "layercam",
                                            "hirescam", "guided-backprop", "input-x-gradient"};

/* --- what is asked --- */

static int choose_methods(cx_page *p, cvs_error *err)
{
    const cvs_report_options *o = p->o;
    const int n = o->methods ? o->n_methods : (int)(sizeof usual_methods / sizeof *usual_methods);
    if (n > CX_PAGE_METHODS)
        return cx_fail(err, CVS_E_ARG, "%d methods: a report has at most %d", n, CX_PAGE_METHODS);
    if (o->n_classes > CX_PAGE_CLASSES)
        return cx_fail(err, CVS_E_ARG, "%d classes: a report explains at most %d", o->n_classes,
                       CX_PAGE_CLASSES);
    for (int i = 0; i < n; i++) {
        const cvs_method *m = cvs_method_find(o->methods ? o->methods[i] : usual_methods[i], err);
        if (!m) return CVS_E_ARG;
        p->methods[p->n_methods++] = m;
    }
    return 0;
}

static int init(cx_page *p, const cvs_report_input *inputs, int n, cvs_error *err)
{
    const cvs_model *m = p->m;
    int rc = 0;
    if (n < 0 || n > CVS_REPORT_INPUTS)
        return cx_fail(err, CVS_E_ARG, "%d inputs: a report has room for %d", n, CVS_REPORT_INPUTS);
    p->arena = cx_arena_new();
    p->inputs = cx_calloc((size_t)n + 1, sizeof *p->inputs);
    if (!p->arena || !p->inputs) return cx_no_memory(err, sizeof *p->inputs);
    for (; p->n_inputs < n; p->n_inputs++) p->inputs[p->n_inputs].name = inputs[p->n_inputs].name;
    if (p->o->image) p->image = *p->o->image;
    p->output_number = p->o->explain ? p->o->explain->output : 0;
    p->output = cvs_model_output(m, p->output_number);
    if (p->output < 0) TRY(cx_fail(err, CVS_E_ARG, "the model has no output %d", p->output_number));
    /* As explanations choose it: the first input that is an image. */
    for (int i = m->n_inputs - 1; i >= 0; i--)
        if (m->nodes[m->inputs[i]].shape.ndim == 4) p->pictured = i;
    TRY(choose_methods(p, err));
out:
    return rc;
}

static void free_picture(cx_page_picture *picture)
{
    cx_bytes_deinit(&picture->bytes);
}

void cx_page_deinit(cx_page *p)
{
    for (int i = 0; i < p->n_inputs; i++) {
        free_picture(&p->inputs[i].photo);
        free_picture(&p->inputs[i].seen);
    }
    for (int i = 0; p->layers && i < p->n_layers + 1; i++) {
        cx_page_sheet *sheets = p->layers[i].sheets;
        for (int k = 0; sheets && k < p->n_inputs; k++) {
            free_picture(&sheets[k].picture);
            cx_free(sheets[k].each);
            cx_byte_sheet_deinit(&sheets[k].cells);
        }
        cx_free(sheets);
    }
    for (int i = 0; i < p->n_maps; i++) {
        cvs_explanation_free(p->maps[i].e);
        free_picture(&p->maps[i].picture);
    }
    for (int i = 0; i < p->n_patterns; i++) cvs_patterns_free(p->patterns[i]);
    cvs_patterns_free(p->kernels);
    cx_free(p->patterns);
    cx_free(p->inputs);
    cx_free(p->layers);
    cx_free(p->maps);
    cx_arena_free(p->arena);
}

/* --- the file --- */

static void write_begin(cx_str *out, const cx_page *p)
{
    cx_str_add(out,
               "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               /* No browser may ask anybody for anything, whatever a name on the page holds. */
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n"
               "<link rel=\"icon\" href=\"data:,\">\n"
               "<script>document.documentElement.className = 'js'</script>\n<title>");
    cx_html_attribute(out, p->o->model ? cx_base_name(p->o->model) : p->m->name);
    cx_str_add(out, ": what it learned</title>\n<style>\n");
    cx_str_add_n(out, cx_web_css, (size_t)(cx_web_css_end - cx_web_css));
    cx_str_add(out, "</style>\n</head>\n<body>\n");
}

static void write_end(cx_str *out, const char *data)
{
    cx_str_add(out, "<script type=\"application/json\" id=\"data\">");
    cx_html_json(out, data);
    cx_str_add(out, "</script>\n<script type=\"module\">\n");
    cx_str_add_n(out, cx_web_js, (size_t)(cx_web_js_end - cx_web_js));
    cx_str_add(out, "</script>\n</body>\n</html>\n");
}

static int write_page(const cx_page *p, const char *dir, cvs_error *err)
{
    cx_str out = {0};
    char *data = NULL;
    int rc;
    TRY(cx_page_data(&data, p, err));
    write_begin(&out, p);
    cx_page_write_head(&out, p);
    cx_page_write_answers(&out, p);
    cx_page_write_findings(&out, p);
    cx_page_write_heat(&out, p);
    TRY(cx_page_write_network(&out, p, err));
    cx_page_write_layers(&out, p);
    TRY(cx_page_write_patterns(&out, p, err));
    cx_page_write_foot(&out, p);
    write_end(&out, data);
    TRY(cx_str_ok(&out, err));
    TRY(cx_make_dirs(dir, err));
    TRY(cx_put_file(dir, "report.html", out.data, out.len, err));
out:
    cx_free(data);
    cx_str_deinit(&out);
    return rc;
}

int cvs_report_write(char **json, const cvs_model *model, const cvs_report_input *inputs, int n,
                     const char *dir, const cvs_report_options *options, cvs_error *err)
{
    const cvs_report_options defaults = {0};
    cx_page p = {.m = model, .o = options ? options : &defaults, .kernel_node = -1};
    cvs_error why = {0};
    char *path = NULL;
    int rc;
    if (json) *json = NULL;
    TRY(init(&p, inputs, n, err));
    if (cx_model_can_run(model, &why) < 0)
        TRY(cx_page_leave_out(&p, err,
                              "All that must be computed (answers, activations, heatmaps): %s%s%s.",
                              why.where, why.where[0] ? ": " : "", why.what));
    else
        TRY(cx_page_compute(&p, inputs, err));
    TRY(cx_page_find_patterns(&p, err));
    TRY(cx_page_diagnose(&p, err));
    TRY(write_page(&p, dir, err));
    if (!json) goto out;
    TRY(cx_join_path(&path, dir, "report.html", err));
    TRY(cx_page_index(json, &p, path, err));
out:
    cx_free(path);
    cx_page_deinit(&p);
    return rc;
}
