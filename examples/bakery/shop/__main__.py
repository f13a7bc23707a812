"""Run the shop as a folder: `python examples/bakery/shop --state FOLDER --port 8643`."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
runpy.run_module("shop.opening", run_name="__main__", alter_sys=True)
