/*
 * command.c - the commands that there are. main.c says which function each is.
 */
#include "cli/command.h"

#include <string.h>

const struct cli_command cli_commands[] = {
    {
        .id = CLI_SERVE,
        .name = "serve",
        .usage = "duplex serve [options] COMMAND [ARG...]\n"
                 "       duplex serve [options] --route=PATH=COMMAND...\n",
        .takes_program = true,
        .summary = "make a WebSocket server of any program",
        .about = "Each WebSocket connection gets the program COMMAND of its own: what the client\n"
                 "sends comes in on stdin, what the program prints goes out as messages. Options\n"
                 "end at COMMAND.\n",
        .examples = "  duplex serve ./counter.sh\n"
                    "  duplex serve --port=9000 vmstat 1\n"
                    "  duplex serve --static=web --route='/log=tail -f \"my log\"' ./chat.sh\n",
    },
    {
        .id = CLI_ECHO,
        .name = "echo",
        .usage = "duplex echo [options]\n",
        .summary = "answer each message with itself",
        .about = "An echo server: each WebSocket message comes back as it was sent.\n",
        .examples = "  duplex echo\n"
                    "  duplex echo --port=9000 --max-message=100M\n",
    },
    {
        .id = CLI_CONNECT,
        .name = "connect",
        .usage = "duplex connect [options] URL\n"
                 "       duplex connect [options] --listen=ADDR\n",
        .takes_url = true,
        .summary = "talk to a WebSocket server",
        .about = "A WebSocket client. On a terminal each line that is typed is sent, and what\n"
                 "comes is shown. In a pipe each line of stdin is a message, and each message a\n"
                 "line of stdout.\n",
        .examples = "  duplex connect wss://example.org/chat\n"
                    "  echo hello | duplex connect ws://127.0.0.1:8080/\n"
                    "  duplex connect --send=hello --expect=1 ws://127.0.0.1:8080/\n",
    },
    {.name = NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}
