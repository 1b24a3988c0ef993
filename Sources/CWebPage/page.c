#include "web_page.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "page/index.html"
};
static const unsigned char style_css[] = {
#embed "page/style.css"
};
static const unsigned char page_js[] = {
#embed "page/page.js"
};
static const unsigned char openapi_json[] = {
#embed "page/openapi.json"
};

static const web_file files[] = {
    {"/", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"/style.css", "text/css; charset=utf-8", style_css, sizeof style_css},
    {"/page.js", "text/javascript; charset=utf-8", page_js, sizeof page_js},
    {"/api/v1/openapi.json", "application/json", openapi_json, sizeof openapi_json},
};

const web_file *web_files(void) { return files; }
size_t web_file_count(void) { return sizeof files / sizeof *files; }
