"""What the figures belong to: machine, kernel, versions."""

import os
import platform
import re
import subprocess


def output_of(*argv, cwd=None):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, cwd=cwd, check=False)
    except FileNotFoundError:
        return ''
    return (done.stdout or done.stderr).strip()


def package(name):
    found = output_of('dpkg-query', '-W', '-f', '${Version}', name)
    return found if re.match(r'[0-9]', found) else ''


def cpu():
    with open('/proc/cpuinfo', encoding='ascii') as file:
        fields = dict(re.findall(r'^(.*?)\s*: (.*)$', file.read(), re.M))
    return (f"{fields.get('model name', '?')} family {fields.get('cpu family', '?')} "
            f"model {fields.get('model', '?')}, {os.cpu_count()} cores")


def is_virtual():
    with open('/proc/cpuinfo', encoding='ascii') as file:
        return ' hypervisor' in file.read()


def memory_gib():
    return round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30)


def describe(root, ws_folder):
    changed = output_of('git', 'status', '--porcelain', '--untracked-files=no', '--', 'src', 'cli',
                        'include', 'bench', cwd=root)
    ws_version = ''
    if ws_folder:
        ws_version = output_of(
            'node', '-p', f'require({str(ws_folder)!r} + "/package.json").version'
        )
    return {
        'cpu': cpu(),
        'memory_gib': memory_gib(),
        'virtual': is_virtual(),
        'kernel': platform.release(),
        'compiler': output_of('gcc', '--version').splitlines()[0],
        'commit': output_of('git', 'rev-parse', '--short', 'HEAD', cwd=root)
                  + (' with changes' if changed else ''),
        'libuv': package('libuv1-dev'),
        'openssl': package('libssl-dev'),
        'websocketd': package('websocketd'),
        'libwebsockets': package('libwebsockets-dev'),
        'nginx': package('nginx-light'),
        'websockets': package('python3-websockets'),
        'node': output_of('node', '--version'),
        'ws': ws_version,
    }
