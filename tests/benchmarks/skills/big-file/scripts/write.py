"""Writes big.bin, of as many MiB of random bytes as the argument says."""

import os
import sys

with open("big.bin", "wb") as target:
    for _ in range(int(sys.argv[1])):
        target.write(os.urandom(1024 * 1024))
