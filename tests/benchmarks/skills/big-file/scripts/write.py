"""Writes big.bin, of as many MiB of random bytes as the argument says."""

import os
import sys

with open("big.bin", "wb") as target:
    target.writelines(os.urandom(1024 * 1024) for _ in range(int(sys.argv[1])))
