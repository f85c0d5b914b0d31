/* heat_sheet.c - the page of many maps: a table of overlays with the photograph in its corner. */
#include "draw/heat_sheet.h"

#include <math.h>
#include <stdio.h>

#include "draw/heat_field.h"
#include "draw/scale.h"

enum {
    MARGIN = 24,
    GAP = 10,          /* between pictures */
    CORNER = 120,      /* the photograph at most, and the width of the rows' names */
    STRIP = 18,        /* below a picture, for its numbers */
    GOOD_WIDTH = 1400, /* of all columns together */
    LEAST_WIDTH = 620, /* between the margins */
    LEAST_TILE = 96,
    MOST_TILE = 288,
    MOST_CELLS = 4096,
    BAR_WIDTH = 280,
    BOX = 29, /* gray of a cell of words */
};

/* Where all is. */
typedef struct plan {
    const cx_heat_sheet *sheet;
    cx_easel *easel;
    cx_image photo, corner; /* in the size of a cell, and of the corner */
    int width;              /* between the margins */
    int top, left;          /* of the first picture */
    int below;              /* of them all */
    double limit;           /* of one scale for all */
    int has_kind[2];        /* of unsigned and signed maps */
    cx_heat_facts kinds[2]; /* how they end, and what is not finite */
} plan;

static const cx_heat_cell *cell_at(const cx_heat_sheet *s, int row, int column)
{
    return &s->cells[row * s->columns + column];
}

static int check(const cx_heat_sheet *s, cvs_error *err)
{
    int rc = 0;
    if (!s->photo || s->rows < 1 || s->columns < 1 || s->rows > MOST_CELLS / s->columns)
        return cx_fail(err, CVS_E_ARG, "no sheet of heatmaps: %d rows, %d columns%s", s->rows,
                       s->columns, s->photo ? "" : ", no photograph");
    for (int i = 0; rc >= 0 && i < s->rows * s->columns; i++)
        if (!s->cells[i].words) rc = cx_heat_check(&s->cells[i].map, err);
    return rc;
}

/* --- scales --- */

static double row_limit(const cx_heat_sheet *s, int row)
{
    double limit = 0;
    for (int j = 0; j < s->columns; j++) {
        const cx_heat_cell *cell = cell_at(s, row, j);
        if (!cell->words) limit = fmax(limit, cx_heat_limit(&cell->map));
    }
    return limit;
}

static double limit_of(const plan *p, int row, int column)
{
    switch (p->sheet->scales) {
    case CX_SCALES_ROW:
        return row_limit(p->sheet, row);
    case CX_SCALES_ONE:
        return p->limit;
    case CX_SCALES_OWN:
        break;
    }
    return cx_heat_limit(&cell_at(p->sheet, row, column)->map);
}

static void measure(plan *p)
{
    const cx_heat_sheet *s = p->sheet;
    for (int i = 0; i < s->rows; i++) p->limit = fmax(p->limit, row_limit(s, i));
    for (int i = 0; i < s->rows * s->columns; i++) {
        if (s->cells[i].words) continue;
        cx_heat_map map = s->cells[i].map;
        map.limit = limit_of(p, i / s->columns, i % s->columns);
        const cx_heat_facts f = cx_heat_measure(&map);
        const int kind = map.is_signed != 0;
        p->has_kind[kind] = 1;
        p->kinds[kind].cuts |= f.cuts;
        p->kinds[kind].n_nan += f.n_nan;
        p->kinds[kind].n_inf += f.n_inf;
        if (s->scales == CX_SCALES_ONE) p->kinds[kind].limit = p->limit;
    }
}

/* --- place --- */

static int heading(const plan *p, cx_canvas *canvas)
{
    const cx_heading words = {p->sheet->title, p->sheet->subtitle, NULL};
    return cx_heading_draw(canvas, p->easel->font, &words, MARGIN, MARGIN, p->width);
}

/* Draw or measure lines of text in a column; gives the baseline that would be next. */
static int column_text(const plan *p, cx_canvas *canvas, int size, int x, int y, int width,
                       const char *text)
{
    cx_pen pen = {.canvas = canvas, .font = p->easel->font, .left = x, .width = width, .x = x};
    pen.y = y;
    cx_pen_lines(&pen, size, CX_TITLE_INK, text);
    return pen.y;
}

