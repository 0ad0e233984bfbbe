"""From raw runs to figures: medians, what was demanded and whether it was met, as Markdown."""

from statistics import median

BEGIN = '<!-- figures: begin; bench/run writes what stands here -->'
END = '<!-- figures: end -->'

NAMES = {'duplex': 'Duplex', 'tcp': 'bare TCP socket', 'posix_spawn': '`posix_spawn` loop',
         'raw': 'raw TCP echo', 'lws': 'libwebsockets', 'ws': 'npm ws', 'websocketd': 'websocketd', 'tls': 'bare OpenSSL echo',
         'two': 'Duplex on two loops', 'nginx': 'nginx', 'websockets': 'python3-websockets'}


def figure(value):
    return f'{value:.3g}' if abs(value) < 100 else f'{value:,.0f}'


def spread(values):
    return f'{figure(median(values))} [{figure(min(values))}–{figure(max(values))}]'


def values_of(check, runs):
    return [value for value in (check.value(run) for run in runs) if value is not None]


def verdict(check, values):
    if check.most is None and check.least is None:
        return ''
    if not values:
        return 'not measured'
    return 'yes' if check.holds(median(values)) else '**no**'


def floors_table(rows, results):
    lines = ['| work | compared | floor | measured [min–max] | met |', '| --- | --- | --- | --- | --- |']
    for row in rows:
        runs = results.get(row.name, {}).get('runs', [])
        for number, check in enumerate(row.checks):
            values = values_of(check, runs)
            lines.append(' | '.join(['| ' + (row.title if number == 0 else ''), check.text,
                                     check.floor(), spread(values) if values else '–',
                                     verdict(check, values)]) + ' |')
    return lines


def row_table(row, runs):
    lines = [f'**{row.title}** ({len(runs)} runs). {row.detail}', '',
             '| server | ' + ' | '.join(title for _, title, _ in row.columns) + ' |',
             '| --- ' * (len(row.columns) + 1) + '|']
    for server in row.servers:
        cells = []
        for metric, _, form in row.columns:
            values = [run[server][metric] for run in runs if metric in run.get(server, {})]
            cells.append(form.format(median(values)) if values else '–')
        lines.append(f'| {row.names.get(server, NAMES[server])} | ' + ' | '.join(cells) + ' |')
    return lines


def machine_lines(machine):
    versions = [f'{name} {machine[key]}' for name, key in (
        ('libuv', 'libuv'), ('OpenSSL', 'openssl'), ('websocketd', 'websocketd'),
        ('libwebsockets', 'libwebsockets'), ('nginx', 'nginx'), ('python3-websockets', 'websockets'),
        ('Node.js', 'node'), ('ws', 'ws')) if machine.get(key)]
    virtual = ', virtual machine' if machine.get('virtual') else ''
    return [f"Machine: {machine['cpu']}, {machine['memory_gib']} GiB{virtual}; Linux {machine['kernel']}; "
            f"{machine['compiler']}; Duplex at {machine['commit']}; {', '.join(versions)}."]


def markdown(rows, data):
    results = data['rows']
    lines = [BEGIN, '', f"Measured on {data['date']}. " + machine_lines(data['machine'])[0], '',
             *floors_table(rows, results), '']
    for row in rows:
        runs = results.get(row.name, {}).get('runs', [])
        if runs:
            lines += row_table(row, runs) + ['']
    return '\n'.join(lines + [END])


def terminal(row, runs):
    """The same for a terminal, after each row."""
    lines = []
    for server in row.servers:
        cells = []
        for metric, title, form in row.columns:
            values = [run[server][metric] for run in runs if metric in run.get(server, {})]
            if values:
                cells.append(f'{title} {form.format(median(values))} '
                             f'[{form.format(min(values))}–{form.format(max(values))}]')
        if cells:
            lines.append(f'  {server:12} ' + '; '.join(cells))
    for check in row.checks:
        values = values_of(check, runs)
        if values:
            lines.append(f'  {check.text}: {spread(values)}, floor {check.floor()}'
                         + (f', met: {verdict(check, values)}'.replace('**', '')
                            if verdict(check, values) else ''))
    return '\n'.join(lines)


def write_document(path, rows, data):
    """Replaces what stands between the marks; the rest of the page is written by hand."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(head + markdown(rows, data) + tail)
