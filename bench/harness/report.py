"""From raw runs to figures: medians, what was demanded and whether it was met, as Markdown."""

import textwrap
from statistics import median

BEGIN = '<!-- figures: begin; bench/run writes this section -->'
END = '<!-- figures: end -->'

NAMES = {'duplex': 'Duplex', 'tcp': 'bare TCP socket', 'posix_spawn': '`posix_spawn` loop',
         'raw': 'raw TCP echo', 'lws': 'libwebsockets', 'ws': 'npm ws', 'websocketd': 'websocketd',
         'uws': 'uWebSockets', 'wscat': 'wscat', 'tls': 'bare OpenSSL echo',
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
    lines = [
        '| work | compared | target | measured [min–max] | met |',
        '| --- | --- | --- | --- | --- |',
    ]
    for row in rows:
        runs = results.get(row.name, {}).get('runs', [])
        checks = [(check, values_of(check, runs)) for check in row.checks]
        checks = [(check, values) for check, values in checks if values or check.floor() != '–']
        for number, (check, values) in enumerate(checks):
            lines.append(' | '.join(['| ' + (row.title if number == 0 else ''), check.text,
                                     check.floor(), spread(values) if values else '–',
                                     verdict(check, values)]) + ' |')
    return lines


def row_table(row, runs):
    lines = [*textwrap.wrap(f'**{row.title}** ({len(runs)} runs). {row.detail}', 98,
                            break_on_hyphens=False), '',
             '| server | ' + ' | '.join(title for _, title, _ in row.columns) + ' |',
             '| --- ' * (len(row.columns) + 1) + '|']
    for server in row.servers:
        cells = []
        for metric, _, form in row.columns:
            values = [run[server][metric] for run in runs if metric in run.get(server, {})]
            cells.append(form.format(median(values)) if values else '–')
        if set(cells) != {'–'}:
            lines.append(f'| {row.names.get(server, NAMES[server])} | ' + ' | '.join(cells) + ' |')
    return lines


def machine_text(machine):
    versions = [
        f'{name} {machine[key]}'
        for name, key in (
            ('libuv', 'libuv'),
            ('OpenSSL', 'openssl'),
            ('websocketd', 'websocketd'),
            ('libwebsockets', 'libwebsockets'),
            ('nginx', 'nginx'),
            ('python3-websockets', 'websockets'),
            ('Node.js', 'node'),
            ('ws', 'ws'),
        )
        if machine.get(key)
    ]
    virtual = ', virtual machine' if machine.get('virtual') else ''
    return (
        f"Machine: {machine['cpu']}, {machine['memory_gib']} GiB{virtual}; "
        f"Linux {machine['kernel']}; {machine['compiler']}; Duplex at {machine['commit']}; "
        f"{', '.join(versions)}."
    )


def markdown(rows, data):
    results = data['rows']
    measured = f"Measured on {data['date']}. {machine_text(data['machine'])}"
    lines = [BEGIN, '', *textwrap.wrap(measured, 98, break_on_hyphens=False), '',
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
            lines.append(f'  {check.text}: {spread(values)}, target {check.floor()}'
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
