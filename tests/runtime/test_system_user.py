import stat
from pathlib import Path

from shoufu.runtime.servers import system_user


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_parents_can_be_passed_through_but_not_listed(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    (shut / "inner").mkdir(parents=True)
    shut.chmod(0o700)
    assert shut in system_user.open_way(shut / "inner")
    assert mode(shut) == 0o701
    assert shut not in system_user.open_way(shut / "inner")


def test_programs_installed_under_a_strict_umask_can_be_read_and_run(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o700)
    program, text = folder / "program", folder / "text"
    program.touch(0o700)
    text.touch(0o600)
    system_user.open_tree(folder)
    assert (mode(folder), mode(program), mode(text)) == (0o705, 0o705, 0o604)


def test_missing_folder_is_nothing_to_open(tmp_path: Path) -> None:
    system_user.open_tree(tmp_path / "missing")
