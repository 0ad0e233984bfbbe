"""Servers under test: starting, finding their own processes, their memory, stopping.

Not responsible for what is measured (rows.py). Ends only processes that it started.
"""

import json
import os
import socket
import subprocess
import time

SERVER_CPU = {0}
CLIENT_CPU = {1}
BOTH = {0, 1}


class BenchError(Exception):
    """Something did not start, or answered what cannot be measured."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def is_listening(port):
    """Read from /proc: a connection would already make some peers start a program."""
    wanted = f':{port:04X}'
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        with open(table, encoding='ascii') as lines:
            for line in lines:
                fields = line.split()
                if fields[3] == '0A' and fields[1].endswith(wanted):
                    return True
    return False


def parents():
    """Process number -> its parent's, of all processes."""
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat', encoding='utf-8', errors='replace') as file:
                    found[int(name)] = int(file.read().rsplit(')', 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def executable_of(pid):
    try:
        return os.path.basename(os.readlink(f'/proc/{pid}/exe'))
    except OSError:
        return ''


def memory_of(pid, field='Rss'):
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        for line in file:
            if line.startswith(field + ':'):
                return int(line.split()[1]) * 1024
    raise BenchError(f'no {field} in smaps_rollup of {pid}')


class Server:
    """A server process, listening when the `with` body begins and ended when it is left."""

    def __init__(self, name, argv, log, cpus=None, env=None, own=()):
        self.name = name
        self.port = free_port()
        self.argv = [arg.replace('@PORT@', str(self.port)) for arg in argv]
        self.log = log
        self.cpus = cpus or SERVER_CPU
        self.env = env
        self.own = own
        self.process = None

    def __enter__(self):
        with open(self.log, 'ab') as log:
            # A new session, so that a terminal's ^C reaches the benchmark first, which then stops
            # it.
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(self.env or {})}, start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))
        deadline = time.monotonic() + 10
        while not is_listening(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise BenchError(f'{self.name} does not listen; see {self.log}')
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def url(self, scheme, path):
        return f'{scheme}://127.0.0.1:{self.port}{path}'

    def descendants(self):
        above = parents()
        found = []
        for pid in above:
            parent = above.get(pid)
            while parent and parent != self.process.pid:
                parent = above.get(parent)
            if parent == self.process.pid:
                found.append(pid)
        return found

    def pids(self):
        """The server and those of its descendants that run one of its own executables."""
        return [self.process.pid] + [pid for pid in self.descendants()
                                     if executable_of(pid) in self.own]

    def programs(self):
        """The descendants that are not the server's own."""
        return [pid for pid in self.descendants() if executable_of(pid) not in self.own]

    def programs_memory(self):
        return sum(memory_of(pid) for pid in self.programs())

    def memory(self):
        pids = self.pids()
        return {'rss': sum(memory_of(pid) for pid in pids),
                'pss': sum(memory_of(pid, 'Pss') for pid in pids),
                'processes': len(pids)}


class Load:
    """The load generator."""

    def __init__(self, path):
        self.path = path

    def argv(self, mode, server, options):
        argv = [self.path, mode, '--port', str(server.port)]
        for pid in server.pids():
            argv += ['--pid', str(pid)]
        for name, value in options.items():
            if value is True:
                argv.append(f'--{name}')
            elif value is not False:
                argv += [f'--{name}', str(value)]
        return argv

    def run(self, mode, server, cpus=None, nice=0, **options):
        """Runs one mode to its end and returns its result."""
        with self.start(mode, server, cpus, nice, **options) as process:
            out, error = process.communicate(timeout=300)
        if process.returncode != 0:
            raise BenchError(f'{server.name}: {error.strip()}')
        return json.loads(out.splitlines()[-1])

    def start(self, mode, server, cpus=None, nice=0, **options):
        def prepare():
            os.sched_setaffinity(0, cpus or CLIENT_CPU)
            os.nice(nice)
        return subprocess.Popen(
            self.argv(mode, server, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=prepare)


class Holder:
    """Idle connections, opened on demand; closed when the `with` body is left."""

    def __init__(self, load, server, **options):
        self.process = load.start('idle', server, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def open(self, count):
        """Opens connections up to count (0: none) and returns what the holder has seen."""
        self.process.stdin.write(f'{count}\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BenchError('connections could not be held: ' + self.process.stderr.read().strip())
        return json.loads(line)


def first_reply(argv, word, cpus):
    """Starts a client and waits until it prints the word: the time, its processor time, its peak
    memory."""
    start = time.perf_counter()
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),
    ) as client:
        printed = b''
        while word not in printed:
            piece = os.read(client.stdout.fileno(), 4096)
            if not piece:
                raise BenchError(f'{argv[0]} ended without a reply')
            printed += piece
        wall_ms = (time.perf_counter() - start) * 1e3
        with open(f'/proc/{client.pid}/status', encoding='ascii') as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith('VmHWM'))
        cpu_ns = 0
        for task in os.listdir(f'/proc/{client.pid}/task'):
            with open(f'/proc/{client.pid}/task/{task}/schedstat', encoding='ascii') as times:
                cpu_ns += int(times.read().split()[0])
        client.stdin.close()
        client.wait(30)
    return {'wall_ms': wall_ms, 'cpu_ms': cpu_ns / 1e6, 'peak_mb': peak * 1024 / 1e6}


class Program:
    """A client that is asked by lines on stdin and answers each by one; ended when the `with`
    body is left."""

    def __init__(self, argv, cpus, env):
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def ask(self, line):
        self.process.stdin.write(f'{line}\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise BenchError('the client failed: ' + self.process.stderr.read().strip())
        return json.loads(answer)

    def memory(self):
        return memory_of(self.process.pid)
