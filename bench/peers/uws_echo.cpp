/*
 * uws_echo.cpp - an echo server as uWebSockets' own example builds one, without compression.
 *
 * Its pings are on, as they are by default. Usage: uws_echo PORT
 */
#include "App.h"

#include <cstdlib>

struct Nothing {};

int main(int argc, char **argv)
{
    uWS::App()
        .ws<Nothing>("/*", {.maxPayloadLength = 16 * 1024 * 1024,
                            .maxBackpressure = 16 * 1024 * 1024,
                            .message =
                                [](auto *ws, std::string_view message, uWS::OpCode opcode) {
                                    ws->send(message, opcode);
                                }})
        .listen("127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 8080,
                [](auto *listener) {
                    if (listener == nullptr)
                        std::exit(1);
                })
        .run();
}
