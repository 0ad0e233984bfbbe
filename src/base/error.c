/*
 * error.c - text, name and class of each error, from the list in <duplex/error.h>.
 */
#include <duplex/error.h>

struct error_row {
    enum dx_err err;
    enum dx_err_class class_;
    const char *name;
    const char *text;
};

static const struct error_row rows[] = {
#define ERROR_ROW(name, value, class_, text) {name, class_, #name, text},
    DX_ERR_MAP(ERROR_ROW)
#undef ERROR_ROW
};

static const struct error_row *find(enum dx_err err)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].err == err)
            return &rows[i];
    return NULL;
}

const char *dx_err_text(enum dx_err err)
{
    const struct error_row *row = find(err);

    return row ? row->text : "unknown error";
}

const char *dx_err_name(enum dx_err err)
{
    const struct error_row *row = find(err);

    return row ? row->name : "DX_ERR_UNKNOWN";
}

enum dx_err_class dx_err_class_of(enum dx_err err)
{
    const struct error_row *row = find(err);

    return row ? row->class_ : DX_CLASS_USAGE;
}
