"""What is measured of the library's server half: topics, TLS, files."""

import http.client
import shutil
import ssl
import subprocess
import time

from .processes import BOTH, BenchError, Holder
from .rows import MB, Check, Row

SUBSCRIBERS = 10_000
FEWER_SUBSCRIBERS = 1_000


def system_calls_of(pid, run):
    """Calls that send, of all threads of the process, while run() runs; None without strace."""
    if shutil.which('strace') is None:
        return None
    calls = 'sendto,sendmsg,sendmmsg,write,writev'
    tracer = subprocess.Popen(
        ['strace', '-f', '-qq', '-c', '-U', 'calls,name', '-e', f'trace={calls}', '-p', str(pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 10
    while tracer_of(pid) != tracer.pid:
        if tracer.poll() is not None or time.monotonic() > deadline:
            tracer.kill()
            tracer.wait()
            return None
        time.sleep(0.01)
    try:
        run()
    finally:
        tracer.send_signal(2)
        _, table = tracer.communicate(timeout=30)
    return sum(int(line.split()[0]) for line in table.splitlines()
               if line.split()[-1:] and line.split()[-1] in calls.split(','))


def tracer_of(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8', errors='replace') as file:
        for line in file:
            if line.startswith('TracerPid:'):
                return int(line.split()[1])
    return 0


class Fan(Row):
    name = 'fan-out'
    title = '100 B to 10,000 subscribers'
    detail = ('Each message of one client goes to all others. Duplex is '
              '`bench/duplex/fan_server.c`, a server with one thread and one topic. The bare '
              'server (`bench/peers/raw_fan.c`) sends a ready frame to each socket, with one '
              '`send` for everything that one read has brought. npm ws loops over its clients, '
              "as its documentation shows. The time runs from before the publisher's `send` "
              'until the last of 10,000 clients has read the last byte; the reading client has '
              'a core of its own. A burst is 8 messages in one `send`. System calls that send '
              'are counted by `strace` with 1,000 subscribers. No pings.')
    servers = ('duplex', 'raw', 'ws')
    names = {'raw': 'bare epoll server'}
    columns = (
        ('cpu_us', "server's CPU, µs per delivery", '{:.2f}'),
        ('last_ms', 'to the last, ms', '{:.1f}'),
        ('burst_cpu_us', 'burst: CPU, µs per delivery', '{:.2f}'),
        ('burst_last_ms', 'burst: to the last, ms', '{:.1f}'),
        ('calls', 'burst: system calls per delivery', '{:.3f}'),
    )
    checks = (
        Check('CPU per delivery × bare epoll', 'cpu_us', against='raw'),
        Check('CPU per delivery × npm ws', 'cpu_us', against='ws'),
        Check('time to the last × bare epoll', 'last_ms', against='raw'),
        Check('burst of 8: CPU per delivery × bare epoll', 'burst_cpu_us', against='raw'),
        Check('burst of 8: CPU per delivery × npm ws', 'burst_cpu_us', against='ws'),
        Check('burst of 8: system calls per delivery', 'calls'),
    )

    is_first = True

    def command(self, name):
        return {'duplex': ('fan_server', '1'), 'two': ('fan_server', '2', 'apart'),
                'raw': ('raw_fan', '106', '100'), 'ws': ('ws_fan',)}[name]

    def measure(self, bench, name):
        options = {'size': 100, 'window': 8, 'raw': name == 'raw', 'cpus': self.client_cpus}
        bursts = 3 if bench.quick or name == 'ws' else 7
        with bench.helper(name, *self.command(name), cpus=self.server_cpus) as server:
            result = bench.load.run('fan', server, connections=SUBSCRIBERS, count=bursts, **options)
        calls = self.calls(bench, name, options) if self.is_first else None
        return result if calls is None else {**result, 'calls': calls}

    def run(self, bench, run_number):
        self.is_first = run_number == 0  # a count does not need seven runs
        return super().run(bench, run_number)

    def calls(self, bench, name, options):
        """System calls per delivery in a burst; what opening takes is in both counts."""
        counts = []
        for count in (1, 5):
            with bench.helper(name, *self.command(name), cpus=self.server_cpus) as server:
                counts.append(
                    system_calls_of(
                        server.process.pid,
                        lambda count=count: bench.load.run(
                            'fan',
                            server,
                            kind='burst',
                            connections=FEWER_SUBSCRIBERS,
                            count=count,
                            **options,
                        ),
                    )
                )
        return None if None in counts else (counts[1] - counts[0]) / (4 * 8 * FEWER_SUBSCRIBERS)


class FanThreads(Fan):
    name = 'fan-threads'
    title = 'the same fan-out from a third thread to two loops'
    detail = ('As above with nothing pinned: server and client may each run on either of the '
              "machine's two cores. Duplex on two loops has `threads = 2`, and a thread without "
              'a loop publishes the messages that it is given. Duplex on one loop publishes on '
              'that loop.')
    servers = ('two', 'duplex', 'raw')
    names = {'duplex': 'Duplex on one loop', 'raw': 'bare epoll server'}
    server_cpus = client_cpus = BOTH
    columns = Fan.columns[:4]
    checks = (
        Check('CPU per delivery, two loops × one', 'cpu_us', of='two', against='duplex'),
        Check('time to the last, two loops × one', 'last_ms', of='two', against='duplex'),
        Check('CPU per delivery, two loops × bare epoll', 'cpu_us', of='two', against='raw'),
        Check(
            'burst of 8: CPU per delivery, two loops × one',
            'burst_cpu_us',
            of='two',
            against='duplex',
        ),
    )

    def calls(self, bench, name, options):
        return None


class TlsEcho(Row):
    name = 'tls-echo'
    title = 'TLS echo, 64 connections'
    detail = ('One message in flight on each connection; TLS 1.3 with TLS_AES_128_GCM_SHA256, '
              'OpenSSL everywhere. The bare echo (`bench/peers/tls_echo.c`: epoll, `SSL_read`, '
              '`SSL_write`) gets the same masked frames and returns them unchanged.')
    servers = ('duplex', 'tls', 'ws')
    columns = (
        ('cpu_us', '20 B: server’s CPU, µs per message', '{:.2f}'),
        ('rate', '20 B: messages/s', '{:,.0f}'),
        ('big_cpu_us', '16 KiB: CPU, µs per message', '{:.2f}'),
        ('big_rate', '16 KiB: messages/s', '{:,.0f}'),
    )
    checks = (
        Check('20 B: CPU × bare OpenSSL echo', 'cpu_us', against='tls'),
        Check('16 KiB: CPU × bare OpenSSL echo', 'big_cpu_us', against='tls'),
        Check('20 B: CPU × npm ws', 'cpu_us', against='ws'),
        Check('16 KiB: CPU × npm ws', 'big_cpu_us', against='ws'),
    )

    def measure(self, bench, name):
        seconds = 1 if bench.quick else 2
        with bench.tls_echo(name) as server:
            result = bench.load.run(
                'echo', server, tls=True, raw=name == 'tls', connections=64, seconds=seconds
            )
            big = bench.load.run(
                'echo',
                server,
                tls=True,
                raw=name == 'tls',
                connections=64,
                seconds=seconds,
                size=16384,
            )
        return {**result, 'big_cpu_us': big['cpu_us'], 'big_rate': big['rate']}


class TlsIdle(Row):
    name = 'tls-idle'
    title = 'idle TLS connections, slope from 250 to 1,250'
    detail = ('Resident bytes at 1,250 open WebSockets minus those at 250, divided by 1,000; '
              'TLS 1.3, no message sent. Kernel memory is not included. Idle WebSockets without '
              'TLS have a row of their own.')
    servers = ('duplex', 'tls', 'ws')
    columns = (
        ('slope', 'bytes per connection', '{:,.0f}'),
        ('rss_mb', 'resident at 1,250, MB', '{:.2f}'),
    )
    checks = (
        Check('bytes per connection', 'slope', most=16384),
        Check('bytes × npm ws', 'slope', against='ws'),
    )

    def measure(self, bench, name):
        with bench.tls_echo(name) as server, Holder(bench.load, server, cpus=BOTH, tls=True,
                                                    raw=name == 'tls') as holder:
            levels = []
            for count in (250, 1250):
                holder.open(count)
                time.sleep(0.5)
                if holder.open(0)['lost']:
                    raise BenchError(f'{name} dropped idle connections')
                levels.append(server.memory()['rss'])
        return {'slope': (levels[1] - levels[0]) / 1000, 'rss_mb': levels[1] / MB}


NGINX = '''daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 4096;
error_log {scratch}/nginx-error.log;
pid {scratch}/nginx.pid;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    default_type application/octet-stream;
    client_body_temp_path {scratch}/nginx-body;
    proxy_temp_path {scratch}/nginx-proxy;
    fastcgi_temp_path {scratch}/nginx-fastcgi;
    uwsgi_temp_path {scratch}/nginx-uwsgi;
    scgi_temp_path {scratch}/nginx-scgi;
    server {{
        listen 127.0.0.1:@PORT@{tls};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        root {root};
    }}
}}
'''


SIZES = (('1 KiB', 1024), ('64 KiB', 65536), ('10 MiB', 10485760))


class Files(Row):
    name = 'files-http'
    title = 'static files over HTTP, 16 kept-alive connections'
    detail = ('Files of 1 KiB, 64 KiB and 10 MiB from the page cache. `duplex serve --static` '
              'and nginx each have one process on one core and log no requests. nginx: one '
              'worker, `sendfile on`, otherwise default settings (no `open_file_cache`). The '
              'client discards bodies without copying them.')
    servers = ('duplex', 'nginx')
    columns = tuple(
        (f'{size}_{part}', f'{title}: {unit}', '{:,.0f}')
        for title, size in SIZES
        for part, unit in (
            ('rate', 'answers/s') if size < 1 << 20 else ('mb_s', 'MB/s'),
            ('cpu_us', 'CPU, µs each'),
        )
    )
    checks = tuple(
        Check(f'{title}: {what} × nginx', f'{size}_{part}', against='nginx')
        for title, size in SIZES
        for part, what in (('rate', 'rate'), ('cpu_us', 'CPU'))
    )
    is_tls = False

    def compare(self, server, size, root):
        """Once: the very bytes of the file."""
        if self.is_tls:
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(
                '127.0.0.1', server.port, timeout=10, context=context
            )
        else:
            connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=10)
        connection.request('GET', f'/{size}.bin')
        body = connection.getresponse().read()
        connection.close()
        if body != (root / f'{size}.bin').read_bytes():
            raise BenchError(f'{server.name} serves other bytes')

    def measure(self, bench, name):
        root = bench.files_folder([size for _, size in SIZES])
        result = {}
        with bench.file_server(name, root, self.is_tls) as server:
            for _, size in SIZES:
                self.compare(server, size, root)
                run = bench.load.run(
                    'get',
                    server,
                    tls=self.is_tls,
                    connections=16,
                    size=size,
                    path=f'/{size}.bin',
                    warmup=0.2,
                    seconds=0.5 if bench.quick else 1,
                )
                for part in ('rate', 'mb_s', 'cpu_us', 'busy'):
                    result[f'{size}_{part}'] = run[part]
        return result


class FilesTls(Files):
    name = 'files-https'
    title = 'static files over HTTPS, 16 kept-alive connections'
    detail = ('As above with TLS 1.3 and TLS_AES_128_GCM_SHA256. The client decrypts on the '
              'other core.')
    is_tls = True


ROWS = (Fan(), FanThreads(), TlsEcho(), TlsIdle(), Files(), FilesTls())