static int make_plan(plan *p, cvs_error *err)
{
    const cx_heat_sheet *s = p->sheet;
    int side = GOOD_WIDTH / s->columns - GAP, width, height, names = 0, rc;
    side = side < LEAST_TILE ? LEAST_TILE : side > MOST_TILE ? MOST_TILE : side;
    cx_heat_fit(&width, &height, s->photo->width, s->photo->height, side, side);
    TRY(cx_heat_photo(&p->photo, s->photo, width, height, err));
    cx_heat_fit(&width, &height, s->photo->width, s->photo->height, CORNER, CORNER);
    TRY(cx_heat_photo(&p->corner, s->photo, width, height, err));
    for (int j = 0; j < s->columns; j++) {
        int lines = column_text(p, NULL, CX_TEXT_SIZE, 0, 0, p->photo.width, s->column_names[j]);
        names = lines > names ? lines : names;
    }
    p->left = MARGIN + CORNER + GAP + 1;
    p->width = CORNER + (GAP + p->photo.width) * s->columns;
    if (p->width < LEAST_WIDTH) p->width = LEAST_WIDTH;
    p->top = MARGIN + heading(p, NULL) + GAP + GAP;
    p->top += p->corner.height > names ? p->corner.height : names;
    p->below = p->top + s->rows * (p->photo.height + STRIP + GAP);
out:
    return rc;
}

/* --- drawing --- */

/* Words in the middle of a gray box: smaller where they are many, cut where that does not help. */
static void draw_words(const plan *p, int x, int y, const char *text)
{
    const int inset = 6, width = p->photo.width - 2 * inset, height = p->photo.height;
    cx_canvas *page = &p->easel->canvas;
    int size = CX_TEXT_SIZE, lines = column_text(p, NULL, size, 0, 0, width, text);
    cx_canvas_fill(page, x, y, p->photo.width, height, CX_GRAY(BOX));
    cx_canvas_frame(page, x - 1, y - 1, p->photo.width + 2, height + 2, CX_GRAY(CX_SMALL_INK));
    if (lines > height) lines = column_text(p, NULL, size = CX_SMALL_SIZE, 0, 0, width, text);
    if (lines <= height) {
        column_text(p, page, size, x + inset, y + (height - lines) / 2 + size, width, text);
        return;
    }
    cx_pen pen = {.canvas = page, .font = p->easel->font, .x = x + inset, .size = size};
    pen.y = y + (height + size) / 2;
    cx_pen_put_within(&pen, text, width);
}

static void draw_numbers(const plan *p, int x, int y, const cx_heat_cell *cell)
{
    const cx_heat_map *map = &cell->map;
    char text[2 * CX_NUMBER_TEXT + 8], low[CX_NUMBER_TEXT], high[CX_NUMBER_TEXT];
    const cx_heat_facts f = cx_heat_measure(map);
    cx_pen pen = {.canvas = &p->easel->canvas, .font = p->easel->font, .x = x, .y = y};
    if (cell->name) {
        pen.size = CX_TEXT_SIZE;
        pen.ink = CX_TITLE_INK;
        cx_pen_put_within(&pen, cell->name, p->photo.width);
        pen.x += GAP;
    }
    pen.size = CX_SMALL_SIZE;
    pen.ink = CX_SMALL_INK;
    if (f.n_finite)
        snprintf(text, sizeof text, "%s … %s", cx_number_text(low, f.low),
                 cx_number_text(high, f.high));
    else
        snprintf(text, sizeof text, "no finite value");
    cx_pen_put_within(&pen, text, x + p->photo.width - pen.x);
}

static int draw_cell(const plan *p, float *field, int row, int column, const int place[4],
                     cvs_error *err)
{
    const cx_heat_cell *cell = cell_at(p->sheet, row, column);
    cx_heat_inks inks;
    if (cell->words) {
        if (cell->words[0]) draw_words(p, place[0], place[1], cell->words);
        return 0;
    }
    int rc = cx_heat_resize(field, &cell->map, place[2], place[3], 0, err);
    if (rc < 0) return rc;
    cx_heat_inks_choose(&inks, cell->map.is_signed, CX_HEAT_OVERLAY);
    cx_heat_tile_draw(&p->easel->canvas,
                      &(cx_heat_tile){.photo = &p->photo,
                                      .field = field,
                                      .inks = &inks,
                                      .limit = limit_of(p, row, column),
                                      .is_signed = cell->map.is_signed},
                      place[0], place[1]);
    draw_numbers(p, place[0], place[1] + place[3] + STRIP - 5, cell);
    return 0;
}

