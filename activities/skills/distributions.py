"""Which package of the index has a module: what to declare for an import that nothing declares."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Where the name of the package is not that of its module. The first is the one to suggest.
_PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "attr": ("attrs",),
        "Bio": ("biopython",),
        "bs4": ("beautifulsoup4",),
        "Crypto": ("pycryptodome",),
        "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
        "dateutil": ("python-dateutil",),
        "discord": ("discord-py",),
        "docx": ("python-docx",),
        "dns": ("dnspython",),
        "dotenv": ("python-dotenv",),
        "exiftool": ("pyexiftool",),
        "faiss": ("faiss-cpu", "faiss-gpu"),
        "ffmpeg": ("ffmpeg-python",),
        "fitz": ("pymupdf",),
        "gi": ("pygobject",),
        "git": ("gitpython",),
        "gnupg": ("python-gnupg",),
        "googleapiclient": ("google-api-python-client",),
        "igraph": ("igraph", "python-igraph"),
        "imblearn": ("imbalanced-learn",),
        "jose": ("python-jose",),
        "jwt": ("pyjwt",),
        "ldap": ("python-ldap",),
        "Levenshtein": ("levenshtein", "python-levenshtein"),
        "magic": ("python-magic",),
        "markdown_it": ("markdown-it-py",),
        "mpl_toolkits": ("matplotlib",),
        "multipart": ("python-multipart",),
        "MySQLdb": ("mysqlclient",),
        "nacl": ("pynacl",),
        "nmap": ("python-nmap",),
        "OpenGL": ("pyopengl",),
        "OpenSSL": ("pyopenssl",),
        "osgeo": ("gdal",),
        "pdfminer": ("pdfminer-six",),
        "PIL": ("pillow",),
        "pkg_resources": ("setuptools",),
        "pptx": ("python-pptx",),
        "psycopg2": ("psycopg2-binary", "psycopg2"),
        "pylab": ("matplotlib",),
        "pythoncom": ("pywin32",),
        "rest_framework": ("djangorestframework",),
        "ruamel": ("ruamel-yaml",),
        "serial": ("pyserial",),
        "skimage": ("scikit-image",),
        "sklearn": ("scikit-learn",),
        "slugify": ("python-slugify",),
        "snappy": ("python-snappy",),
        "socks": ("pysocks",),
        "tavily": ("tavily-python",),
        "telegram": ("python-telegram-bot",),
        "speech_recognition": ("speechrecognition",),
        "umap": ("umap-learn",),
        "usb": ("pyusb",),
        "websocket": ("websocket-client",),
        "whisper": ("openai-whisper",),
        "win32com": ("pywin32",),
        "wx": ("wxpython",),
        "Xlib": ("python-xlib",),
        "yaml": ("pyyaml",),
        "youtube_transcript_api": ("youtube-transcript-api",),
        "zmq": ("pyzmq",),
    }
)


def package_of(module: str) -> str:
    """The package to suggest for a module: usually it has the same name."""
    return _PACKAGES[module][0] if module in _PACKAGES else canonicalize_name(module)


def may_provide(requirements: Sequence[str], modules: Sequence[str], module: str) -> bool:
    """Whether one of the requirements may bring ``module``.

    Only their names are known here. So one that matches none of the ``modules`` that are imported
    may be the one that brings it.
    """
    names = [canonicalize_name(Requirement(text).name) for text in requirements]
    if any(_matches(name, module) for name in names):
        return True
    return any(not any(_matches(name, other) for other in modules) for name in names)


def _matches(package: str, module: str) -> bool:
    if package in _PACKAGES.get(module, ()):
        return True
    wanted = canonicalize_name(module)
    plain = re.sub(r"^(python|py)-?|-?(python|py)$", "", package)
    return wanted in (package, plain) or package.startswith(f"{wanted}-")
