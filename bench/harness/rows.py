"""The rows: what one run of each measures, and what is demanded of it.

A row is a class with `run(bench)`, which measures every server once and returns
{server: {metric: value}}, and `checks`, which say what a floor compares. Runs are interleaved: each
run takes the servers in turn, every second run in the opposite order, so that a machine that is
slower for a minute is slower for all of them.
"""

import time

from .processes import BOTH, CLIENT_CPU, SERVER_CPU, BenchError, Holder

LINES = 4_000_000
FEWER_LINES = 400_000
PROGRAMS = 1000
MB = 1_000_000


class Check:
    """One floor: a metric of Duplex (or of another server), divided by another server's where
    one is named."""

    def __init__(self, text, metric, most=None, least=None, against=None, of='duplex'):
        self.text = text
        self.metric = metric
        self.most = most
        self.least = least
        self.against = against
        self.of = of

    def value(self, run):
        """The figure of one run, None where one of the two is missing."""
        try:
            own = run[self.of][self.metric]
            return own / run[self.against][self.metric] if self.against else own
        except KeyError:
            return None

    def holds(self, value):
        if self.most is not None:
            return value <= self.most
        return self.least is None or value >= self.least

    def floor(self):
        if self.most is not None:
            return f'≤ {self.most:g}'
        return f'≥ {self.least:g}' if self.least is not None else '–'


class Row:
    name = title = detail = ''
    columns = ()
    checks = ()
    servers = ()
    names = {}  # where a server is called otherwise than in report.py
    server_cpus = SERVER_CPU
    client_cpus = CLIENT_CPU

    def order(self, bench, run_number):
        names = [name for name in self.servers if bench.has(name)]
        return names if run_number % 2 == 0 else names[::-1]

    def run(self, bench, run_number):
        return {name: self.measure(bench, name) for name in self.order(bench, run_number)}

    def measure(self, bench, name):
        raise NotImplementedError


class Lines(Row):
    name = 'lines'
    title = '`cat` of 4,000,000 lines of 80 bytes to one client'
    detail = ('Lines of 80 bytes plus a newline (324 MB, in the page cache). The time runs from '
              'before the connection to the last byte of data. The bare socket is `cat` with '
              'the connection as its stdout. websocketd gets 400,000 of the lines; its rate '
              'does not depend on their number, and all of them would take 40 s.')
    servers = ('duplex', 'tcp', 'websocketd')
    columns = (('seconds', 's', '{:.3f}'), ('rate', 'lines/s', '{:,.0f}'),
               ('cpu_s', "server's CPU, s", '{:.3f}'))
    checks = (Check('lines/s × websocketd', 'rate', least=60, against='websocketd'),
              Check('time × bare TCP socket', 'seconds', most=2, against='tcp'))

    def measure(self, bench, name):
        lines = FEWER_LINES if name == 'websocketd' else LINES
        with bench.server(name, 'cat', bench.lines_file(lines), cpus=self.server_cpus) as server:
            result = bench.load.run('lines', server, cpus=self.client_cpus, raw=name == 'tcp')
        if result['bytes'] != lines * (81 if name == 'tcp' else 80):
            raise BenchError(f'{name}: {result["bytes"]} bytes came, not {lines} lines')
        if name == 'tcp':
            result['rate'] = lines / result['seconds']
            del result['cpu_s']
        elif result['messages'] != lines:
            raise BenchError(f'{name}: {result["messages"]} messages came')
        return result


class LinesBoth(Lines):
    name = 'lines-both'
    title = 'the same `cat`, nothing pinned'
    detail = 'As above, but server, program and client may each run on either core.'
    servers = ('duplex', 'tcp')
    server_cpus = client_cpus = BOTH
    checks = Lines.checks[1:]


class Starts(Row):
    name = 'starts'
    title = 'connect, start `/bin/true`, close, 8 at a time'
    detail = ('From the TCP connection to the end of the connection. The upper bound is a loop '
              'around `posix_spawn` with three pipes and 8 programs at a time, without a '
              'network.')
    servers = ('duplex', 'posix_spawn', 'websocketd')
    columns = (('rate', 'connections/s', '{:,.0f}'), ('cpu_us', "server's CPU, µs each", '{:.0f}'),
               ('children_cpu_us', "program's CPU, µs each", '{:.0f}'),
               ('p50_us', 'p50, µs', '{:,.0f}'), ('p99_us', 'p99, µs', '{:,.0f}'))
    checks = (Check('rate × websocketd', 'rate', least=1.0, against='websocketd'),
              Check('server’s CPU × websocketd', 'cpu_us', most=0.6, against='websocketd'),
              Check('rate × `posix_spawn`', 'rate', against='posix_spawn'))

    def measure(self, bench, name):
        seconds = 1 if bench.quick else 3
        if name == 'posix_spawn':
            return bench.tool(self.server_cpus, 'posix_spawn_rate', '8', str(seconds), '/bin/true')
        with bench.server(name, '/bin/true', cpus=self.server_cpus) as server:
            return bench.load.run('rate', server, cpus=self.client_cpus, connections=8,
                                  seconds=seconds)


