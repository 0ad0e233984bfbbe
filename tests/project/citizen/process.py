#!/usr/bin/env python3
"""Reads with strace what a server does to its process: every descriptor is close-on-exec, no
signal's disposition changes, nothing is written to the standard descriptors, no other process comes
to be.

usage: process.py SERVER
"""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import talk  # noqa: E402

# How each call says that its descriptor does not outlive an exec; the calls that cannot say so are
# named with None.
close_on_exec = {
    'open': 'O_CLOEXEC',
    'openat': 'O_CLOEXEC',
    'openat2': 'O_CLOEXEC',
    'socket': 'SOCK_CLOEXEC',
    'socketpair': 'SOCK_CLOEXEC',
    'accept4': 'SOCK_CLOEXEC',
    'pipe2': 'O_CLOEXEC',
    'eventfd2': 'EFD_CLOEXEC',
    'epoll_create1': 'EPOLL_CLOEXEC',
    'timerfd_create': 'TFD_CLOEXEC',
    'memfd_create': 'MFD_CLOEXEC',
    'inotify_init1': 'IN_CLOEXEC',
    'signalfd4': 'SFD_CLOEXEC',
    'dup3': 'O_CLOEXEC',
    'creat': None,
    'accept': None,
    'pipe': None,
    'eventfd': None,
    'epoll_create': None,
    'inotify_init': None,
    'dup': None,
    'dup2': None,
    'signalfd': None,
}
never = (
    'execve',
    'execveat',
    'fork',
    'vfork',
    'kill',
    'tkill',
    'tgkill',
    'chdir',
    'fchdir',
    'umask',
    'setrlimit',
    'prctl',
    'setpriority',
    'sigaltstack',
    'setitimer',
    'alarm',
    'setsid',
    'setpgid',
    'close_range',
)
exceptions = (
    # call, what its line has, why
    ('rt_sigaction', r'SIGRT(MIN|_[01])\b|SIG3[23]\b', "glibc's own, with the first thread"),
    ('prctl', r'PR_SET_VMA', "glibc's malloc names its memory"),
)

scratch = Path(tempfile.mkdtemp())
log = scratch / 'log'
say, said = os.pipe()
files = scratch / 'files'
files.mkdir()
(files / 'page.html').write_text('<p>a page\n' * 10000)
process = subprocess.Popen(
    [
        'strace',
        '-f',
        '-qq',
        '-o',
        log,
        'sh',
        '-c',
        f'exec "$0" "$@" 3>&{said}',
        sys.argv[1],
        files,
        scratch / 'socket',
    ],
    pass_fds=[said],
    stdin=subprocess.DEVNULL,
)
os.close(said)
failures, lines, calls = [], [], 0


def expect(condition, what):
    if not condition:
        failures.append(what)


def conversation():
    with os.fdopen(say) as out:
        for line in out:
            lines.append(line.strip())
            if line == 'ready\n':
                break
        else:
            raise RuntimeError(f'the server said {lines}')
        plain, secret = (
            int(re.search(r':(\d+)/', line).group(1)) for line in lines if '127.0.0.1' in line
        )
        context = ssl._create_unverified_context()

        def local():
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(scratch / 'socket'))
            return peer

        for connect in (
            lambda: talk.connect(plain),
            lambda: context.wrap_socket(talk.connect(secret)),
            local,
        ):
            talk.echo(connect())
            status, _, body = talk.get(connect(), '/files/page.html')
            expect(status == 200 and len(body) == 100000, f'a file: {status}, {len(body)} bytes')
            expect(talk.get(connect(), '/plain')[2] == b'plain\n', 'a plain answer')
            expect(b'duplex_' in talk.get(connect(), '/metrics')[2], 'metrics')
            expect(talk.get(connect(), '/files/nothing')[0] == 404, 'no such file')
        subscribers = [talk.connect(plain) for _ in range(4)]
        for peer in subscribers:
            talk.open_websocket(peer, '/topic')
        talk.send(subscribers[0], 1, b'to all')
        for peer in subscribers:
            expect(talk.read(peer) == (1, b'to all'), 'a published message')
        expect(talk.get(talk.connect(plain), '/stop')[0] == 200, 'stopping')
        for peer in subscribers:
            expect(talk.read(peer)[0] == 8, 'a Close at the end')
            talk.send(peer, 8, b'\x03\xe9')
            peer.close()
        expect(out.read() == 'end\n', 'its end')
    expect(process.wait() == 0, f'exit status {process.returncode}')


def whole(lines):
    """A call that another thread's came between is written in two halves."""
    halves = {}
    for line in lines:
        thread = line.split()[0]
        if line.endswith(' <unfinished ...>'):
            halves[thread] = line.removesuffix(' <unfinished ...>')
        elif ' resumed>' in line:
            yield halves.pop(thread) + line.partition(' resumed>')[2]
        else:
            yield line


def judge(line):
    match = re.match(r'^\d+ +(\w+)\((.*)$', line)
    if not match:
        return False
    name, arguments = match.groups()
    if any(name == call and re.search(pattern, arguments) for call, pattern, _ in exceptions):
        return True
    if (
        name in close_on_exec
        and (close_on_exec[name] is None or close_on_exec[name] not in arguments)
        and '= -1' not in line
    ):
        failures.append(f'not close-on-exec: {line}')
    elif name == 'fcntl' and ('F_DUPFD,' in arguments or 'F_SETFD, 0' in arguments):
        failures.append(f'not close-on-exec: {line}')
    elif name == 'rt_sigaction' and not re.match(r'\w+, NULL', arguments):
        failures.append(f'a signal\'s disposition: {line}')
    elif name in ('write', 'writev', 'sendto', 'sendmsg') and re.match(r'[012],', arguments):
        failures.append(f'a standard descriptor: {line}')
    elif name in never or (name in ('clone', 'clone3') and 'CLONE_THREAD' not in line):
        failures.append(f'not the library\'s business: {line}')
    return True


try:
    conversation()
    # Before it the loader is at work, behind it nothing but main's return.
    begun = False
    for line in whole(log.read_text(errors='replace').splitlines()):
        begun = begun or 'write(3, "begin' in line
        if 'write(3, "end' in line:
            break
        calls += begun and judge(line)
finally:
    if process.poll() is None:
        process.kill()
        process.wait()
    shutil.rmtree(scratch)

print('\n'.join(failures))
print(f'{calls} system calls read, {len(failures)} failures')
sys.exit(bool(failures) or calls < 200)
