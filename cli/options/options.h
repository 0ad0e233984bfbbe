/*
 * options.h - the shape of a command and of its tables of options. These tables are the one source
 * of parsing, --help, man pages, completions and their tests.
 *
 * A command is one object in a file of its own; commands.c lists them. It names the groups of
 * options that it has: its own, and those that commands share.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/options/complaint.h"
#include "cli/options/list.h"

#define CLI_FOREVER UINT32_MAX /* a duration without an end */

/* What an option takes and what its field is. */
enum cli_kind {
    CLI_SET,      /* no value; `set` goes to an enum */
    CLI_FLAG,     /* no value; true goes to a bool */
    CLI_TEXT,     /* const char *, not empty */
    CLI_DURATION, /* uint32_t, milliseconds */
    CLI_SIZE,     /* uint64_t, bytes */
    CLI_COUNT,    /* uint32_t */
    CLI_CHOICE,   /* enum: the index in `choices` */
    CLI_ITEM,     /* what `item` parses, which owns nothing */
    CLI_LIST,     /* struct cli_list of what `item` parses; repeatable */
};

/* A kind of value that needs a parser of its own. */
struct cli_item {
    size_t len; /* of the object */
    /*
     * Fills in a zeroed object. DX_OK; DX_ERR_USAGE, and `problem` says what is wrong with the text
     * and what to write instead; DX_ERR_NOMEM.
     */
    enum dx_err (*parse)(const char *text, void *object, const char **problem);
    void (*release)(void *object); /* NULL: nothing to free */
};

struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum cli_kind kind;
    size_t field;            /* offset in the struct of its group */
    const char *placeholder; /* of the value; NULL: takes none */
    const char *preset; /* the default, in the spelling of a value; NULL: the field stays zero */
    const char *preset_note; /* the default in words, where `preset` is NULL */
    /*
     * Ends with NULL. Of a CLI_ITEM, CLI_LIST or CLI_TEXT these are only words to complete. The
     * first of a CLI_DURATION is CLI_FOREVER.
     */
    const char *const *choices;
    unsigned set;
    const struct cli_item *item;
    uint64_t smallest;
    uint64_t largest; /* 0: what the type holds */
    const char *help; /* plain text, without a full stop */
    const char *more; /* what the man page adds, in scdoc's markup; NULL: nothing */
};

/* Options under one heading that fill in one struct. */
struct cli_group {
    const char *title;                /* groups with equal titles follow each other */
    const struct cli_option *options; /* the end has no name */
    size_t offset;                    /* of their struct in the command's config */
};

/* A word that another program has for something that this command does (foreign.h). */
struct cli_foreign {
    const char *word; /* with its dashes; one that ends in a colon begins an address */
    const char *ours; /* what to write after the command's name */
    const char *note; /* in place of `ours`: what there is instead */
};

/* What words a command takes besides options. */
enum cli_operands {
    CLI_OPERANDS_NONE = 0,
    CLI_OPERANDS_ONE,  /* one word, anywhere; a const char * */
    CLI_OPERANDS_REST, /* options end at the first word; a char ** that ends with NULL */
};

enum cli_wish { CLI_WISH_RUN = 0, CLI_WISH_HELP, CLI_WISH_VERSION };

/* What every command's config begins with. */
struct cli_config {
    const struct cli_command *command;
    enum cli_wish wish;
};

struct cli_command {
    const char *name;
    const char *synopsis; /* the lines after "Usage: " */
    const char *summary;  /* half a line, for lists and completions */
    const char *about;    /* what --help says first; lines */
    const char *examples; /* what --help says last; lines */
    enum cli_operands operands;
    size_t operand_field;           /* offset in the config; NULL stays where none was given */
    const char *operand_name;       /* of CLI_OPERANDS_ONE, for messages: "URL" */
    const struct cli_group *groups; /* in the order of help; the end has no options */
    size_t config_len;              /* of the command's config, a struct cli_config first */
    const struct cli_foreign *const *foreign; /* lists that end without a word; NULL: none */
    /*
     * Checks what needs more than one word of the command line, or the file system. Changes
     * nothing. False, and the first complaint.
     */
    bool (*check)(const struct cli_config *config, struct cli_complaint *complaint);
    /*
     * Runs with a config that was checked. stdin, stdout and stderr are open, SIGPIPE is ignored.
     * Returns the exit status.
     */
    int (*run)(const struct cli_config *config);
};

/* An option of a command, and the group that it is in. */
struct cli_row {
    const struct cli_group *group; /* NULL: before the first */
    const struct cli_option *option;
};

/** Goes to the next option of a command, in the order of help; begins with a zeroed row. */
bool cli_row_next(const struct cli_command *command, struct cli_row *row);

/** Finds the option with this name of `len` bytes, or this letter. False: there is none. */
bool cli_row_find(const struct cli_command *command, const char *name, size_t len,
                  struct cli_row *row);
bool cli_row_find_letter(const struct cli_command *command, char letter, struct cli_row *row);

/** The field that an option fills in. */
static inline void *cli_row_field(const struct cli_row *row, struct cli_config *config)
{
    return (char *)config + row->group->offset + row->option->field;
}

/** The default for people, or NULL. */
static inline const char *cli_option_default(const struct cli_option *option)
{
    return option->preset ? option->preset : option->preset_note;
}

/* The group that every command ends with: --help and --version. */
extern const struct cli_option cli_general_options[];
#define CLI_GENERAL_GROUP                                                                          \
 {                                                                                                 \
  .title = "Help", .options = cli_general_options, .offset = 0                                     \
 }

#endif
