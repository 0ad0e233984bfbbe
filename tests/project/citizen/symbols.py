#!/usr/bin/env python3
"""What the library's objects have and need: no mutable data, and nothing that changes or asks for
what is the process's.

usage: symbols.py ARCHIVE NDEBUG
    NDEBUG is `true` in a build for users, where no assertion may be left
"""
import re
import subprocess
import sys

archive, is_ndebug = sys.argv[1], sys.argv[2] == 'true'

forbidden = {
    'the environment': '(secure_)?getenv (un)?setenv putenv clearenv _*environ tzset '
    'localtime(_r)? mktime setlocale textdomain',
    "the process's end": r'_?exit _Exit quick_exit abort at_?exit on_exit __assert\w* '
    'err errx verr verrx error',
    'signals': 'signal bsd_signal sysv_signal sigaction siginterrupt sigprocmask pthread_sigmask '
    r'sigaltstack raise kill killpg pthread_kill alarm setitimer sigwait\w* sigtimedwait signalfd',
    'standard streams': 'stdin stdout stderr v?printf v?fprintf putc putchar puts fputs fputc '
    'fwrite perror psignal syslog openlog __v?f?printf_chk getchar gets scanf',
    'other processes': r'fork vfork clone\d? system popen exec\w+ posix_spawnp? daemon wait '
    'waitpid wait[34] waitid prctl setsid setpgid ptrace',
    "what all of the process's threads share": 'chdir fchdir umask chroot '
    'set(e|re|res)?[ug]id setrlimit(64)? setpriority nice dup2 close_range mlockall '
    'sched_setaffinity',
    'state hidden in libc': 'strtok s?rand random srandom drand48 gethostbyname ctime asctime '
    'gmtime inet_ntoa readdir_r ttyname getpwnam getgrnam',
    'descriptors that a child inherits': 'pipe dup accept epoll_create eventfd inotify_init '
    'fopen(64)? mkstemp(64)? tmpfile(64)? creat(64)?',
    'code found at run time': 'dlopen dlmopen dlsym',
}
forbidden = {what: '|'.join(names.split()) for what, names in forbidden.items()}

# The objects that may all the same, by room and file, and why.
threads = ('a thread of ours begins with all signals blocked, so that none of the application is '
           'taken by it; its own mask is put back')
spawner = 'this room starts and watches duplex-spawner'
sigpipe = 'SIGPIPE is blocked in this thread meanwhile'
allowed = {
    ('server/shards', 'pthread_sigmask'): threads,
    ('net/resolve', 'pthread_sigmask'): threads,
    ('net/send_file', 'pthread_sigmask'): 'sendfile has no MSG_NOSIGNAL: ' + sigpipe,
    ('net/send_file', 'sigtimedwait'): 'takes the SIGPIPE that this has caused',
    ('bridge/spawner', 'pthread_sigmask'): threads,
    ('bridge/spawner', 'prctl'): 'only when the application said owns_children',
    ('bridge/spawner', 'waitpid'): spawner,
    ('bridge/spawner_execute', 'posix_spawn'): spawner,
    ('bridge/spawner_execute', 'kill'): spawner,
    ('bridge/spawner_execute', 'waitpid'): spawner,
    ('bridge/spawner_orphans', 'kill'): 'only with owns_children: what a killed spawner has left',
    ('bridge/spawner_orphans', 'waitpid'): 'as above',
    ('bridge/programs', 'sigaction'): 'asks whether SIGPIPE is ignored, changes nothing',
    ('bridge/program_pipe', 'pthread_sigmask'): 'a pipe has no MSG_NOSIGNAL: ' + sigpipe,
    ('bridge/program_pipe', 'sigtimedwait'): 'takes the SIGPIPE that this write has caused',
}
if not is_ndebug:
    forbidden["the process's end"] = forbidden["the process's end"].replace(r'|__assert\w*', '')


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()



def exception(member, name):
    """The row of the list that allows an object a name, whatever folder of its room it is in."""
    for place, needed in allowed:
        room, file = place.split('/')
        if needed == name and re.fullmatch(rf'{room}_([a-z0-9]+_)*{file}', member):
            return place, needed
    return None


failures, used, members, names = [], set(), set(), 0
for line in lines('nm', '-A', '-u', archive):
    match = re.match(r'.*?:([\w.]+?)(?:\.c)?\.o:\s+[Uwv] (\w+)', line)
    if not match:
        continue
    member, name = match.groups()
    members.add(member)
    names += 1
    for what, pattern in forbidden.items():
        if re.fullmatch(pattern, name):
            if exception(member, name):
                used.add(exception(member, name))
            else:
                failures.append(f'{member} needs {name}: {what}')

# Tables of pointers are written once, by the loader: .data.rel.ro is not mutable.
for line in lines('objdump', '-t', archive):
    match = re.match(
        r'^[0-9a-f]+ .{7} (\.t?(?:data|bss)(?!\.rel\.ro)\S*|\*COM\*)\s+'
        r'([0-9a-f]+)\s+(?:\.hidden )?(\S+)',
        line,
    )
    if match and match.group(3) != match.group(1) and int(match.group(2), 16):
        failures.append(f'{match.group(3)} can be changed: {match.group(1)}')
for line in lines('size', '-A', archive):
    match = re.match(r'^(\.t?(?:data|bss)(?!\.rel\.ro)\S*)\s+([1-9]\d*)', line)
    if match:
        failures.append(f'{match.group(2)} bytes that can be changed in {match.group(1)}')

failures += [f'{member} does not need {name} any more: take it off the list'
             for member, name in allowed if (member, name) not in used]
print('\n'.join(failures))
print(f'{len(members)} objects, {names} needed names, {len(used)} of {len(allowed)} exceptions '
      f'used, {len(failures)} failures')
sys.exit(bool(failures) or len(members) < 50)
