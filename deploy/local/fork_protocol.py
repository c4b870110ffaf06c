"""What supervisor and fork server say to each other."""

import struct

# With each request to fork: a channel to the child, its output, and the lock of the data folder.
DESCRIPTORS = 3
# The child's first word on its channel.
PID = struct.Struct("=i")
# After what it is told there.
END = b"\n"