static int draw_table(const plan *p, int (*places)[4], cvs_error *err)
{
    const cx_heat_sheet *s = p->sheet;
    const int width = p->photo.width, height = p->photo.height;
    cx_block field = {0};
    int rc = cx_block_init(&field, (size_t)width * (size_t)height * sizeof(float), err);
    for (int i = 0; rc >= 0 && i < s->rows; i++) {
        const int y = p->top + i * (height + STRIP + GAP);
        const int lines = column_text(p, NULL, CX_TEXT_SIZE, 0, 0, CORNER, s->row_names[i]);
        column_text(p, &p->easel->canvas, CX_TEXT_SIZE, MARGIN,
                    y + (height - lines) / 2 + CX_TEXT_SIZE, CORNER, s->row_names[i]);
        for (int j = 0; rc >= 0 && j < s->columns; j++) {
            const int place[4] = {p->left + j * (width + GAP), y, width, height};
            rc = draw_cell(p, field.data, i, j, place, err);
            for (int k = 0; places && k < 4; k++) places[i * s->columns + j][k] = place[k];
        }
    }
    cx_block_deinit(&field);
    return rc;
}

/* The photograph in the corner and the columns' names, which end above their pictures. */
static void draw_head(const plan *p)
{
    const cx_heat_sheet *s = p->sheet;
    cx_canvas *page = &p->easel->canvas;
    const cx_heat_tile photo = {.photo = &p->corner};
    heading(p, page);
    cx_heat_tile_draw(page, &photo, MARGIN + 1, p->top - GAP - p->corner.height);
    for (int j = 0; j < s->columns; j++) {
        const int x = p->left + j * (p->photo.width + GAP);
        const int lines =
            column_text(p, NULL, CX_TEXT_SIZE, 0, 0, p->photo.width, s->column_names[j]);
        column_text(p, page, CX_TEXT_SIZE, x, p->top - lines + CX_LINE - 7, p->photo.width,
                    s->column_names[j]);
    }
}

/* Bars and small print; gives the page's height. */
static int foot(const plan *p, cx_canvas *canvas)
{
    static const char *const words[] = {
        [CX_SCALES_OWN] = "each picture has its own scale: colours cannot be compared between them",
        [CX_SCALES_ROW] = "one scale for each row: colours can be compared along it",
        [CX_SCALES_ONE] = "one scale for all pictures",
    };
    const cx_heat_sheet *s = p->sheet;
    const char *own = s->scales == CX_SCALES_ROW ? "row's limit" : "own limit";
    cx_pen pen = {.canvas = canvas, .font = p->easel->font, .left = MARGIN, .width = p->width};
    int x = MARGIN + 1;
    for (int kind = 0; kind < 2; kind++) {
        cx_heat_inks inks;
        if (!p->has_kind[kind]) continue;
        cx_heat_inks_choose(&inks, kind, CX_HEAT_OVERLAY);
        if (canvas) cx_heat_palette(canvas, &inks);
        cx_heat_bar(&pen, x, p->below, BAR_WIDTH, &p->kinds[kind], kind, own);
        x += BAR_WIDTH + 3 * GAP;
    }
    pen.x = MARGIN;
    pen.y = p->below + (x > MARGIN + 1 ? CX_BAR_BLOCK + 4 : 0) + CX_TEXT_SIZE;
    pen.size = CX_TEXT_SIZE;
    pen.ink = CX_TEXT_INK;
    cx_pen_not_drawn(&pen, p->kinds[0].n_nan + p->kinds[1].n_nan,
                     p->kinds[0].n_inf + p->kinds[1].n_inf);
    cx_pen_lines(&pen, CX_SMALL_SIZE, CX_SMALL_INK, words[s->scales]);
    cx_pen_lines(&pen, CX_SMALL_SIZE, CX_SMALL_INK, s->caption);
    return pen.y - CX_LINE + 8 + MARGIN;
}

int cx_heat_sheet_paint(cx_easel *easel, const cx_heat_sheet *s, int (*places)[4], cvs_error *err)
{
    plan p = {.sheet = s, .easel = easel};
    int rc;
    TRY(check(s, err));
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    measure(&p);
    TRY(make_plan(&p, err));
    const int height = foot(&p, NULL);
    TRY(cx_canvas_renew(&easel->canvas, (int64_t)p.width + 2 * MARGIN + 2, height, 3, 255, err));
    cx_canvas_colours(&easel->canvas, CX_MAP_VIRIDIS);
    draw_head(&p);
    TRY(draw_table(&p, places, err));
    foot(&p, &easel->canvas);
    rc = cx_font_ok(easel->font, err);
out:
    cx_image_deinit(&p.corner);
    cx_image_deinit(&p.photo);
    return rc;
}

int cx_heat_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_heat_sheet *s, cvs_error *err)
{
    *png = (cx_bytes){0};
    int rc = cx_heat_sheet_paint(easel, s, NULL, err);
    return rc < 0 ? rc : cx_canvas_png(png, &easel->canvas, s->title ? s->title : "", err);
}