class StartsBoth(Starts):
    name = 'starts-both'
    title = 'the same starts, nothing pinned'
    detail = 'As above, but server, programs and client may each run on either core.'
    server_cpus = client_cpus = BOTH


class OneCore(Row):
    name = 'one-core'
    title = 'echo through `cat`, 64 B, all on one core'
    detail = ('Server, program and client share core 0. One message in flight, 50,000 round '
              'trips.')
    servers = ('duplex', 'websocketd')
    columns = (('p50_us', 'p50, µs', '{:.1f}'), ('p90_us', 'p90, µs', '{:.1f}'),
               ('p99_us', 'p99, µs', '{:.1f}'), ('p999_us', 'p99.9, µs', '{:.1f}'),
               ('cpu_us', "server's CPU, µs each", '{:.1f}'))
    checks = (Check('p50 × websocketd', 'p50_us', most=0.9, against='websocketd'),
              Check('p99 × websocketd', 'p99_us', most=0.6, against='websocketd'))

    def measure(self, bench, name):
        with bench.server(name, 'cat') as server:
            return bench.load.run('ping', server, cpus={0}, size=64,
                                  count=10_000 if bench.quick else 50_000)


class Programs(Row):
    name = 'programs'
    title = '1,000 idle programs'
    detail = ('1,000 clients, each with its own waiting `cat`. Resident bytes of the server and '
              'its spawner, with shared pages counted in each process; the programs are '
              'excluded. `--max-programs=1000` (the default is 256).')
    servers = ('duplex', 'websocketd')
    columns = (('rss_mb', 'resident, MB', '{:.2f}'), ('pss_mb', 'proportional, MB', '{:.2f}'),
               ('base_mb', 'resident before, MB', '{:.2f}'))
    checks = (Check('resident, MB', 'rss_mb', most=10.6),
              Check('resident × websocketd', 'rss_mb', against='websocketd'))

    def measure(self, bench, name):
        options = ['--max-programs=1000'] if name == 'duplex' else []
        with bench.server(name, 'cat', options=options) as server:
            base = server.memory()['rss']
            with Holder(bench.load, server) as holder:
                holder.open(PROGRAMS)
                time.sleep(1)
                memory = server.memory()
                if len(server.programs()) != PROGRAMS:
                    raise BenchError(f'{name} runs {len(server.programs())} programs')
            deadline = time.monotonic() + 30
            while server.programs() and time.monotonic() < deadline:
                time.sleep(0.1)
        return {'rss_mb': memory['rss'] / MB, 'pss_mb': memory['pss'] / MB, 'base_mb': base / MB}


class Echo(Row):
    name = 'echo-64'
    title = '`duplex echo`, 20 B on 64 connections, CPU per message'
    detail = ('One message in flight on each connection. The raw TCP echo gets the same 26 '
              'bytes (a masked frame) and returns them unchanged, with epoll, one `recv` and '
              'one `send` per event. websocketd echoes through 64 `cat` processes, whose CPU '
              'time is not counted.')
    connections = 64
    servers = ('duplex', 'raw', 'uws', 'lws', 'ws', 'websocketd')
    columns = (
        ('cpu_us', "server's CPU, µs per message", '{:.2f}'),
        ('rate', 'messages/s', '{:,.0f}'),
    )
    checks = (
        Check('CPU × raw TCP echo', 'cpu_us', most=1.05, against='raw'),
        Check('CPU × uWebSockets', 'cpu_us', against='uws'),
        Check('CPU × libwebsockets', 'cpu_us', against='lws'),
        Check('CPU × npm ws', 'cpu_us', against='ws'),
    )

    def measure(self, bench, name):
        command = ('cat',) if name == 'websocketd' else ()
        with bench.server(name, *command, echo=True) as server:
            return bench.load.run('echo', server, connections=self.connections, raw=name == 'raw',
                                  seconds=1 if bench.quick else 3)


class EchoMany(Echo):
    name = 'echo-10000'
    title = '`duplex echo`, 20 B on 10,000 connections, CPU per message'
    detail = ('As above with 10,000 connections, one message in flight on each. The raw TCP '
              'echo is the same program, without WebSocket framing. libwebsockets is left out, '
              'because it polls all descriptors and takes minutes to accept so many '
              'connections.')
    connections = 10_000
    servers = ('duplex', 'raw', 'uws', 'ws')
    checks = (Check('CPU × raw TCP echo', 'cpu_us', most=1.06, against='raw'),
              Check('CPU × npm ws', 'cpu_us', against='ws'))


