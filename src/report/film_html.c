/* film_html.c - film.html: the frames, a slider and a button, and no other file. */
#include "report/film.h"
#include "report/html.h"

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
    "  document.getElementById(\"frame\").src = frames[at.value - 1];\n"
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
        cx_data_uri(&s, "image/webp", pictures[i].data, pictures[i].size);
        cx_str_add(&s, "\",\n");
    }
    cx_str_add(&s, tail);
    return cx_str_take(out, &s, err);
}
