# SPDX-License-Identifier: GPL-2.0
"""Small changes of C sources: where each is possible, and the changed text.

A mutant has the name FILE:LINE:OPERATOR:N, the Nth place for this operator in the line. The
name and the sources give the change again, so a name is all that has to be kept. A change
adds and removes no line.
"""
import difflib
import re
import sys

# How often each kind is picked, if it has enough places
WEIGHTS = {
    "negate": 14,       # if (x): if (!(x))
    "relation": 12,     # < and <=, == and !=
    "logic": 10,        # && and ||
    "leave": 18,        # no return or goto of a check
    "bound": 14,        # a number plus or minus one
    "barrier": 12,      # none, or a plain access in place of acquire and release
    "once": 5,          # a plain access in place of READ_ONCE and WRITE_ONCE
    "constant": 7,      # another constant of its kind
    "drop": 18,         # no call that takes, releases, counts or undoes
}

RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
SWAPS = {
    "VIRTIO_BLK_S_OK": "VIRTIO_BLK_S_IOERR",
    "VIRTIO_BLK_S_IOERR": "VIRTIO_BLK_S_UNSUPP",
    "VIRTIO_BLK_S_UNSUPP": "VIRTIO_BLK_S_IOERR",
    "VRING_DESC_F_NEXT": "VRING_DESC_F_WRITE",
    "VRING_DESC_F_WRITE": "VRING_DESC_F_NEXT",
    "VRING_DESC_F_INDIRECT": "VRING_DESC_F_NEXT",
    "BELL_PASS_DONE": "BELL_PASS_MORE",
    "BELL_PASS_MORE": "BELL_PASS_DONE",
    "BELL_PASS_PUNT": "BELL_PASS_DONE",
    "BELL_PASS_STOP": "BELL_PASS_DONE",
    "PAGE_SIZE": "(PAGE_SIZE / 2)",
    "SECTOR_SIZE": "(SECTOR_SIZE * 2)",
    "true": "false",
    "false": "true",
}
# Statements that change nothing that a caller or guest can see
SILENT = re.compile(r"\s*(trace_|pr_|WARN|seq_|static_assert|BUILD_BUG|lockdep_|"
                    r"might_sleep|MODULE_|EXPORT_|unreachable)")
DROPPED = re.compile(
    r"(un)?lock|put|free|unpin|release|undo|leave|enter|get|inc|dec|untake|drop|unmap|"
    r"clear|reset|cancel|destroy|unref|set|end|stop|break|log|charge|account|del|add|"
    r"invalidate|signal|wake|queue|sync|guard|kick|notify|memset|complete")


class Mutant:
    def __init__(self, file, line, operator, nth, start, end, text):
        self.file, self.line, self.operator, self.nth = file, line, operator, nth
        self.start, self.end, self.text = start, end, text
        self.last_line = line

    @property
    def name(self):
        return f"{self.file}:{self.line}:{self.operator}:{self.nth}"

    def apply(self, source):
        # Keep the number of lines
        lost = source.count("\n", self.start, self.end) - self.text.count("\n")
        return source[:self.start] + self.text + "\n" * lost + source[self.end:]

    def diff(self, source):
        path = f"drivers/vhost-doorbell/{self.file}"
        return "".join(difflib.unified_diff(
            source.splitlines(True), self.apply(source).splitlines(True),
            "a/" + path, "b/" + path, n=2))


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def mask(source):
    """The same text with blanks for comments, strings and most of the preprocessor's lines."""
    source = re.sub(r"/\*.*?\*/|//[^\n]*", blank, source, flags=re.S)
    source = re.sub(r'"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])+\'', blank, source)
    return re.sub(r"^#(\\\n|[^\n])*", lambda m: m.group()
                  if re.match(r"#define \w+\s+\(?\d", m.group()) else blank(m),
                  source, flags=re.M)


def closing(text, at):
    """The place of the parenthesis that closes the one at @at"""
    depth = 0
    for i in range(at, len(text)):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
            if not depth:
                return i
    return -1


def arguments(text, at):
    """The arguments of the call whose parenthesis is at @at, and the end of the call"""
    end, depth, args, start = closing(text, at), 0, [], at + 1
    for i in range(at, end):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if text[i] == "," and depth == 1:
            args.append(text[start:i].strip())
            start = i + 1
    return args + [text[start:end].strip()], end + 1


def negate(text):
    for m in re.finditer(r"\bif \(", text):
        end = closing(text, m.end() - 1)
        if end > 0:
            yield m.end(), end, "!(" + text[m.end():end] + ")"


def relation(text):
    for m in re.finditer(r"(?<= )(<=?|>=?|==|!=)(?= )", text):
        yield *m.span(), RELATIONS[m.group()]


def logic(text):
    for m in re.finditer(r"&&|\|\|", text):
        yield *m.span(), "||" if m.group() == "&&" else "&&"


def leave(text):
    for m in re.finditer(r"^\t\t+((return (-E\w+|ERR_PTR\(-E\w+\)|NULL|false|true|0)|"
                         r"goto \w+|continue);)", text, re.M):
        yield *m.span(1), ";"
    for m in re.finditer(r"^\t\t+(return \w+_break)\(", text, re.M):
        end = closing(text, m.end() - 1)
        if text[end + 1:end + 2] == ";":
            yield m.start(1), end + 2, ";"


