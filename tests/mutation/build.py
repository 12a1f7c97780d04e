# SPDX-License-Identifier: GPL-2.0
"""Builds of the module's own tests and fuzz targets in user space, and what they execute."""
import collections
import glob
import gzip
import hashlib
import json
import os
import resource
import shutil
import subprocess

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MODULE = f"{TOP}/drivers/vhost-doorbell"
OTHERS = ("test_vu_", "test_ctl_", "test_bench_", "fuzz_vu_")
# Both are for older kernels or for the tracer; the tests compile neither.
NOT_MUTATED = ("compat", "trace.h")


def own(directory, prefix):
    """Names of the programs that test the module"""
    names = [os.path.basename(f)[:-2] for f in sorted(glob.glob(f"{TOP}/{directory}/{prefix}_*.c"))]
    return [n for n in names if not n.startswith(OTHERS)]


def digest():
    """Changes with each source of the module and of its tests"""
    sums = hashlib.sha256()
    for directory in ("drivers", "tests/unit", "tests/fuzz"):
        for path in sorted(glob.glob(f"{TOP}/{directory}/**", recursive=True)):
            if path.endswith((".c", ".h", "Makefile")):
                with open(path, "rb") as f:
                    sums.update(path.encode() + f.read())
    return sums.hexdigest()[:16]


class Build:
    """The tests in @directory/unit, the fuzz targets in @directory"""

    def __init__(self, directory, cflags):
        self.dir, self.cflags = os.path.abspath(directory), cflags
        self.tests = {n: f"{self.dir}/unit/{n}" for n in own("tests/unit", "test")}
        self.fuzzers = {n: f"{self.dir}/{n}" for n in own("tests/fuzz", "fuzz")}

    def make(self):
        common = ["CC=gcc", f"CFLAGS={self.cflags}"]
        # The user's own options are for other makes.
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
        make = ["make", "-s", f"-j{os.cpu_count()}", "-C"]
        subprocess.run(make + [f"{TOP}/tests/unit", f"O={self.dir}/unit", *common,
                               *self.tests.values()], check=True, env=env)
        subprocess.run(make + [f"{TOP}/tests/fuzz", f"O={self.dir}", "ENGINE=driver", *common,
                               *self.fuzzers.values()], check=True, env=env)

    def flags(self):
        """Compiler and flags of the module's objects; the rest of the file are names"""
        with open(f"{self.dir}/unit/.how", encoding="utf-8") as f:
            words = f.read().split()
        return [w for i, w in enumerate(words) if not i or w.startswith("-")]

    def users(self):
        """For each of the module's files: the sources that are compiled with it"""
        users = collections.defaultdict(set)
        for dep in glob.glob(f"{self.dir}/unit/module/*.d"):
            source = os.path.basename(dep)[:-2] + ".c"
            with open(dep, encoding="utf-8") as f:
                for word in f.read().replace("\\\n", " ").replace(":", " ").split():
                    if os.path.dirname(word) == MODULE:
                        users[os.path.basename(word)].add(source)
        for others in users.values():
            others.discard("world.c")
        return {f: u for f, u in users.items() if u and not f.startswith(NOT_MUTATED)}


def limit(seconds):
    """Ends a child that runs for longer than this; the time of others does not count."""
    return lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def corpus_of(corpus, target):
    return sorted(glob.glob(f"{corpus}/{target}/*"))


def fuzz_command(program, corpus, runs):
    target = os.path.basename(program)
    return [program, "--seconds=3600", f"--runs={runs}", *corpus_of(corpus, target)]


def gcov(directory):
    """{file: {line: count}} of the module's files, from the counters in a directory"""
    lines = collections.defaultdict(collections.Counter)
    data = [os.path.basename(f) for f in glob.glob(f"{directory}/*.gcda")]
    if not data:
        return lines
    subprocess.run(["gcov", "--json-format", *data], cwd=directory, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name in glob.glob(f"{directory}/*.gcov.json.gz"):
        with gzip.open(name) as f:
            report = json.load(f)
        for file in report["files"]:
            path = os.path.join(report["current_working_directory"], file["file"])
            if os.path.dirname(os.path.abspath(path)) != MODULE:
                continue
            for line in file["lines"]:
                lines[os.path.basename(path)][line["line_number"]] += line["count"]
    return lines


def coverage(build, name, command):
    """What one run of a program executes: as gcov()"""
    directory = f"{build.dir}/runs/{name}"
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    env = dict(os.environ, GCOV_PREFIX=directory)
    done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"{name} fails without a change: {done.stderr.decode()[-2000:]}")
    objects = f"{build.dir}/unit/module"
    for data in glob.glob(f"{directory}{objects}/*.gcda"):
        base = os.path.basename(data)[:-5]
        os.rename(data, f"{directory}/{base}.gcda")
        os.link(f"{objects}/{base}.gcno", f"{directory}/{base}.gcno")
    lines = gcov(directory)
    shutil.rmtree(directory)
    return lines
