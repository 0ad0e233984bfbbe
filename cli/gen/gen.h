/*
 * gen.h - the generator of man pages and completions. It runs only while the program is built.
 */
#ifndef CLI_GEN_H
#define CLI_GEN_H

#include <stdio.h>

#include "cli/commands.h"

/** What a value is, for completion. */
enum gen_values { GEN_NONE, GEN_WORDS, GEN_FILES, GEN_DIRECTORIES };
enum gen_values gen_values_of(const struct cli_option *option);

/** The tables as tab-separated lines: command, name, letter, value, default, kind. For tests. */
void gen_options(FILE *out);

/**
 * A man page: the template with the line @OPTIONS@ replaced by the options of `command`, in scdoc's
 * markup.
 */
void gen_man(FILE *out, FILE *template, const struct cli_command *command);

/** Completions. */
void gen_bash(FILE *out);
void gen_zsh(FILE *out);
void gen_fish(FILE *out);

#endif