class Idle(Row):
    name = 'idle'
    title = 'idle connections, slope from 5,000 to 15,000, pings on'
    detail = ('Resident bytes at 15,000 connections minus those at 5,000, divided by 10,000. '
              'Duplex is read after every connection has been pinged and has answered (each 5 s '
              'here, to keep the run short; 30 s by default). uWebSockets pings later than the '
              'run ends, and the others do not ping by default. Kernel memory is not included.')
    servers = ('duplex', 'raw', 'uws', 'ws')
    columns = (
        ('slope', 'bytes per connection', '{:,.0f}'),
        ('base_mb', 'resident before, MB', '{:.2f}'),
        ('rss_mb', 'resident at 15,000, MB', '{:.2f}'),
    )
    checks = (Check('bytes per connection', 'slope', most=400),)

    def level(self, bench, name, server, holder, count):
        """Resident bytes with count connections open, each pinged once."""
        seen = holder.open(count)
        wanted = seen['pings'] + count
        deadline = time.monotonic() + 70
        time.sleep(0.5)
        while name == 'duplex' and holder.open(0)['pings'] < wanted:
            if time.monotonic() > deadline:
                raise BenchError(f'{holder.open(0)["pings"]} pings came, {wanted} were due')
            time.sleep(0.2)
        # The last pings' pongs are still on their way.
        time.sleep(0.5)
        if holder.open(0)['lost']:
            raise BenchError(f'{name} dropped idle connections')
        return server.memory()['rss']

    def measure(self, bench, name):
        options = [f'--ping-interval={2 if bench.quick else 5}s'] if name == 'duplex' else []
        with bench.server(name, echo=True, options=options) as server:
            base = server.memory()['rss']
            with Holder(bench.load, server, cpus=BOTH, raw=name == 'raw') as holder:
                few = self.level(bench, name, server, holder, 5000)
                many = self.level(bench, name, server, holder, 15000)
        return {'slope': (many - few) / 10_000, 'base_mb': base / MB, 'rss_mb': many / MB}


class Resident(Row):
    name = 'resident'
    title = '`duplex echo` and one program, idle'
    detail = ('Resident bytes, with shared pages counted in each process: `duplex echo` without '
              'a connection; `duplex serve cat` with its spawner and one client, without and '
              'with `cat` itself; and everything together. The target applies to each server '
              'with all of its own processes.')
    servers = ('duplex', 'websocketd')
    columns = (
        ('echo_mb', 'echo, MB', '{:.2f}'),
        ('serve_mb', 'server of one program, MB', '{:.2f}'),
        ('program_mb', 'the program, MB', '{:.2f}'),
        ('all_mb', 'all, MB', '{:.2f}'),
    )
    checks = (
        Check('`duplex echo`, MB', 'echo_mb', most=8),
        Check('`duplex serve` and spawner with one program, MB', 'serve_mb', most=8),
        Check('echo, serve, spawner and program together, MB', 'all_mb'),
    )

    def measure(self, bench, name):
        result = {}
        if name == 'duplex':
            with bench.server(name, echo=True) as server:
                time.sleep(0.5)
                result['echo_mb'] = server.memory()['rss'] / MB
        with bench.server(name, 'cat') as server, Holder(bench.load, server) as holder:
            holder.open(1)
            time.sleep(0.5)
            result['serve_mb'] = server.memory()['rss'] / MB
            result['program_mb'] = server.programs_memory() / MB
        result['all_mb'] = sum(result.values())
        return result


class Attacks(Row):
    name = 'attacks'
    title = "another client's round trips during an attack"
    detail = ('One client echoes 20 B with one message in flight, while other clients attack '
              'the same echo server: 8 send pings of 125 bytes without pause (ping); 8 send 1 '
              'KiB messages and never read (silent); 64 send one byte per segment (drip); 4 '
              'send messages of 4 MiB and read the echoes (big). The attackers run at nice 19 '
              'on the same core as the honest client.')
    servers = ('duplex', 'lws', 'ws')
    kinds = (
        ('none', {}),
        ('ping', {'connections': 8}),
        ('silent', {'connections': 8, 'size': 1024}),
        ('drip', {'connections': 64, 'size': 65536}),
        ('big', {'connections': 4, 'size': 4 << 20}),
    )
    columns = tuple(
        (f'{kind}_{part}', f'{kind} {part}', '{:,.0f}')
        for kind, _ in kinds
        for part in ('p50_us', 'p99_us')
    )
    checks = ()

    def measure(self, bench, name):
        seconds = 1 if bench.quick else 2
        result = {}
        for kind, options in self.kinds:
            with bench.server(name, echo=True) as server:
                attacker = None
                if kind != 'none':
                    attacker = bench.load.start('attack', server, nice=19, kind=kind,
                                                seconds=seconds + 2, **options)
                    attacker.stdout.readline()
                try:
                    honest = bench.load.run('ping', server, seconds=seconds)
                    result[f'{kind}_p50_us'] = honest['p50_us']
                    result[f'{kind}_p99_us'] = honest['p99_us']
                    result[f'{kind}_max_us'] = honest['max_us']
                finally:
                    if attacker:
                        attacker.communicate(timeout=60)
        return result


ROWS = (
    Lines(),
    LinesBoth(),
    Starts(),
    StartsBoth(),
    OneCore(),
    Programs(),
    Echo(),
    EchoMany(),
    Idle(),
    Resident(),
    Attacks(),
)
