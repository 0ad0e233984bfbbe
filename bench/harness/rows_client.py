"""What is measured of clients: the library's and the program's, beside npm ws and
python3-websockets."""

import time
from statistics import median

from .processes import CLIENT_CPU, Program, first_reply
from .rows import MB, Check, Row

GIB = 1 << 30
CLIENTS = ('duplex', 'ws', 'websockets')


class Messages(Row):
    """A client of one connection to the same C server (`bench/load/feed.c`); the client counts
    its own processor time."""
    servers = CLIENTS
    columns = (
        ('cpu_us', "client's CPU, µs per message", '{:.3f}'),
        ('rate', 'messages/s', '{:,.0f}'),
    )
    counts = {}
    window = ()
    path = ''

    def measure(self, bench, name):
        count = self.counts[name] // (4 if bench.quick else 1)
        with bench.feed() as server:
            return bench.client(
                name,
                self.mode,
                server.url('ws', self.path),
                str(count // 5),
                str(count),
                *self.window,
            )


class Receive(Messages):
    name = 'client-receive'
    title = 'a client that receives messages of 20 B'
    detail = ('The server sends text messages without pause, 4,096 in one call. The figure is '
              "the client's own processor time over the window, kernel time included.")
    mode = 'receive'
    path = '/flood'
    counts = {'duplex': 5_000_000, 'ws': 1_000_000, 'websockets': 100_000}
    checks = (Check('CPU per message × npm ws', 'cpu_us', most=0.2, against='ws'),
              Check('CPU per message × python3-websockets', 'cpu_us', against='websockets'))


class Send(Messages):
    name = 'client-send'
    title = 'a client that sends messages of 20 B, 64 in flight'
    detail = ('The same server echoes each message, and sends everything that one read has '
              'brought in one call. Each echo releases the next message, so one message is one '
              'sent and one received.')
    mode = 'send'
    path = '/echo'
    window = ('64',)
    counts = {'duplex': 1_000_000, 'ws': 100_000, 'websockets': 40_000}
    checks = Receive.checks


class Big(Row):
    name = 'client-big'
    title = 'a client that receives one message of 1 GiB'
    detail = ('Duplex receives the message in pieces, by `on_chunk`. npm ws and '
              'python3-websockets know whole messages only (with their limits switched off). '
              'They take seconds and gigabytes, so they are measured once. Peak resident bytes '
              'of the process; the same with 1 MiB shows what the process needs in any case.')
    servers = CLIENTS
    columns = (
        ('peak_mb', 'peak resident, MB', '{:,.2f}'),
        ('small_mb', 'the same with 1 MiB, MB', '{:,.2f}'),
        ('wall_ms', 'ms', '{:,.0f}'),
        ('cpu_ms', "client's CPU, ms", '{:,.0f}'),
    )
    checks = (
        Check('peak with 1 GiB minus peak with 1 MiB, MB', 'grown_mb', most=1),
        Check('peak × npm ws', 'peak_mb', against='ws'),
    )

    def order(self, bench, run_number):
        names = super().order(bench, run_number)
        return names if run_number == 0 else [name for name in names if name == 'duplex']

    def measure(self, bench, name):
        with bench.feed() as server:
            small = bench.spend(
                1, *bench.client_argv(name, 'chunks', server.url('ws', f'/big/{1 << 20}'))
            )
            result = bench.spend(
                1, *bench.client_argv(name, 'chunks', server.url('ws', f'/big/{GIB}'))
            )
        return {
            **result,
            'small_mb': small['peak_mb'],
            'grown_mb': result['peak_mb'] - small['peak_mb'],
        }


class Once(Row):
    name = 'connect-once'
    title = '`duplex connect --send x --expect 1`'
    detail = ('From before the fork to the end, median of 9 in each run, against `duplex echo`. '
              'Peak resident bytes, shared pages included. The peers are scripts that do the '
              'same. With wss each client verifies the certificate: `duplex` with a bundle of '
              "the system's authorities and the test's own, the scripts with the test's own "
              'alone.')
    servers = CLIENTS
    columns = (
        ('ws_ms', 'ws: ms', '{:.1f}'),
        ('ws_mb', 'ws: peak, MB', '{:.1f}'),
        ('wss_ms', 'wss: ms', '{:.1f}'),
        ('wss_mb', 'wss: peak, MB', '{:.1f}'),
    )
    checks = (
        Check('ws: ms', 'ws_ms', most=16),
        Check('ws: peak resident, MB', 'ws_mb', most=8),
        Check('wss: ms', 'wss_ms', most=40),
        Check('wss: peak resident, MB', 'wss_mb', most=11),
        Check('ws: time × npm ws', 'ws_ms', against='ws'),
        Check('wss: time × npm ws', 'wss_ms', against='ws'),
    )

    def order(self, bench, run_number):
        names = (
            [] if bench.peers_only else super().order(bench, run_number)
        )  # the server is Duplex's own
        return (
            names if bench.has_command('connect') else [name for name in names if name != 'duplex']
        )

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
            secure = bench.spend(
                times, *self.argv(bench, name, server.url('wss', '/'), bundle, certificate)
            )
        for scheme, run in (('ws', plain), ('wss', secure)):
            result[f'{scheme}_ms'] = run['wall_ms']
            result[f'{scheme}_mb'] = run['peak_mb']
            result[f'{scheme}_cpu_ms'] = run['cpu_ms']
        return result


class FirstReply(Row):
    name = 'first-reply'
    title = '`duplex connect` from its start to the first reply'
    detail = ('From before the fork until the client prints the echo of “hello”; then the '
              'processor time of all its threads and its peak of resident bytes are read. '
              'Median of 9 in each run, against `duplex echo`. wscat runs as `wscat -c URL -x '
              'hello -w 1`.')
    servers = ('duplex', 'wscat')
    columns = (('wall_ms', 'ms', '{:.1f}'), ('cpu_ms', "client's CPU, ms", '{:.1f}'),
               ('peak_mb', 'peak resident, MB', '{:.1f}'))
    checks = (Check('CPU × wscat', 'cpu_ms', against='wscat'),
              Check('peak resident × wscat', 'peak_mb', against='wscat'))

    def measure(self, bench, name):
        with bench.server('duplex', echo=True) as server:
            url = server.url('ws', '/')
            argv = {
                'duplex': [bench.duplex, 'connect', '--send=hello', '--linger=1s', url],
                'wscat': [
                    str(bench.build / 'node_modules' / '.bin' / 'wscat'),
                    '-c',
                    url,
                    '-x',
                    'hello',
                    '-w',
                    '1',
                ],
            }[name]
            seen = [first_reply(argv, b'hello', CLIENT_CPU) for _ in range(3 if bench.quick else 9)]
        return {metric: median(one[metric] for one in seen) for metric, _, _ in self.columns}


class Hold(Row):
    name = 'client-many'
    title = 'idle client connections of one process, slope from 2,000 to 10,000'
    detail = ('Resident bytes of the client at 10,000 open WebSockets minus those at 2,000, '
              'divided by 8,000. The server is `duplex echo`. Kernel memory is not included. '
              'python3-websockets is the slowest to open so many connections and is measured '
              'once.')
    servers = CLIENTS
    columns = (
        ('slope', 'bytes per connection', '{:,.0f}'),
        ('rss_mb', 'resident at 10,000, MB', '{:,.2f}'),
        ('seconds', 's to open 10,000', '{:.2f}'),
    )
    checks = (
        Check('bytes per connection', 'slope'),
        Check('bytes × npm ws', 'slope', against='ws'),
        Check('bytes × python3-websockets', 'slope', against='websockets'),
    )

    def order(self, bench, run_number):
        names = (
            [] if bench.peers_only else super().order(bench, run_number)
        )  # the server is Duplex's own
        return names if run_number == 0 else [name for name in names if name != 'websockets']

    def measure(self, bench, name):
        with bench.server('duplex', echo=True) as server:
            with Program(
                bench.client_argv(name, 'hold', server.url('ws', '/')), CLIENT_CPU, bench.env
            ) as client:
                start = time.monotonic()
                client.ask('2000')
                time.sleep(0.3)
                few = client.memory()
                client.ask('10000')
                seconds = time.monotonic() - start - 0.3
                time.sleep(0.3)
                many = client.memory()
        return {'slope': (many - few) / 8000, 'rss_mb': many / MB, 'seconds': seconds}


ROWS = (Receive(), Send(), Big(), Once(), FirstReply(), Hold())
