"""Tables of a run, and their place in benches/README.md."""

import statistics
from pathlib import Path


def median(samples, what):
    return statistics.median(what(sample) for sample in samples)


def cpu(sample):
    return sample.cpu / sample.load.requests * 1e6


def of_case(case, samples):
    """One line for each proxy: CPU beside nginx's is the median of what each round's two gave."""
    lines = [f"### {case.title}", "",
             "| proxy | CPU, nginx = 1.00 | CPU µs a request | requests/s | p50 ms | p99 ms | failed |", "|---|---|---|---|---|---|---|"]
    for name, own in samples.items():
        beside = statistics.median(cpu(a) / cpu(b) for a, b in zip(own, samples["nginx"]))
        rate = median(own, lambda sample: sample.load.requests / sample.load.seconds)
        p50, p99 = (median(own, lambda sample: getattr(sample.load, share) / 1_000) for share in ("p50", "p99"))
        failed = sum(sample.load.failed for sample in own)
        lines.append(f"| {name} | {beside:.3f} | {median(own, cpu):.2f} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {failed} |")
    return "\n".join(lines) + "\n"


def of_memory(memory, count):
    lines = ["### Memory", "", f"| proxy | RSS at start, MiB | after the load | with {count:,} idle connections | KiB an idle connection |",
             "|---|---|---|---|---|"]
    for name, (fresh, loaded, idle) in memory.items():
        each = (idle - loaded) / count
        lines.append(f"| {name} | {fresh / 1024:.1f} | {loaded / 1024:.1f} | {idle / 1024:.1f} | {each:.1f} |")
    return "\n".join(lines) + "\n"


def of_reloads(reloads, kept):
    lines = ["### Ten reloads under load, 10 000 prefix locations (haproxy: none)", "",
             "| proxy | new answers after, s | requests | failed | p99 ms | kept connections cut |", "|---|---|---|---|---|---|"]
    lines += [f"| {name} | {its.live:.3f} | {its.load.requests:,} | {its.load.failed} | {its.load.p99 / 1_000:.1f} "
              f"| {its.cut} of {kept} |" for name, its in reloads.items()]
    return "\n".join(lines) + "\n"


def of_growth(samples):
    """rulec's own cost by the number of locations: beside the first of a round."""
    lines = ["### rulec alone, by the number of locations", "", "| case | CPU, the first = 1.00 | CPU µs a request | p99 ms |", "|---|---|---|---|"]
    first = next(iter(samples.values()))
    for title, own in samples.items():
        beside = statistics.median(cpu(a) / cpu(b) for a, b in zip(own, first))
        p99 = median(own, lambda sample: sample.load.p99 / 1_000)
        lines.append(f"| {title} | {beside:.3f} | {median(own, cpu):.2f} | {p99:.2f} |")
    return "\n".join(lines) + "\n"


def write(readme: Path, text):
    begin, end = "<!-- peers -->\n", "<!-- /peers -->"
    before, rest = readme.read_text().split(begin)
    readme.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
