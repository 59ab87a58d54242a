"""The tests mirror the house: one folder per room.

They start it hundreds of times. What one process has compiled is kept for the next, whatever the
environment wishes: compiling everything anew takes longer than most tests.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
