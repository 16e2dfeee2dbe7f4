"""Processes of a run: started on a core, their CPU and memory read from /proc, ended by their number."""

import os
import signal
import subprocess
from pathlib import Path


class Process:
    """A server with all of its workers."""

    def __init__(self, command, core, folder, stdout=subprocess.DEVNULL, environment=None):
        self.errors = folder / "stderr"
        with open(self.errors, "wb") as errors:
            self.started = subprocess.Popen(
                ["taskset", "-c", str(core), *map(str, command)],
                cwd=folder, stdout=stdout, stderr=errors, stdin=subprocess.DEVNULL,
                env=os.environ | (environment or {}), start_new_session=True,
            )

    def pids(self):
        """It, its children and theirs."""
        found, left = [], [self.started.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                left += map(int, read(children).split())
        return found

    def cpu(self):
        """Seconds of user and system time of all of its threads, to the nanosecond where the kernel counts them."""
        nanoseconds = 0
        for pid in self.pids():
            for threads in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                nanoseconds += int((read(threads) or "0").split()[0])
        return nanoseconds / 1e9

    def resident(self):
        """KiB of its own memory; what several of its processes share counts once for each of them."""
        lines = [line for pid in self.pids() for line in read(f"/proc/{pid}/status").splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def alive(self):
        return self.started.poll() is None

    def tell(self, number):
        os.kill(self.started.pid, number)

    def end(self):
        pids = self.pids()
        if self.alive():
            self.tell(signal.SIGTERM)
            try:
                self.started.wait(1)
            except subprocess.TimeoutExpired:
                self.started.kill()
                self.started.wait()
        for pid in pids[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def read(path):
    """A file of /proc, or nothing where what it told about has ended."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