def bound(text):
    for line in re.finditer(r"^.*$", text, re.M):
        if not re.search(r" [<>=!]=? |\b(min|max)|ALIGN|round_|<<|^#define", line.group()):
            continue
        # Only the value of a definition
        begin = re.match(r"#define \w+\s|", line.group()).end()
        for m in re.finditer(r"(?<![\w.])(\d+)(U?L*)\b", line.group()[begin:]):
            start, end = (line.start() + begin + at for at in m.span())
            value = int(m.group(1))
            yield start, end, f"{value + 1}{m.group(2)}"
            if value:
                yield start, end, f"{value - 1}{m.group(2)}"


def barrier(text):
    for m in re.finditer(r"\bsmp_[rw]?mb(__\w+)?\(\);", text):
        yield *m.span(), ";"
    for m in re.finditer(r"\b(smp_load_acquire|smp_store_release|atomic_read_acquire|"
                         r"array_index_nospec)\(", text):
        args, end = arguments(text, m.end() - 1)
        new = {"smp_load_acquire": "READ_ONCE(*({0}))",
               "smp_store_release": "WRITE_ONCE(*({0}), {1})",
               "atomic_read_acquire": "atomic_read({0})",
               "array_index_nospec": "({0})"}[m.group(1)]
        yield m.start(), end, new.format(*args)


def once(text):
    for m in re.finditer(r"\b(READ|WRITE)_ONCE\(", text):
        args, end = arguments(text, m.end() - 1)
        yield m.start(), end, " = ".join(f"({a})" for a in args)


def constant(text):
    for m in re.finditer(r"-E[A-Z0-9]{2,}\b", text):
        yield *m.span(), "-EIO" if m.group() == "-EAGAIN" else "-EAGAIN"
    for m in re.finditer(r"(?<![.>])\b(" + "|".join(SWAPS) + r")\b", text):
        yield *m.span(), SWAPS[m.group()]


def drop(text):
    for m in re.finditer(r"^\t+(guard\(\w+\)|[\w.>-]+)\(", text, re.M):
        end = closing(text, m.end() - 1)
        if text[end + 1:end + 2] == ";" and DROPPED.search(m.group(1)):
            yield m.start() + len(m.group()) - len(m.group().lstrip()), end + 2, ";"
    for m in re.finditer(r"^\t+([\w.>\[\]-]+(\+\+|--| [-+|&]= [^;\n]+| = (NULL|0|false|true));)",
                         text, re.M):
        yield *m.span(1), ";"


def bodies(text):
    """Which characters belong to bodies of functions and to definitions of numbers"""
    inside = bytearray(len(text))
    for m in re.finditer(r"^\{.*?^\}|^#define (\\\n|[^\n])*", text, re.M | re.S):
        inside[m.start():m.end()] = b"\1" * (m.end() - m.start())
    return inside


def places(file, source):
    """All mutants of a file"""
    text = mask(source)
    inside = bodies(text)
    starts = [0] + [m.end() for m in re.finditer("\n", text)]
    found = []
    for operator in WEIGHTS:
        seen = {}
        for start, end, new in globals()[operator](text):
            line = text.count("\n", 0, start) + 1
            whole = text[starts[line - 1]:].split("\n", 1)[0]
            if not inside[start] or SILENT.match(whole) or text[start:end] == new:
                continue
            nth = seen[line] = seen.get(line, -1) + 1
            m = Mutant(file, line, operator, nth, start, end, new)
            m.last_line = text.count("\n", 0, end) + 1
            found.append(m)
    return found


def find(directory, name):
    file = name.split(":")[0]
    with open(f"{directory}/{file}", encoding="utf-8") as f:
        for m in places(file, f.read()):
            if m.name == name:
                return m
    return None


def pick(candidates, rng):
    """An endless draw without repetition: first the kind, by weight, then the place"""
    pools = {op: [m for m in candidates if m.operator == op] for op in WEIGHTS}
    for pool in pools.values():
        rng.shuffle(pool)
    while any(pools.values()):
        ops = [op for op in pools if pools[op]]
        yield pools[rng.choices(ops, [WEIGHTS[op] for op in ops])[0]].pop()


def main():
    """mutants.py list DIRECTORY FILE: all names; mutants.py apply DIRECTORY NAME: change it"""
    if len(sys.argv) != 4 or sys.argv[1] not in ("list", "apply"):
        print(main.__doc__, file=sys.stderr)
        return 2
    _, what, directory, name = sys.argv
    path = f"{directory}/{name.split(':')[0]}"
    with open(path, encoding="utf-8") as f:
        source = f.read()
    if what == "list":
        for m in places(name, source):
            print(m.name)
        return 0
    m = find(directory, name)
    if not m:
        print(f"mutants.py: no mutant {name}", file=sys.stderr)
        return 1
    with open(path, "w", encoding="utf-8") as f:
        f.write(m.apply(source))
    print(m.diff(source), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
