#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ctl_json.py PAGE NAME FILE [PATH...]: does FILE, one JSON object or one a line, match
the schema NAME of PAGE (Documentation/ctl-json.rst)? Every member of FILE must be in the
schema with its type, every member of the schema in each object that may have it. Each
PATH must occur."""
import json
import re
import sys


def schema(page, name):
    """The lines of a block as {path: (types, optional)}; show has those of list, too."""
    text = open(page, encoding='utf-8').read()
    block = re.search(r':name: %s\n\n((?:   .*\n)+)' % name, text)[1]
    rows = dict(schema(page, 'list')) if name == 'show' else {}
    for line in block.splitlines():
        path, types = line.split()
        optional = '?' in path
        rows[path.replace('?', '')] = (types.split('|'), optional)
    return rows


def type_is(value, name):
    if name == 'bool':
        return isinstance(value, bool)
    if name == 'number':
        return isinstance(value, int) and not isinstance(value, bool)
    if name == 'real':
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, {'string': str, 'object': dict, 'null': type(None)}[name])


def members(rows, prefix):
    """The names directly below an object at prefix, and whether each may be absent"""
    found = {}
    start = prefix + '.' if prefix else ''
    for path, (_, optional) in rows.items():
        if path.startswith(start):
            name = re.match(r'[^.\[]+', path[len(start):])[0]
            found[name] = found.get(name, True) and optional
    return found


def walk(rows, value, path, seen, errors):
    seen.add(path)
    if path in rows and not any(type_is(value, t) for t in rows[path][0]):
        errors.append('%s: %r is no %s' % (path, value, '|'.join(rows[path][0])))
    if isinstance(value, dict):
        known = members(rows, path)
        for name in value.keys() - known.keys():
            errors.append('%s.%s: not in the schema' % (path, name))
        for name, optional in known.items():
            if name in value:
                walk(rows, value[name], (path + '.' if path else '') + name, seen, errors)
            elif not optional:
                errors.append('%s.%s: missing' % (path, name))
    elif isinstance(value, list):
        for element in value:
            walk(rows, element, path + '[]', seen, errors)
    elif path not in rows:
        errors.append('%s: a value where the schema has none' % path)


def main():
    page, name, file, *wanted = sys.argv[1:]
    text = open(file, encoding='utf-8').read()
    rows, seen, errors = schema(page, name), set(), []
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines()]
    if not values:
        errors.append('no JSON')
    for value in values:
        walk(rows, value, '', seen, errors)
    errors += ['%s: does not occur' % path for path in wanted if path not in seen]
    for error in errors:
        print('# %s: %s' % (name, error))
    sys.exit(bool(errors))


main()
