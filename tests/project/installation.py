#!/usr/bin/env python3
"""`meson install` puts down what is listed here and works with pkg-config alone; `ninja uninstall`
takes all of it away.

usage: installation.py ROOT BUILD
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import talk  # noqa: E402

root, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
sys.path.insert(0, str(root / 'script'))
import headers  # noqa: E402 (it lies in script/)

public = headers.read_all(root)
version = next(h for h in public if h.stem == 'version').text.split('DX_VERSION "')[1].split('"')[0]
options = {
    o['name']: o['value']
    for o in json.loads(
        subprocess.run(
            ['meson', 'introspect', '--buildoptions', build],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
}

expected = {
    'bin/duplex',
    'libexec/duplex/duplex-spawner',
    'LIB/libduplex.a',
    'LIB/libduplex.so',
    'LIB/libduplex.so.0',
    f'LIB/libduplex.so.{version}',
    'LIB/pkgconfig/duplex.pc',
    'LIB/pkgconfig/duplex-uv.pc',
    'share/bash-completion/completions/duplex',
    'share/fish/vendor_completions.d/duplex.fish',
    'share/zsh/site-functions/_duplex'
    if options['prefix'] != '/usr'
    else 'share/zsh/vendor-completions/_duplex',
    'share/man/man1/duplex.1',
    'share/man/man1/duplex-serve.1',
    'share/man/man1/duplex-echo.1',
    'share/man/man1/duplex-connect.1',
}
expected |= {f'include/duplex/{header.stem}.h' for header in public}
expected |= {f'share/man/man3/{name}.3' for name in headers.manual_pages(public)}
expected = {
    name.replace('LIB', options['libdir'], 1) if name.startswith('LIB') else name
    for name in expected
}

scratch = Path(tempfile.mkdtemp())
destination = scratch / 'destination'
prefix = destination / options['prefix'].lstrip('/')
library = prefix / options['libdir']
modules = {
    **os.environ,
    'PKG_CONFIG_PATH': str(library / 'pkgconfig'),
    'PKG_CONFIG_SYSROOT_DIR': str(destination),
}
failures = []


def run(command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f'{command}\n{done.stdout}{done.stderr}')
    return done.stdout


def pkg_config(*arguments):
    return run(['pkg-config', *arguments], env=modules).split()


def programs():
    """The same program by three compilers, with the shared library and with the archive; each
    answers."""
    example = root / 'examples' / 'echo.c'
    count = 0
    for compiler in (
        ['gcc', '-std=gnu11'],
        ['clang', '-std=gnu11'],
        ['g++', '-std=c++17', '-x', 'c++'],
    ):
        for kind in 'shared', 'static':
            program = scratch / 'echo'
            flags = pkg_config(
                '--cflags', '--libs', *(['--static'] if kind == 'static' else []), 'duplex'
            )
            if kind == 'static':
                flags = [
                    str(library / 'libduplex.a') if flag == '-lduplex' else flag for flag in flags
                ]
            none = ['-x', 'none'] if 'g++' in compiler else []
            run(
                compiler + ['-Wall', '-Wextra', '-Werror', example] + none + flags + ['-o', program]
            )
            needs = run(['readelf', '-d', program])
            if ('libduplex.so.0' in needs) != (kind == 'shared'):
                failures.append(f'{compiler[0]}, {kind}: {needs}')
            server, port = talk.start(
                [program, '0'], env={**os.environ, 'LD_LIBRARY_PATH': str(library)}
            )
            try:
                talk.echo(talk.connect(port))
                count += 1
            finally:
                server.kill()
                server.wait()
    source = scratch / 'uv.c'
    source.write_text(
        '#include <duplex/uv.h>\nint main(void) { struct dx_loop *loop; uv_loop_t uv;\n'
        'return uv_loop_init(&uv) || dx_loop_new_on_uv(&uv, &loop); }\n'
    )
    run(['gcc', source] + pkg_config('--cflags', '--libs', 'duplex-uv') + ['-o', scratch / 'uv'])
    run([scratch / 'uv'], env={**os.environ, 'LD_LIBRARY_PATH': str(library)})
    return count + 1


# Meson writes down in the build what it has installed: one installation at a time.
lock = open(build / 'install.lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
try:
    run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir', destination])

    found = {
        str(path.relative_to(prefix))
        for path in prefix.rglob('*')
        if not path.is_dir() or path.is_symlink()
    }
    everything = {path for path in destination.rglob('*') if not path.is_dir() or path.is_symlink()}
    failures += [f'not installed: {name}' for name in sorted(expected - found)]
    failures += [f'installed, and not listed: {name}' for name in sorted(found - expected)]
    failures += [
        f'outside of the prefix: {path}' for path in everything if prefix not in path.parents
    ]
    if (library / 'libduplex.a').read_bytes()[:8] != b'!<arch>\n':
        failures.append('libduplex.a is no whole archive')
    if 'Library soname: [libduplex.so.0]' not in run(['readelf', '-d', library / 'libduplex.so']):
        failures.append('libduplex.so has another soname than libduplex.so.0')
    if pkg_config('--modversion', 'duplex') != [version]:
        failures.append('duplex.pc has another version')
    count = programs()

    # What `ninja uninstall` runs, without a second ninja in a build that may be running this test.
    uninstall = run(['ninja', '-C', build, '-t', 'commands', 'uninstall']).strip().split('\n')[-1]
    run(['sh', '-c', uninstall], cwd=build)
    left = [str(path) for path in destination.rglob('*')] if destination.exists() else []
    failures += [f'left behind: {path}' for path in left]
finally:
    shutil.rmtree(scratch)

print('\n'.join(failures))
print(
    f'{len(found)} files installed and removed, {count} programs built and run, '
    f'{len(failures)} failures'
)
sys.exit(bool(failures))
