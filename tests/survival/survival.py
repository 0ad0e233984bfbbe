#!/usr/bin/env python3
"""Runs each example of the library with each of its allocations, then each of its system calls,
failing once.

    survival.py SHIM EXAMPLES [NAME]
        SHIM is the library to load first, EXAMPLES the folder that script/examples has filled

A failure may cost what it hit: the start (exit 1 with a line of text), or one peer's connection. It
may not cost the process, nor anybody who comes afterwards: whoever the example serves it serves
again. A client ends by itself, well or with a line that says why. Prints how many failures were
injected.
"""
import base64
import hashlib
import mmap
import os
import pathlib
import re
import select
import signal
import socket
import struct
import ssl
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

ALLOCATIONS, CALLS = 0, 1
KINDS = ('allocations', 'system calls')
PAGE = struct.Struct('QQQQQ32s')
PATIENCE = 25  # seconds, for a program that is not stuck
SILENCE = 1  # seconds, after which a message was lost, once the failure has come
# Where libuv 1.44 ends the process itself: when a new loop's table of descriptors finds no memory,
# and when the system takes none of its own three descriptors into the set, in the first turn.
# Nothing listens yet then.
ABORTS_OF_LIBUV = {'realloc': 1, 'epoll_ctl': 3}


class Page:
    """The page that is shared with the shim (shim.h)."""

    def __init__(self, folder):
        self.path = os.path.join(folder, 'page')
        with open(self.path, 'wb') as file:
            file.write(bytes(4096))
        self.file = open(self.path, 'r+b')
        self.map = mmap.mmap(self.file.fileno(), 4096)

    def set(self, kind, nth):
        values = [0, 0, 0, 0, 0, b'']
        values[kind] = nth
        self.map[:PAGE.size] = PAGE.pack(*values)

    def get(self):
        values = PAGE.unpack(self.map[:PAGE.size])
        return values[2:4], values[4], values[5].split(b'\0')[0].decode()

    def close(self):
        self.map.close()
        self.file.close()


class UvAbort(Exception):
    """libuv has ended the process while a loop was being made."""


class Lost(Exception):
    """The peer ended the connection, or it never stood."""


def frame(opcode, payload):
    head = bytes([0x80 | opcode])
    head += (
        bytes([0x80 | len(payload)])
        if len(payload) < 126
        else b'\xfe' + struct.pack('>H', len(payload))
    )
    return head + bytes(4) + payload  # the masking key 0 leaves everything as it is


