"""What is measured: a setting of every proxy, the load, and how all must answer before they are timed."""

from dataclasses import dataclass, field

import load
from policies import Policy, regex


@dataclass
class Case:
    """`path` is asked over `secured` or clear connections, as fast as it is answered or `paced`; `only` names the proxies
    that take part; a sample is `times` longer than others."""

    name: str
    title: str
    path: str = "/1k"
    secured: bool = False
    upload: bool = False
    handshakes: bool = False
    log: bool = False
    paced: bool = False
    policy: Policy = None
    only: list = field(default_factory=list)
    times: int = 1

    def check(self, clear, tls):
        """What is answered to one request of each kind that the load is made of."""
        body = b"x" * load.UPLOAD if self.upload else None
        paths = self.policy.paths if self.policy else [self.path]
        return [load.answer(tls if self.secured else clear, path, self.secured, body) for path in paths]

    def run(self, folder, clear, tls, core, seconds):
        if self.handshakes:
            return load.handshakes(tls, self.path, core, 2_000 * seconds)
        if self.secured:
            url = f"https://127.0.0.1:{tls}{self.path}"
            return load.h2load(url, core, 8_000 * seconds, 8, 16, folder / "h2load")
        if self.paced:
            body = folder / f"{self.name}.body"
            body.write_bytes(b"x" * load.UPLOAD)
            posted = ["-d", body] if self.upload else []
            return load.paced(f"http://127.0.0.1:{clear}{self.path}", core, seconds, folder / "h2load", *posted)
        script = folder / f"{self.name}.lua"
        if self.upload:
            script.write_text(f'wrk.method = "POST"\nwrk.body = string.rep("x", {load.UPLOAD})\n')
        elif self.policy:
            asked = ", ".join(f'"{path}"' for path in self.policy.paths)
            script.write_text(f"local paths, at = {{ {asked} }}, 0\nrequest = function()\n  at = at % #paths + 1\n"
                              "  return wrk.format(nil, paths[at])\nend\n")
        scripted = script if self.upload or self.policy else None
        return load.wrk(f"http://127.0.0.1:{clear}{self.path}", core, seconds, scripted)


def all_cases():
    few = ["rulec", "nginx"]
    return [
        Case("1k", "GET 1 KiB"),
        # The windows of new connections are below 64 KiB: over loopback that says more of them than of a proxy.
        Case("64k", "GET 64 KiB", path="/64k", times=4),
        # A fast proxy leaves the core of the load more to do, where its requests wait: only at one rate is time its own.
        *(Case(f"{kib}k-paced", f"GET {kib} KiB at 2,560 requests/s", path=f"/{kib}k", paced=True, times=2) for kib in (1, 64)),
        Case("upload", "upload 64 KiB", path="/upload", upload=True),
        Case("upload-paced", "upload 64 KiB at 2,560 requests/s", path="/upload", upload=True, paced=True, times=2),
        Case("h2", "HTTP/2 over TLS, GET 1 KiB", secured=True),
        Case("handshakes", "full TLS handshake and one GET", secured=True, handshakes=True),
        Case("log", "GET 1 KiB, access log to a file", log=True),
        *(Case(f"regex-{count}", "GET 1 KiB, " + f"{count:,} regex locations".replace(",", " "), policy=Policy(regex, count), only=few)
          for count in (10, 1_000, 10_000)),
    ]
