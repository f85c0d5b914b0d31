/* film_html.c - film.html: the frames, a slider and a button, and no other file. */
#include "report/film.h"

static void add_base64(cx_str *s, const cx_bytes *b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { CHUNK = 3 * 1024 };
    char out[4 * CHUNK / 3];
    for (size_t from = 0; from < b->size; from += CHUNK) {
        const size_t end = from + CHUNK < b->size ? from + CHUNK : b->size;
        size_t n = 0;
        for (size_t i = from; i < end; i += 3) {
            const size_t left = end - i;
            const unsigned v = (unsigned)b->data[i] << 16 |
                               (left > 1 ? (unsigned)b->data[i + 1] << 8 : 0) |
                               (left > 2 ? b->data[i + 2] : 0u);
            out[n++] = digits[v >> 18];
            out[n++] = digits[v >> 12 & 63];
            out[n++] = left > 1 ? digits[v >> 6 & 63] : '=';
            out[n++] = left > 2 ? digits[v & 63] : '=';
        }
        cx_str_add_n(s, out, n);
    }
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>What the network sees as it learns</title>\n<style>\n"
    "body{margin:1em auto;max-width:1280px;font-family:sans-serif;color:#222;background:#fff}\n"
    "img{display:block;width:100%}\n"
    ".bar{display:flex;gap:1em;align-items:center;position:sticky;top:0;background:#fff;"
    "padding:.5em 1.5em}\n"
    ".bar input{flex:1}.bar button{width:5em;font-size:1em}\n"
    "</style>\n</head>\n<body>\n<div class=\"bar\">"
    "<button id=\"play\" type=\"button\">Play</button>"
    "<input id=\"at\" type=\"range\" min=\"1\" value=\"1\" aria-label=\"frame\">"
    "<span id=\"number\"></span></div>\n<img id=\"frame\" alt=\"what the network sees\">\n"
    "<script>\nconst frames = [\n";

static const char tail[] =
    "];\nconst at = document.getElementById(\"at\"), play = document.getElementById(\"play\");\n"
    "let timer = 0;\nat.max = frames.length;\n"
    "function show() {\n"
    "  document.getElementById(\"frame\").src = \"data:image/webp;base64,\" + frames[at.value - "
    "1];\n"
    "  document.getElementById(\"number\").textContent = at.value + \" of \" + frames.length;\n}\n"
    "function stop() {\n  clearInterval(timer);\n  timer = 0;\n  play.textContent = \"Play\";\n}\n"
    "function step() {\n  if (+at.value === frames.length) { stop(); return; }\n"
    "  at.value = +at.value + 1;\n  show();\n}\n"
    "at.oninput = () => { stop(); show(); };\n"
    "play.onclick = () => {\n  if (timer) { stop(); return; }\n"
    "  if (+at.value === frames.length) { at.value = 1; show(); }\n"
    "  timer = setInterval(step, 500);\n  play.textContent = \"Pause\";\n};\nshow();\n"
    "</script>\n</body>\n</html>\n";

int cx_film_html(char **out, const cx_bytes *pictures, int n, cvs_error *err)
{
    cx_str s = {0};
    *out = NULL;
    cx_str_add(&s, head);
    for (int i = 0; i < n; i++) {
        cx_str_add(&s, "\"");
        add_base64(&s, &pictures[i]);
        cx_str_add(&s, "\",\n");
    }
    cx_str_add(&s, tail);
    return cx_str_take(out, &s, err);
}