class Client:
    def __init__(self, to):  # its port, and whether an answer may have been lost
        port, self.may_lose = to
        try:
            self.socket = socket.create_connection(('127.0.0.1', port), PATIENCE)
        except OSError as error:
            raise Lost(str(error)) from error
        self.bytes = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except ConnectionError as error:
            raise Lost(str(error)) from error

    def need(self, count):
        while len(self.bytes) < count:
            try:
                got = self.receive()
            except ConnectionError as error:
                raise Lost(str(error)) from error
            if not got:
                raise Lost('end of stream')
            self.bytes += got

    def receive(self):
        """What comes next; Lost when it does not come, at once if it may have been lost."""
        self.socket.settimeout(SILENCE)
        try:
            for _ in range(PATIENCE // SILENCE):
                try:
                    return self.socket.recv(65536)
                except TimeoutError:
                    if self.may_lose():
                        break
            raise Lost('nothing comes')
        finally:
            self.socket.settimeout(PATIENCE)

    def take(self, count):
        self.need(count)
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def request(self, text, body=b''):
        """Sends a request; the status of the answer, and its body."""
        self.send(text.encode() + b'Host: 127.0.0.1\r\n\r\n' + body)
        while b'\r\n\r\n' not in self.bytes:
            self.need(len(self.bytes) + 1)
        head, self.bytes = self.bytes.split(b'\r\n\r\n', 1)
        length = re.search(rb'(?i)\r\ncontent-length: (\d+)', head)
        return int(head.split()[1]), self.take(int(length.group(1))) if length else b''

    def upgrade(self, target):
        key = base64.b64encode(b'the sample nonce').decode()
        status, _ = self.request(
            f'GET {target} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            f'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n'
        )
        if status != 101:
            raise Lost(f'status {status}')

    def message(self):
        first, second = self.take(2)
        length = second & 127
        if length == 126:
            length = struct.unpack('>H', self.take(2))[0]
        elif length == 127:
            length = struct.unpack('>Q', self.take(8))[0]
        return first & 15, self.take(length)

    def data(self):
        while True:
            opcode, payload = self.message()
            if opcode == 8:
                raise Lost('closed')
            if opcode < 3:
                return payload

    def close(self):
        self.send(frame(8, struct.pack('>H', 1000)))
        while self.message()[0] != 8:
            pass


def whole(client, wanted):
    """Messages may come as fragments: joined they are what was sent."""
    got = b''
    while len(got) < len(wanted):
        got += client.data()
    if got != wanted:
        raise AssertionError('another message came back than was sent')


def talk_echo(to, target='/'):
    with Client(to) as client:
        client.upgrade(target)
        for payload in (b'hello', bytes(3000), b''):
            client.send(frame(2, payload))
            whole(client, payload)
        client.send(frame(9, b'p'))
        client.close()


def talk_chat(to):
    with Client(to) as one, Client(to) as other:
        one.upgrade('/')
        other.upgrade('/')
        for number in range(3):
            text = b'message %d' % number
            (one, other)[number % 2].send(frame(1, text))
            whole(one, text)
            whole(other, text)
        one.close()
        other.close()


def talk_files(to):
    with Client(to) as client:
        for target, status in (('/', 200), ('/big', 200), ('/none', 404)):
            got, body = client.request(f'GET {target} HTTP/1.1\r\n')
            if got != status:
                raise Lost(f'status {got}')
            if target == '/big' and body != b'x' * 300000:
                raise AssertionError('the file came with other bytes')
    talk_echo(to, '/socket')


def talk_json(to):
    with Client(to) as refused:
        try:
            refused.upgrade('/live?token=wrong')
        except Lost:
            pass
        else:
            raise AssertionError('a wrong token was accepted')
    with Client(to) as listener, Client(to) as sayer:
        listener.upgrade('/live?token=token')
        status, _ = sayer.request('POST /say HTTP/1.1\r\nContent-Length: 4\r\n', b'"hi"')
        if status != 200:
            raise Lost(f'status {status}')
        whole(listener, b'"hi"')


def talk_clock(to):
    with Client(to) as client:
        client.upgrade('/')
        client.send(frame(9, b'p'))
        while client.message() != (10, b'p'):  # a second may pass meanwhile
            pass
        client.close()


# GLib ends the process when it gets no memory, as it says: that is its own promise, not ours.
EXAMPLES = {
    'echo': (['127.0.0.1:0'], talk_echo, (ALLOCATIONS, CALLS)),
    'chat': (['127.0.0.1:0'], talk_chat, (ALLOCATIONS, CALLS)),
    'files': (['SITE', '127.0.0.1:0'], talk_files, (ALLOCATIONS, CALLS)),
    'json': (['token', '127.0.0.1:0'], talk_json, (ALLOCATIONS, CALLS)),
    'protocol_poll': (['0'], talk_echo, (ALLOCATIONS, CALLS)),
    'embed_epoll': (['127.0.0.1:0'], talk_clock, (ALLOCATIONS, CALLS)),
    'embed_uv': (['127.0.0.1:0'], talk_clock, (ALLOCATIONS, CALLS)),
    'embed_glib': (['127.0.0.1:0'], talk_clock, (CALLS,)),
}


# ---- clients: their peer is here ----

class Peer:
    """A server for one run of a client: what comes it judges and answers as `talk` says,
    connection by connection."""

    def __init__(self, talk, tls=None):
        self.talk, self.tls = talk, tls
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # it was closed
            self.threads.append(
                threading.Thread(target=self.serve, args=(connection,), daemon=True)
            )
            self.threads[-1].start()

    def serve(self, connection):
        # Whoever goes away, at whatever moment, may: the client's end is what is looked at.
        connection.settimeout(PATIENCE)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            client = Accepted(connection)
            self.talk(client)
            while True:
                client.answer()
        except (OSError, Lost):
            pass
        finally:
            connection.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in list(self.threads):
            thread.join(PATIENCE)


class Accepted(Client):
    """A client's connection, from the other side."""

    def __init__(self, connection):
        self.socket, self.bytes, self.may_lose = connection, b'', lambda: False
        while b'\r\n\r\n' not in self.bytes:
            self.need(len(self.bytes) + 1)
        head, self.bytes = self.bytes.split(b'\r\n\r\n', 1)
        key = re.search(rb'(?i)\r\nsec-websocket-key: (\S+)', head).group(1)
        accept = base64.b64encode(
            hashlib.sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest()
        ).decode()
        self.send(
            f'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            f'Sec-WebSocket-Accept: {accept}\r\n\r\n'.encode()
        )

    def tell(self, opcode, payload, is_last=True):
        head = bytes([(0x80 if is_last else 0) | opcode])
        head += (
            bytes([len(payload)])
            if len(payload) < 126
            else b'\x7e' + struct.pack('>H', len(payload))
        )
        self.send(head + payload)

    def message(self):
        first, second = self.take(2)
        length = second & 127
        if length > 125:
            length = int.from_bytes(self.take(2 if length == 126 else 8), 'big')
        key, payload = self.take(4), self.take(length)
        mask = (key * (length // 4 + 1))[:length]
        return first & 15, (int.from_bytes(payload, 'big') ^ int.from_bytes(mask, 'big')).to_bytes(
            length, 'big'
        )

    def answer(self):
        """One message, as an echo server has it."""
        opcode, payload = self.message()
        if opcode == 8:
            self.tell(8, payload)
            raise Lost('closed')
        if opcode == 9:
            self.tell(10, payload)
        elif opcode in (1, 2) and len(payload) < 1000:  # no part of something longer
            self.tell(opcode, b'pong' if payload == b'ping' else payload)


def only_answer(_):
    pass


def tell_parts(client):
    for number in range(20):
        client.tell(0 if number else 2, bytes(10000), number == 19)


def tell_and_close(client):
    client.tell(1, b'hello')
    client.tell(1, b'again')
    client.tell(8, struct.pack('>H', 1000))


# Arguments (PORT is the peer's), what the peer does first, which failures, and by how much their
# number grows from the 50th on, for clients that have thousands of them.
CLIENTS = {
    'client_hello': (['ws://localhost:PORT/', 'hello'], only_answer, (ALLOCATIONS, CALLS), 1),
    'client_ticker': (['ws://127.0.0.1:PORT/', 'TOKEN'], tell_and_close, (ALLOCATIONS, CALLS), 1),
    'client_outbox': (['ws://127.0.0.1:PORT/', '2'], only_answer, (ALLOCATIONS, CALLS), 1),
    'client_chunks': (['ws://127.0.0.1:PORT/', 'COPY'], tell_parts, (ALLOCATIONS, CALLS), 1),
    'client_threads': (['ws://127.0.0.1:PORT/'], only_answer, (ALLOCATIONS, CALLS), 1.1),
    'client_tls': (
        ['wss://127.0.0.1:PORT/', 'CERTIFICATE'],
        only_answer,
        (ALLOCATIONS, CALLS),
        1.05,
    ),
    'client_mirror': (
        ['ws://127.0.0.1:PORT/', '127.0.0.1:0'],
        tell_and_close,
        (ALLOCATIONS, CALLS),
        1,
    ),
    'client_embed_poll': (['ws://127.0.0.1:PORT/'], only_answer, (ALLOCATIONS, CALLS), 1),
    'client_embed_uv': (['ws://127.0.0.1:PORT/', '2'], only_answer, (ALLOCATIONS, CALLS), 1),
    'client_embed_glib': (['ws://127.0.0.1:PORT/'], only_answer, (CALLS,), 1.1),
}


def run_client(shim, examples, name, kind, nth, folder):
    """One run of a client with one failure. Returns what was hit."""
    arguments, talk, _, _ = CLIENTS[name]
    tls = None
    if 'CERTIFICATE' in arguments:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / 'cert.pem', folder / 'key.pem')
    page, peer = Page(folder), Peer(talk, tls)
    page.set(kind, nth)
    names = {
        'PORT': str(peer.port),
        'TOKEN': str(folder / 'token'),
        'COPY': str(folder / 'copy'),
        'CERTIFICATE': str(folder / 'cert.pem'),
    }
    arguments = [
        re.sub('|'.join(names), lambda match: names[match.group()], argument)
        for argument in arguments
    ]
    with open(folder / 'lines', 'rb') as lines:
        process = subprocess.Popen(
            [str(examples / name), *arguments],
            stdin=lines,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, 'LD_PRELOAD': shim, 'DUPLEX_SURVIVAL_PAGE': page.path},
        )
    try:
        _, said = process.communicate(timeout=PATIENCE)
        hit, what = page.get()[1:]
        if process.returncode == -signal.SIGABRT and what in ABORTS_OF_LIBUV:
            raise UvAbort(what)
        if process.returncode not in ((0, 1, 2) if hit else (0,)):
            raise AssertionError(
                f'it ended with {process.returncode} ({what} failed): {said.decode()}'
            )
        if process.returncode and not said:
            raise AssertionError(
                f'it ended with {process.returncode} ({what} failed), and does not say why'
            )
        return hit
    except subprocess.TimeoutExpired:
        raise AssertionError(f'it does not end ({page.get()[2]} failed)') from None
    finally:
        process.kill()
        process.communicate()
        peer.close()
        page.close()


def prepare_client(folder):
    (folder / 'token').write_text('token\n')
    (folder / 'lines').write_text('one line\n' * 3000)
    subprocess.run(
        [
            'openssl',
            'req',
            '-x509',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-nodes',
            '-days',
            '2',
            '-subj',
            '/CN=localhost',
            '-addext',
            'subjectAltName=IP:127.0.0.1',
            '-keyout',
            folder / 'key.pem',
            '-out',
            folder / 'cert.pem',
        ],
        check=True,
        capture_output=True,
    )


def first_line(process):
    ready, _, _ = select.select([process.stderr], [], [], PATIENCE)
    if not ready:
        raise AssertionError('it neither listens nor ends')
    return process.stderr.readline()


def ended(process):
    """How it has ended, if it has; the system may need a moment to say so."""
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        return None


def run(shim, examples, name, kind, nth, folder):
    """One run with one failure. Returns the counts of calls and what was hit."""
    arguments, talk, _ = EXAMPLES[name]
    page = Page(folder)
    page.set(kind, nth)
    arguments = [str(folder / 'site') if argument == 'SITE' else argument for argument in arguments]
    process = subprocess.Popen(
        [str(examples / name), *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, 'LD_PRELOAD': shim, 'DUPLEX_SURVIVAL_PAGE': page.path},
    )
    try:
        port = re.search(rb'http://127\.0\.0\.1:(\d+)/', first_line(process))
        if port is None:
            status = process.wait(PATIENCE)
            if status == -signal.SIGABRT and page.get()[2] in ABORTS_OF_LIBUV:
                raise UvAbort(page.get()[2])
            if status != 1 or page.get()[1] == 0:
                raise AssertionError(f'it ended with {status} before it listened')
            return page.get()
        port = int(port.group(1))
        try:
            talk((port, lambda: page.get()[1] > 0))
        except Lost:
            if page.get()[1] == 0:
                raise
        # Whoever comes next is served whole, unless the failure is still to come.
        was_hit = page.get()[1] > 0
        try:
            talk((port, lambda: not was_hit and page.get()[1] > 0))
        except Lost:
            if was_hit:
                raise
        if process.poll() is not None:
            raise AssertionError(f'it ended with {process.returncode}')
        return page.get()
    except (Lost, OSError, subprocess.TimeoutExpired) as error:
        if ended(process) == -signal.SIGABRT and page.get()[2] in ABORTS_OF_LIBUV:
            raise UvAbort(page.get()[2]) from error
        raise AssertionError(f'{type(error).__name__}: {error}') from error
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        page.close()


def prepare_server(folder):
    (folder / 'site').mkdir()
    (folder / 'site/index.html').write_text('<p>the page')
    (folder / 'site/404.html').write_text('<p>not here')
    (folder / 'site/big').write_text('x' * 300000)


def sweep(shim, examples, name, kind):
    """Each failure of one kind in one example. Returns how many were injected, and complaints."""
    injected, complaints = 0, []
    aborts = dict(ABORTS_OF_LIBUV)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        is_client = name in CLIENTS
        (prepare_client if is_client else prepare_server)(folder)
        growth = CLIENTS[name][3] if is_client else 1
        nth, hit = 0, 1
        while hit and len(complaints) < 10:
            nth = int(nth * growth) if nth > 50 and growth > 1 else nth + 1
            try:
                if is_client:
                    hit = run_client(shim, examples, name, kind, nth, folder)
                else:
                    _, hit, _ = run(shim, examples, name, kind, nth, folder)
            except UvAbort as abort:
                aborts[str(abort)] -= 1
                if aborts[str(abort)] < 0:
                    complaints.append(f"failure {nth}: one more abort than libuv's")
            except AssertionError as error:
                complaints.append(f'failure {nth}: {error}')
            injected += hit
    return injected, complaints


def main():
    shim, examples = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    work = [(name, kind) for name in sys.argv[3:] or [*EXAMPLES, *CLIENTS]
            for kind in {**EXAMPLES, **CLIENTS}[name][2]]
    bad = total = 0
    # They mostly wait: for what a failure has taken away.
    with ThreadPoolExecutor(16) as pool:
        results = pool.map(lambda item: sweep(shim, examples, *item), work)
        for (name, kind), (injected, complaints) in zip(work, results):
            print(f'{name}: {injected} {KINDS[kind]} failed in turn')
            for complaint in complaints:
                print('  ' + complaint)
            bad += len(complaints)
            total += injected
    print(f'injected {total} failures')
    return 1 if bad or total < 100 else 0


sys.exit(main())
