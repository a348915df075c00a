"""Open the sealed originals of an evidence bundle, and check them against its manifest."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import click

SEALED = "sealed/originals.zip.age"


@click.command("open")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--identity", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your age key file.")
@click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(file: Path, folder: Path, identity: Path | None, passphrase_file: Path | None) -> None:
    """Write the sealed originals of the bundle FILE into FOLDER. Asks for the passphrase where none is given."""
    from shoufu.engines.evidence import verify
    from shoufu.engines.evidence.age import AgeError, decrypt

    report = verify(file)
    if not report.ok or report.manifest is None:
        raise click.ClickException("the bundle is not whole; run `shoufu evidence verify` on it")
    if SEALED not in {entry.path for entry in report.manifest.files}:
        raise click.ClickException("this bundle holds no sealed originals")
    key = _identity(identity) if identity else ""
    passphrase = passphrase_file.read_text().strip() if passphrase_file else ""
    if not key and not passphrase:
        passphrase = click.prompt("Passphrase", hide_input=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work, zipfile.ZipFile(file) as bundle:
        plain = Path(work) / "originals.zip"
        try:
            with bundle.open(SEALED) as source, plain.open("wb") as sink:
                for piece in decrypt(source, passphrase=passphrase, identity=key):
                    sink.write(piece)
        except AgeError as error:
            raise click.ClickException(str(error)) from error
        _write(plain, folder, {entry.original_sha256 for entry in report.manifest.files if entry.original_sha256})


def _identity(path: Path) -> str:
    """The first secret key of a file as `age-keygen` writes it."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")


def _write(plain: Path, folder: Path, known: set[str]) -> None:
    import hashlib

    with zipfile.ZipFile(plain) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if hashlib.sha256(data).hexdigest() not in known:
                raise click.ClickException(f"{name} is not an original that the manifest names")
            (folder / Path(name).name).write_bytes(data)
            click.echo(f"{folder / Path(name).name}: as the manifest says")
