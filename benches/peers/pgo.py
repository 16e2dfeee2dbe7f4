"""rulec-proxy built with a profile of what it did under load (PGO)."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from servers import ROOT

FOLDER = ROOT / "target/pgo"


def build(train):
    """`train` puts load on the program whose path it is given, and ends it by SIGTERM; what is built then is returned."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    train(compiled(f"-Cprofile-generate={FOLDER}"))
    written = list(FOLDER.glob("*.profraw"))
    if not written:
        raise SystemExit("no profile was written")
    merged = FOLDER / "merged.profdata"
    subprocess.run([profdata(), "merge", "-o", merged, *written], check=True)
    return Path(shutil.copy(compiled(f"-Cprofile-use={merged}"), FOLDER))


def rustc(pattern):
    told = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(pattern, told, re.M)[1]


def compiled(flags):
    """With a target, what runs while building has none of the flags."""
    triple = rustc("^host: (.*)$")
    subprocess.run(["cargo", "build", "--release", "--quiet", "--bin", "rulec-proxy", "--target", triple], cwd=ROOT,
                   env=os.environ | {"RUSTFLAGS": flags}, check=True)
    return ROOT / "target" / triple / "release/rulec-proxy"


def profdata():
    """The one of rustc's LLVM: rustup's component llvm-tools has it, and Debian's package llvm-N."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    name = f"llvm-profdata-{rustc(r'^LLVM version: ([0-9]+)')}"
    own = Path(sysroot, "lib/rustlib", rustc("^host: (.*)$"), "bin/llvm-profdata")
    found = own if own.exists() else shutil.which(name)
    if not found:
        raise SystemExit(f"{name} is missing: rustup component add llvm-tools, or the package {name.replace('-profdata', '')}")
    return found
