"""Reloads while requests come: how soon the new configuration answers, how many requests fail, and how many kept
connections are cut that did nothing meanwhile."""

import statistics
import threading
import time
from dataclasses import dataclass

import load
from cases import Case
from policies import Policy, prefix

CASE = Case("reload", "reload", policy=Policy(prefix, 10_000))
RELOADED, APART, KEPT = 10, 1.5, 100


@dataclass
class Reloads:
    """`live`: the median of seconds; `cut` of `KEPT` connections."""

    load: load.Load
    live: float
    cut: int


def under_load(proxy, core):
    kept = load.Idle(proxy.setting.clear, KEPT)
    told, live = [], []
    seconds = int(RELOADED * APART) + 4
    asking = threading.Thread(
        target=lambda: told.append(CASE.run(proxy.written, proxy.setting.clear, None, core, seconds)))
    asking.start()
    time.sleep(1)
    for number in range(RELOADED):
        proxy.setting.version = f"{number + 2}"
        live.append(proxy.reload())
        time.sleep(max(0, APART - live[-1]))
    asking.join()
    alive = kept.alive()
    kept.close()
    return Reloads(told[0], statistics.median(live), KEPT - alive)
