"""What clients do to a proxy: requests by wrk and h2load, and connections that are kept and do nothing."""

import http.client
import re
import resource
import socket
import ssl
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

UPLOAD = 64 * 1024
UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}


@dataclass
class Load:
    """One round: requests answered, and microseconds until the median and the 99th of a hundred was."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failed: int


def run(command, core):
    done = subprocess.run(["taskset", "-c", str(core), *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: {done.stderr or done.stdout}")
    return done.stdout


def wrk(url, core, seconds, script=None, connections=64):
    scripted = ["-s", script] if script else []
    told = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *scripted, url], core)

    def share(percent):
        number, unit = re.search(rf"^ +{percent}% +([\d.]+)([a-z]+) *$", told, re.M).groups()
        return float(number) * UNITS[unit]

    requests, number, unit = re.search(r"(\d+) requests in ([\d.]+)([a-z]+)", told).groups()
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    failed = sum(map(int, errors.groups())) if errors else 0
    failed += int(other[1]) if other else 0
    return Load(int(requests), float(number) * UNITS[unit] / 1e6, share(50), share(99), failed)


def h2load(url, core, requests, connections, streams, log, *more):
    log.unlink(missing_ok=True)
    told = run(["h2load", f"-n{requests}", f"-c{connections}", f"-m{streams}", f"--log-file={log}", *more, url], core)
    number, unit = re.search(r"finished in ([\d.]+)([a-z]+),", told).groups()
    good = int(re.search(r"status codes: (\d+) 2xx", told)[1])
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    if not times:
        raise SystemExit(f"h2load: {told}")
    return Load(good, float(number) * UNITS[unit] / 1e6, statistics.median(times), times[len(times) * 99 // 100], requests - good)


PACE = 40


def paced(url, core, seconds, log, *more, connections=64):
    """HTTP/1 at one rate whatever is answered: each client asks `PACE` times a second, all at once."""
    return h2load(url, core, PACE * connections * seconds, connections, 1, log, "--h1", f"--rps={PACE}", *more)


HANDSHAKES = Path(__file__).parent / "handshakes"
BUILT = Path(__file__).parents[2] / "target"


def build_handshakes():
    subprocess.run(["cargo", "build", "--release", "--quiet", "--manifest-path", HANDSHAKES / "Cargo.toml",
                    "--target-dir", BUILT], check=True)


def handshakes(port, path, core, connections):
    good, seconds, p50, p99 = run([BUILT / "release/rulec-handshakes", port, path, connections], core).split()
    return Load(int(good), float(seconds), float(p50), float(p99), connections - int(good))


def answer(port, path, secured=False, body=None):
    """Status and octets of one answer."""
    if secured:
        trusting = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=trusting)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST" if body else "GET", path, body=body)
    got = connection.getresponse()
    answered = got.status, got.read()
    connection.close()
    return answered


class Idle:
    """Kept connections on each of which one request was answered."""

    ASKED = b"GET /1k HTTP/1.1\r\nHost: bench.test\r\n\r\n"

    def __init__(self, port, count):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        self.sockets = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(count)]
        if self.alive() != count:
            raise SystemExit(f"port {port} does not keep {count} connections")

    def alive(self):
        """How many of them answer once more."""
        return sum(map(self.ask, self.sockets))

    def ask(self, connection):
        try:
            connection.sendall(self.ASKED)
            read = b""
            while not read.endswith(b"x" * 1024):
                more = connection.recv(65536)
                if not more:
                    return False
                read += more
            return read.startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def close(self):
        for connection in self.sockets:
            connection.close()
