"""The native tools, one file each. The registry finds every module in this folder."""
