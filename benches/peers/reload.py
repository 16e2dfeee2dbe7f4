"""Reloads while requests come: how many fail, and how many kept connections are cut that did nothing meanwhile."""

import threading
import time

import load
from cases import Case
from policies import Policy
from servers import RELOADS

CASE = Case("reload", "reload", policy=Policy(1_000))
RELOADED, APART, KEPT = 10, 0.4, 100


def under_load(proxy, core):
    """Its name, what the load told, kept connections that were cut, and how many there were."""
    try:
        kept = load.Idle(proxy.setting.clear, KEPT)
        told = []
        asking = threading.Thread(
            target=lambda: told.append(CASE.run(proxy.folder, proxy.setting.clear, None, core, int(RELOADED * APART) + 2)))
        asking.start()
        time.sleep(1)
        for _ in range(RELOADED):
            proxy.process.tell(RELOADS[proxy.name])
            time.sleep(APART)
        asking.join()
        alive = kept.alive()
        kept.close()
        return proxy.name, told[0], KEPT - alive, KEPT
    finally:
        proxy.process.end()
