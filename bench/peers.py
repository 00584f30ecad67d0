# SPDX-License-Identifier: BSD-2-Clause
"""The servers that bench.py compares: how each is configured, started, read and ended.

Configurations are as alike as they can be: one worker, no access log, sendfile,
keep-alive without end. A server is a child of this process, pinned to one core,
and is ended by its own pid.
"""
import collections
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
PEERS = ("nginx", "nginx+ofc", "lighttpd", "h2o")
ORDER = ("floor",) + PEERS + ("websrv",)


class Failed(Exception):
    """A server or a client did not run, or answered wrongly."""


def note(text):
    print(text, file=sys.stderr, flush=True)


# --- processes --------------------------------------------------------------

def stat_of(pid):
    """(parent, utime + stime in ticks, start time) of a process, or None when gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            fields = f.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[19])


def tree(root):
    """The pids of a process and all its descendants."""
    children = collections.defaultdict(list)
    for name in os.listdir("/proc"):
        stat = stat_of(name) if name.isdigit() else None
        if stat:
            children[stat[0]].append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children[pid]
    return found


def cpu_seconds(root):
    stats = [stat_of(pid) for pid in tree(root)]
    return sum(s[1] for s in stats if s) / TICK


def pss_bytes(root):
    total = 0
    for pid in tree(root):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1]) * 1024
    return total


def run(argv, seconds, core):
    """Runs a client to its end, pinned to a core; returns its stdout."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds,
                              preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Failed(f"{argv[0]}: {e}") from e
    if done.returncode != 0:
        raise Failed(f"{argv[0]} exited {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


# --- the servers ------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx_config(bench, port, home, work):
    # Each peer at its best: corked answers are cheaper for single small files, but
    # stall pipelined ones for 40 ms and slow down the larger ones.
    nopush = "off" if work in ("pipelined", "large") else "on"
    # nginx begins to close idle connections when a sixteenth of them is left.
    spare = bench.idle + bench.idle // 8 + 512
    cached = "open_file_cache max=1000 inactive=60s; open_file_cache_valid 1s; " \
             "open_file_cache_min_uses 1;"
    return f"""
daemon off; worker_processes 1; worker_rlimit_nofile {bench.nofile};
{"user root;" if os.geteuid() == 0 else ""}
pid {home}/nginx.pid; error_log stderr warn;
events {{ worker_connections {spare}; }}
http {{
    access_log off; sendfile on; tcp_nopush {nopush}; server_tokens off;
    keepalive_timeout 300s; keepalive_requests 1000000000; client_max_body_size 0;
    client_body_temp_path {bench.dir}/drop/.nginx; proxy_temp_path {home}/p;
    fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
    {cached if home.endswith("+ofc") else ""}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {bench.dir}/www;
        location /drop/ {{ alias {bench.dir}/drop/; {"dav_methods PUT;" if bench.dav else ""} }}
    }}
}}
"""


def lighttpd_config(bench, port, home):
    dav = f"""
server.modules = ("mod_webdav")
$HTTP["url"] =~ "^/drop/" {{
    webdav.activate = "enable"
    server.document-root = "{bench.dir}"
}}""" if bench.lighttpd_dav else ""
    return f"""
server.document-root = "{bench.dir}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.listen-backlog = 4096
server.errorlog = "{home}/error.log"
server.upload-dirs = ("{bench.dir}/drop")
server.max-fds = {bench.nofile}
server.max-connections = {bench.idle + 256}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 300
{dav}
"""


def h2o_config(bench, port, home):
    return json.dumps({
        **({"user": "root"} if os.geteuid() == 0 else {}),
        "num-threads": 1, "max-connections": bench.idle + 256,
        "http1-request-timeout": 300, "pid-file": f"{home}/h2o.pid",
        "listen": {"host": "127.0.0.1", "port": port},
        "hosts": {"default": {"paths": {"/": {"file.dir": f"{bench.dir}/www"}}}},
    }, indent=1)


def websrv_config(bench):
    return json.dumps({
        "workers": 1,
        "logs": {"error": {"to": "stderr", "level": "info"}, "access": None},
        "limits": {"connections": bench.idle + 256},
        "timeouts": {"idle": "300s"},
        "servers": [{"listen": ["127.0.0.1:0"], "routes": [
            {"path": "/*", "files": {"root": f"{bench.dir}/www"}},
            {"path": "/drop/*", "upload": {"directory": f"{bench.dir}/drop",
                                           "max_size": "64G", "conflict": "replace"}},
        ]}],
    }, indent=1)


class Server:
    """One running server, fresh for each sample; ended by its own pid on leaving."""

    def __init__(self, bench, name, work):
        self.bench, self.name, self.work = bench, name, work
        self.home = tempfile.mkdtemp(dir=bench.dir, prefix="run-", suffix="-" + name)
        self.log = os.path.join(self.home, "output")
        self.port = 0

    def command(self):
        b, kind = self.bench, self.name.partition("+")[0]
        if kind == "floor":
            return [b.tools["floor"], "0"]
        if kind == "websrv":
            return [b.tools[kind], "-c", self.write(websrv_config(b))]
        self.port = free_port()
        if kind == "nginx":
            conf = self.write(nginx_config(b, self.port, self.home, self.work))
            return [b.tools[kind], "-e", "stderr", "-p", self.home, "-c", conf]
        if kind == "lighttpd":
            conf = self.write(lighttpd_config(b, self.port, self.home))
            return [b.tools[kind], "-D", "-f", conf]
        return [b.tools[kind], "-c", self.write(h2o_config(b, self.port, self.home))]

    def write(self, text):
        path = os.path.join(self.home, "config")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def __enter__(self):
        argv = self.command()
        with open(self.log, "wb") as log:
            try:
                self.proc = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    preexec_fn=lambda: os.sched_setaffinity(0, {self.bench.server_core}))
            except OSError as e:
                raise Failed(f"{argv[0]}: {e}") from e
        try:
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_ready(self):
        for _ in range(500):
            if self.proc.poll() is not None:
                raise Failed(f"{self.name} exited {self.proc.returncode}: {self.output()}")
            said = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.output())
            self.port = self.port or (int(said[1]) if said else 0)
            try:
                if self.port:
                    socket.create_connection(("127.0.0.1", self.port), 5).close()
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise Failed(f"{self.name} does not listen after 10 s: {self.output()}")

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def __exit__(self, *_):
        born = {pid: stat_of(pid) for pid in tree(self.proc.pid)}
        self.proc.terminate()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            note(f"{self.name}: still there 10 s after SIGTERM, killed")
            self.proc.kill()
            self.proc.wait(10)
        for pid, was in born.items():  # a child that outlived its parent
            now = stat_of(pid)
            if was and now and now[2] == was[2]:
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"
