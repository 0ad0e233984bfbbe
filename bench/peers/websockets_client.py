"""websockets_client.py - Debian's python3-websockets as a client; does what bench/duplex/client.c
does, and "once": connect, send, wait for one message, close.

    websockets_client.py receive|send|chunks|hold|once URL [...]
"""
import asyncio
import json
import os
import ssl
import sys
import time

import websockets

PAYLOAD = 'abcdefghijklmnopqrst'


class Counter:
    def __init__(self, warmup, wanted):
        self.warmup, self.wanted = int(warmup), int(wanted)
        self.seen = 0
        self.cpu = self.wall = 0.0

    def count(self, data):
        if len(data) != len(PAYLOAD):
            sys.exit('a message of another length came')
        self.seen += 1
        if self.seen == self.warmup:
            self.cpu, self.wall = time.process_time(), time.monotonic()
        if self.seen == self.warmup + self.wanted:
            print(json.dumps({'cpu_us': (time.process_time() - self.cpu) * 1e6 / self.wanted,
                              'rate': self.wanted / (time.monotonic() - self.wall)}), flush=True)
            os._exit(0)


async def receive(url, warmup, wanted):
    counter = Counter(warmup, wanted)
    async with websockets.connect(url) as socket:
        async for message in socket:
            counter.count(message)


async def send(url, warmup, wanted, window):
    counter = Counter(warmup, wanted)
    async with websockets.connect(url) as socket:
        for _ in range(int(window)):
            await socket.send(PAYLOAD)
        async for message in socket:
            counter.count(message)
            await socket.send(PAYLOAD)


async def chunks(url):
    async with websockets.connect(url, max_size=None) as socket:
        print(json.dumps({'bytes': len(await socket.recv()), 'chunks': 1}))


async def hold(url):
    held = []
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        while len(held) < int(line):
            count = min(64, int(line) - len(held))
            held += await asyncio.gather(*(websockets.connect(url) for _ in range(count)))
        print(json.dumps({'open': len(held)}), flush=True)
    os._exit(0)


async def once(url, ca=None):
    options = {'ssl': ssl.create_default_context(cafile=ca)} if ca else {}
    async with websockets.connect(url, **options) as socket:
        await socket.send('x')
        print(await socket.recv())


asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
