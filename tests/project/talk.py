"""A WebSocket client of a few lines, for tests that want to know whether a server of theirs
answers at all."""
import os
import re
import socket
import struct
import subprocess


def start(command, **options):
    """Starts a server that prints its URL on stderr; returns the process and the port."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
    line = process.stderr.readline()
    match = re.search(r'http://127\.0\.0\.1:(\d+)/', line)
    if not match:
        process.kill()
        raise RuntimeError(f'{command}: no address: {line}{process.stderr.read()}')
    return process, int(match.group(1))


def receive(peer, count):
    data = b''
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise RuntimeError(f'the connection ended after {data!r}')
        data += more
    return data


def connect(port, host='127.0.0.1'):
    return socket.create_connection((host, port), timeout=20)


def open_websocket(peer, path='/', host='localhost'):
    peer.sendall(
        (
            f'GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
        ).encode()
    )
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        head += receive(peer, 1)
    if not head.startswith(b'HTTP/1.1 101 ') or b's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' not in head:
        raise RuntimeError(f'no WebSocket: {head!r}')


def send(peer, opcode, payload):
    """One masked frame of less than 64 KiB."""
    key = os.urandom(4)
    length = (
        bytes([0x80 | len(payload)])
        if len(payload) < 126
        else b'\xfe' + struct.pack('>H', len(payload))
    )
    peer.sendall(
        bytes([0x80 | opcode]) + length + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))
    )


def read(peer):
    """One unmasked frame: its opcode and payload."""
    first, length = receive(peer, 2)
    if length == 126:
        length, = struct.unpack('>H', receive(peer, 2))
    return first & 15, receive(peer, length)


def echo(peer, text=b'hello', **where):
    """A whole conversation with an echo server: a message each of two lengths, and a clean end.
    Raises when it is not kept."""
    open_websocket(peer, **where)
    for payload in (text, text * 4000):
        send(peer, 1, payload)
        got = read(peer)
        if got != (1, payload):
            raise RuntimeError(f'sent {len(payload)} bytes, got {got!r:.80}')
    send(peer, 8, b'\x03\xe8')
    got = read(peer)
    if got != (8, b'\x03\xe8'):
        raise RuntimeError(f'sent Close 1000, got {got!r}')
    peer.close()


def get(peer, path, host='localhost'):
    """Status, head and body of a plain request, whose connection ends with it."""
    peer.sendall(f'GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n'.encode())
    data = b''
    while more := peer.recv(65536):
        data += more
    peer.close()
    head, _, body = data.partition(b'\r\n\r\n')
    return int(head.split()[1]), head, body
