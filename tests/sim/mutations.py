#!/usr/bin/python3
"""Breaks the library in one place after another and shows that some simulated world notices each.

    mutations.py SOURCE_ROOT [SEEDS]

A row of the table: the file, the text that is right (it must stand there exactly once), what takes its place, and what is
wrong then. Each is tried in a scratch copy of that one file, compiled beside the untouched rest. Prints "N mutations, N noticed".
"""
import concurrent.futures
import glob
import os
import platform
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(sys.argv[1])
SEEDS = sys.argv[2] if len(sys.argv) > 2 else '10000'
CC = os.environ.get('CC', 'cc').split()
FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O1', '-fno-strict-aliasing', '-w', '-Iinclude', '-Isrc', '-Itests']
LIBRARIES = ['-luv', '-lssl', '-lcrypto', '-lpthread']
ROOMS = ['base', 'http', 'ws', 'net', 'connection', 'server', 'topics']

CLOSING = 'src/connection/closing.c'
CONNECTION = 'src/connection/connection.c'
DEADLINES = 'src/connection/deadlines.c'
READING = 'src/connection/reading.c'
WRITING = 'src/connection/writing.c'

MUTATIONS = [
    (WRITING, 'dx_output_consume(&connection->output, put);', 'dx_output_clear(&connection->output);',
     'what a partial write has left is forgotten'),
    (WRITING, 'size_t payload_put = put - header_put;', 'size_t payload_put = put > header.len ? put - header_put + 1 : 0;',
     'a byte of a long message is lost where the kernel has cut it'),
    (CONNECTION, 'dx_large_give(store, connection->kept);', ';', 'input that was kept is leaked'),
    (CONNECTION, '    dx_loop_flush_cancel(loop, &connection->task);\n    release(connection);',
     '    if (connection->handlers->on_close)\n        connection->handlers->on_close(connection, &info);\n'
     '    dx_loop_flush_cancel(loop, &connection->task);\n    release(connection);', 'on_close comes twice'),
    (CONNECTION, '    connection->needs_pump = true;\n    dx_connection_schedule(connection);\n}\n\nsize_t',
     '    dx_connection_schedule(connection);\n}\n\nsize_t', 'resuming does not look at what was kept'),
    (READING, 'endpoint->in = connection->kept->bytes;', 'endpoint->in = connection->kept->bytes + 1, endpoint->in_len--;',
     'a byte is lost at a pause'),
    (READING, 'dx_large_give(dx_loop_large(dx_connection_loop(connection)), message);\n}', '}',
     'a message of several reads is leaked'),
    (CLOSING, '    connection->sent_code = code;\n    connection->is_waiting', '    connection->is_waiting',
     'the code of our Close is not told'),
    (CLOSING, '    dx_wheel_unset(dx_loop_wheel(dx_connection_loop(connection)), &connection->timer);\n', '',
     'the timer of a connection outlives it'),
    (DEADLINES, 'take_nearer(&nearest, left_of(now, connection->phase_ms, options->close_timeout_ms));', ';',
     'the deadline of the closing handshake is not kept'),
    (DEADLINES, 'take_nearer(&nearest, left_of(now, connection->write_ms, options->write_timeout_ms));', ';',
     'the deadline of writing is not kept'),
    (DEADLINES, 'take_nearer(&nearest, left_of(now, connection->heard_ms, ping_limit(connection)));', ';', 'nothing is pinged'),
    ('src/net/loop/watch.c', 'loop->events[i].data.ptr = NULL;', ';', 'a watch that was stopped is told what the turn has learnt'),
    ('src/net/socket/listener.c', '        pause_accepting(listener);\n        refuse_one(listener);', ';',
     'without descriptors the loop spins'),
    ('src/server/close.c', '    dx_loop_timer_unset(server->close_timer);\n', '', 'the end of a server is told twice'),
    ('src/server/http1/http_read.c', 'http->early_end += (uint32_t)len;', 'http->early_end += (uint32_t)len - (len > 100);',
     'a byte of a request that came early is lost'),
    ('src/topics/give.c', 'if (!dx_connection_is_congested(subscriber->connection))', 'if (true)',
     'publishing cuts a connection for a long message of its own'),
    ('src/topics/give.c', '    subscriber->first = pending->next;\n',
     '    subscriber->first = pending->next && pending->next->next ? pending->next->next : pending->next;\n',
     'a published message that waited is forgotten'),
]


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def sources():
    """What the rooms' meson.build files list, for this processor, and the simulator's."""
    is_x86 = platform.machine() in ('x86_64', 'AMD64')
    for room in ROOMS:
        with open(os.path.join(ROOT, 'src', room, 'meson.build')) as file:
            names = re.findall(r"'([\w/]+\.c)'", file.read())
        for name in dict.fromkeys(names):
            if not (re.search('_(avx2|sse2|x86)', name) and not is_x86 or '_portable' in name and is_x86):
                yield 'src/%s/%s' % (room, name)
    yield from (os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, 'tests/support/sim/*.c')))
    yield 'tests/sim/sim.c'


def wrap_arguments():
    with open(os.path.join(ROOT, 'tests/sim/meson.build')) as file:
        calls = re.search(r'foreach call : \[(.*?)\]', file.read(), re.DOTALL).group(1)
    return ['-Wl,--wrap=' + call for call in re.findall(r"'(\w+)'", calls)]


def compile_file(source, target):
    flags = FLAGS + (['-mavx2'] if '_avx2' in target else [])
    result = run(CC + flags + ['-c', source, '-o', target])
    if result.returncode != 0:
        sys.exit('%s does not compile:\n%s' % (source, result.stdout.decode()))


def object_of(scratch, source):
    return os.path.join(scratch, source.replace('/', '_') + '.o')


def simulate(objects, binary):
    """The line of the first world that failed, '' when none did."""
    result = run(CC + objects + wrap_arguments() + LIBRARIES + ['-o', binary])
    if result.returncode != 0:
        sys.exit('it does not link:\n%s' % result.stdout.decode())
    output = run([binary, '--seeds', SEEDS, '--jobs', '1', '--stop']).stdout.decode(errors='replace')
    os.unlink(binary)
    return next((line for line in output.splitlines() if ' failed: ' in line), '')


def try_mutation(scratch, number, row):
    """Returns whether it was noticed."""
    path, text, replacement, what = row
    with open(os.path.join(ROOT, path)) as file:
        source = file.read()
    if source.count(text) != 1:
        print('%s: stands there %d times: %s' % (path, source.count(text), text), flush=True)
        return False
    copy = os.path.join(scratch, '%d_%s' % (number, os.path.basename(path)))
    with open(copy, 'w') as file:
        file.write(source.replace(text, replacement))
    compile_file(copy, copy + '.o')
    objects = [copy + '.o' if item == path else object_of(scratch, item) for item in sources()]
    failure = simulate(objects, os.path.join(scratch, 'mutation%d' % number))
    print('%s: %s' % (what, failure.split('; replay')[0] or 'NOT NOTICED'), flush=True)
    return failure != ''


def main():
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(lambda source: compile_file(source, object_of(scratch, source)), sources()))
        failure = simulate([object_of(scratch, item) for item in sources()], os.path.join(scratch, 'whole'))
        if failure:
            sys.exit('a world fails as it is: ' + failure)
        noticed = list(pool.map(lambda item: try_mutation(scratch, *item), enumerate(MUTATIONS)))
    print('%d mutations, %d noticed' % (len(MUTATIONS), noticed.count(True)))
    return 0 if all(noticed) else 1


if __name__ == '__main__':
    sys.exit(main())
