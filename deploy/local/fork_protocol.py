"""What supervisor and fork server say to each other."""

import struct

# With each request to fork: a channel to the child, its output, and the lock of the data folder.
DESCRIPTORS = 3
# On the channel: the server has loaded and would fork now; and do so, for we adopt.
LOADED = b"l"
GO = b"g"
# The child's first word there.
PID = struct.Struct("=i")
# After what it is told there.
END = b"\n"
