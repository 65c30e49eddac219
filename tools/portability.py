"""Run every notebook under several machine settings and print a table.

    python tools/portability.py

One and two threads, with and without vector instructions, twice each; a
notebook that takes over a minute runs once. Exit code 1 if any run fails.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAIN = {  # the vector instructions of torch, oneDNN and MKL switched off
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
}


def run(path: Path, threads: int, vectors: bool) -> tuple[bool, float, str]:
    """One run under nbval: passed, seconds, what pytest said."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    environment |= {} if vectors else PLAIN
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    return done.returncode == 0, seconds, done.stdout


def main() -> int:
    """Print the table; the exit code counts as pass or fail."""
    print("notebook                  threads  vectors  runs  seconds  result")
    failures = 0
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        facts = json.loads(path.read_text("utf-8"))["metadata"]["unrolled"]
        repeats = 1 if facts["seconds"] > 60 else 2
        for threads in (1, 2):
            for vectors in (True, False):
                runs = [run(path, threads, vectors) for _ in range(repeats)]
                passed = all(ok for ok, _, _ in runs)
                mean = sum(seconds for _, seconds, _ in runs) / repeats
                print(
                    f"{path.stem:25s} {threads:7d}  "
                    f"{'on' if vectors else 'off':7s}  {repeats:4d}  "
                    f"{mean:7.1f}  {'green' if passed else 'FAILED'}",
                    flush=True,
                )
                if not passed:
                    failures += 1
                    print(next(said for ok, _, said in runs if not ok)[-3000:])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
