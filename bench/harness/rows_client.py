"""What is measured of clients: the library's and the program's, beside npm ws and python3-websockets."""

import time

from .processes import CLIENT_CPU, Program
from .rows import MB, Check, Row

GIB = 1 << 30
CLIENTS = ('duplex', 'ws', 'websockets')


class Messages(Row):
    """A client of one connection to the same C server (`bench/load/feed.c`); the client counts its own processor time."""
    servers = CLIENTS
    columns = (('cpu_us', "client's CPU, µs a message", '{:.3f}'), ('rate', 'messages/s', '{:,.0f}'))
    counts = {}
    window = ()
    path = ''

    def measure(self, bench, name):
        count = self.counts[name] // (4 if bench.quick else 1)
        with bench.feed() as server:
            return bench.client(name, self.mode, server.url('ws', self.path), str(count // 5), str(count), *self.window)


class Receive(Messages):
    name = 'client-receive'
    title = 'a client that receives messages of 20 B'
    detail = ('The server sends text messages without pause, 4,096 in one call. The client’s own processor time over the window; '
              'all of it in the kernel counts.')
    mode = 'receive'
    path = '/flood'
    counts = {'duplex': 5_000_000, 'ws': 1_000_000, 'websockets': 100_000}
    checks = (Check('CPU a message × npm ws', 'cpu_us', most=0.2, against='ws'),
              Check('CPU a message × python3-websockets', 'cpu_us', against='websockets'))


class Send(Messages):
    name = 'client-send'
    title = 'a client that sends messages of 20 B, 64 under way'
    detail = ('Each message is echoed by the same server, all that one read has brought in one send; each echo releases the next '
              'message. So a message is one sent and one received.')
    mode = 'send'
    path = '/echo'
    window = ('64',)
    counts = {'duplex': 1_000_000, 'ws': 100_000, 'websockets': 40_000}
    checks = Receive.checks


class Big(Row):
    name = 'client-big'
    title = 'a client that receives one message of 1 GiB'
    detail = ('Duplex by `on_chunk`, in pieces as they come; npm ws and python3-websockets know whole messages only (their limits '
              'switched off), and take seconds and gigabytes: they are measured once. Peak resident bytes of the process. The same with 1 MiB shows what the process needs anyway.')
    servers = CLIENTS
    columns = (('peak_mb', 'peak resident, MB', '{:,.2f}'), ('small_mb', 'the same with 1 MiB, MB', '{:,.2f}'),
               ('wall_ms', 'ms', '{:,.0f}'), ('cpu_ms', "client's CPU, ms", '{:,.0f}'))
    checks = (Check('peak with 1 GiB less peak with 1 MiB, MB', 'grown_mb', most=1),
              Check('peak × npm ws', 'peak_mb', against='ws'))

    def order(self, bench, run_number):
        names = super().order(bench, run_number)
        return names if run_number == 0 else [name for name in names if name == 'duplex']

    def measure(self, bench, name):
        with bench.feed() as server:
            small = bench.spend(1, *bench.client_argv(name, 'chunks', server.url('ws', f'/big/{1 << 20}')))
            result = bench.spend(1, *bench.client_argv(name, 'chunks', server.url('ws', f'/big/{GIB}')))
        return {**result, 'small_mb': small['peak_mb'], 'grown_mb': result['peak_mb'] - small['peak_mb']}


class Once(Row):
    name = 'connect-once'
    title = '`duplex connect --send x --expect 1`'
    detail = ('From before the fork to the end, median of 9 each run, against `duplex echo`; peak resident bytes, shared pages counted. '
              'The others are scripts that do the same. wss: each verifies the certificate with a bundle of authorities: the '
              'system’s and the test’s own, in one file (the scripts: the test’s own alone).')
    servers = CLIENTS
    columns = (('ws_ms', 'ws: ms', '{:.1f}'), ('ws_mb', 'ws: peak, MB', '{:.1f}'),
               ('wss_ms', 'wss: ms', '{:.1f}'), ('wss_mb', 'wss: peak, MB', '{:.1f}'))
    checks = (Check('ws: ms', 'ws_ms', most=16), Check('ws: peak resident, MB', 'ws_mb', most=8),
              Check('wss: ms', 'wss_ms', most=40), Check('wss: peak resident, MB', 'wss_mb', most=11),
              Check('ws: time × npm ws', 'ws_ms', against='ws'), Check('wss: time × npm ws', 'wss_ms', against='ws'))

    def order(self, bench, run_number):
        names = [] if bench.peers_only else super().order(bench, run_number)  # the server is Duplex's own
        return names if bench.has_command('connect') else [name for name in names if name != 'duplex']

    def argv(self, bench, name, url, bundle, certificate):
        if name == 'duplex':
            ca = [f'--ca={bundle}'] if bundle else []
            return [bench.duplex, 'connect', '--send', 'x', '--expect', '1', *ca, url]
        return bench.client_argv(name, 'once', url, *([certificate] if bundle else []))

    def measure(self, bench, name):
        times = 5 if bench.quick else 9
        certificate, _, bundle = bench.certificate()
        result = {}
        with bench.server('duplex', echo=True) as server:
            plain = bench.spend(times, *self.argv(bench, name, server.url('ws', '/'), None, None))
        with bench.tls_echo('duplex') as server:
            secure = bench.spend(times, *self.argv(bench, name, server.url('wss', '/'), bundle, certificate))
        for scheme, run in (('ws', plain), ('wss', secure)):
            result[f'{scheme}_ms'] = run['wall_ms']
            result[f'{scheme}_mb'] = run['peak_mb']
            result[f'{scheme}_cpu_ms'] = run['cpu_ms']
        return result


class Hold(Row):
    name = 'client-many'
    title = 'idle client connections of one process, slope 2,000 → 10,000'
    detail = ('Resident bytes of the client at 10,000 open WebSockets less those at 2,000, divided by 8,000; the server is '
              '`duplex echo`. Kernel memory is not in it. python3-websockets, the slowest to open so many, is measured once.')
    servers = CLIENTS
    columns = (('slope', 'bytes a connection', '{:,.0f}'), ('rss_mb', 'resident at 10,000, MB', '{:,.2f}'),
               ('seconds', 's to open 10,000', '{:.2f}'))
    checks = (Check('bytes a connection', 'slope'), Check('bytes × npm ws', 'slope', against='ws'),
              Check('bytes × python3-websockets', 'slope', against='websockets'))

    def order(self, bench, run_number):
        names = [] if bench.peers_only else super().order(bench, run_number)  # the server is Duplex's own
        return names if run_number == 0 else [name for name in names if name != 'websockets']

    def measure(self, bench, name):
        with bench.server('duplex', echo=True) as server:
            with Program(bench.client_argv(name, 'hold', server.url('ws', '/')), CLIENT_CPU, bench.env) as client:
                start = time.monotonic()
                client.ask('2000')
                time.sleep(0.3)
                few = client.memory()
                client.ask('10000')
                seconds = time.monotonic() - start - 0.3
                time.sleep(0.3)
                many = client.memory()
        return {'slope': (many - few) / 8000, 'rss_mb': many / MB, 'seconds': seconds}


ROWS = (Receive(), Send(), Big(), Once(), Hold())
