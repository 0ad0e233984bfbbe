/*
 * options.h - the one table of options: the source of parsing, --help, man pages, completions and
 * their tests.
 *
 * To add an option: a field in struct cli_config, a row here, a line in
 * tests/project/cli/options.mjs.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"
#include "cli/options/config.h"

/* What an option takes and what its field is. */
enum cli_kind {
    CLI_SET,      /* no value; `set` goes to an enum */
    CLI_FLAG,     /* no value; true goes to a bool */
    CLI_TEXT,     /* const char *, not empty */
    CLI_DURATION, /* uint32_t, milliseconds */
    CLI_SIZE,     /* uint64_t, bytes */
    CLI_COUNT,    /* uint32_t */
    CLI_CHOICE,   /* enum: the index in `choices` */
    CLI_STEPS,    /* struct cli_ladder */
    CLI_LIST,     /* struct cli_list of what `item` parses; repeatable */
};

enum cli_section {
    CLI_TALKING,
    CLI_MESSAGES,
    CLI_REQUEST,
    CLI_WAY,
    CLI_LISTENING,
    CLI_PROGRAMS,
    CLI_PATHS,
    CLI_ADMISSION,
    CLI_LIMITS,
    CLI_TIMES,
    CLI_RUNNING,
    CLI_LOGGING,
    CLI_GENERAL,
    CLI_SECTION_COUNT,
};

/* One kind of thing that a list collects. */
struct cli_item {
    size_t len; /* of the object */
    const char *(*parse)(const char *text, void *object);
    void (*release)(void *object); /* NULL: nothing to free */
};

struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum cli_kind kind;
    enum cli_command_set on;
    enum cli_section section;
    size_t field;            /* offset in struct cli_config */
    const char *placeholder; /* of the value; NULL: takes none */
    const char *preset; /* the default, in the spelling of a value; NULL: the field stays zero */
    const char *preset_note; /* the default in words, where `preset` is NULL */
    const char *const
        *choices; /* ends with NULL; for a CLI_LIST or CLI_TEXT only words to complete; a
                   * CLI_DURATION with one may be the first of them: CLI_FOREVER */
    unsigned set;
    const struct cli_item *item;
    uint64_t smallest;
    uint64_t largest; /* 0: what the type holds */
    const char *help; /* plain text, without a full stop */
    const char *more; /* what the man page adds, in scdoc's markup; NULL: nothing */
};

/** All options, in the order of help; the end has no name. */
extern const struct cli_option cli_options[];

/** Titles of the sections. */
extern const char *const cli_section_titles[CLI_SECTION_COUNT];

/** The option of `command` with this name (of `len` bytes) or letter, or NULL. */
const struct cli_option *cli_option_find(const struct cli_command *command, const char *name,
                                         size_t len);
const struct cli_option *cli_option_find_letter(const struct cli_command *command, char letter);

/** The default for people, or NULL. */
const char *cli_option_default(const struct cli_option *option);

/**
 * A first option of `section` that `command` has, or the next behind `previous`; NULL at the end.
 */
const struct cli_option *cli_option_next(const struct cli_command *command,
                                         enum cli_section section,
                                         const struct cli_option *previous);

#endif
