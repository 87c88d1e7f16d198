"""How the versions that no wheel carries are got."""

from pathlib import Path

import pytest

from scripts.servers import advice, unpack, wanted, write_wrappers

NAMES = ["postgresql-15", "postgresql-client-15"]
PLAN = """\
'http://x/libc6_2.36-9%2bdeb12u14_amd64.deb' libc6_2.36-9+deb12u14_amd64.deb 2759320 MD5Sum:1
'http://x/libllvm14_1%3a14.0.6-12_amd64.deb' libllvm14_1%3a14.0.6-12_amd64.deb 21840232 MD5Sum:1
'http://x/libcap2_1%3a2.66-4_amd64.deb' libcap2_1%3a2.66-4_amd64.deb 27708 MD5Sum:1
'http://x/libperl5.36_5.36.0-7_amd64.deb' libperl5.36_5.36.0-7_amd64.deb 4207640 MD5Sum:1
'http://x/libxml2_2.9.14%2bdfsg-1_amd64.deb' libxml2_2.9.14+dfsg-1_amd64.deb 688760 MD5Sum:1
'http://x/postgresql-common_248_all.deb' postgresql-common_248_all.deb 179624 MD5Sum:1
'http://x/postgresql-15_15.20-0_amd64.deb' postgresql-15_15.20-0_amd64.deb 17091392 MD5Sum:1
"""


def test_plan_is_cut_to_the_server_and_its_libraries() -> None:
    """
    Of what apt would install, the server and the libraries that it loads are unpacked, at exactly apt's versions.
    """
    assert ["libcap2=1:2.66-4", "libxml2=2.9.14+dfsg-1", "postgresql-15=15.20-0"] == wanted(PLAN, NAMES)


def test_machine_without_apt_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where there is no apt, the message names the packages and the variable; nothing is made.
    """
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit) as caught:
        unpack(15, tmp_path, tmp_path / "draft")

    assert advice(15, "there is no apt-get here") == caught.value.code
    assert "REMIT_POSTGRESQL_15" in str(caught.value.code)
    assert [] == list(tmp_path.iterdir())


def test_wrapper_finds_its_program_and_its_libraries(tmp_path: Path) -> None:
    """
    A wrapper starts the program of its name with the unpacked libraries first, wherever the folder is moved to.
    """
    draft = tmp_path / "draft of it"
    programs = draft / "files/usr/lib/postgresql/15/bin"
    programs.mkdir(parents=True)
    (draft / "files/usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (draft / "files/usr/lib/x86_64-linux-gnu/libone.so.1").touch()
    (programs / "postgres").touch()
    write_wrappers(draft, 15)

    text = (draft / "bin/postgres").read_text(encoding="utf-8")

    assert 'LD_LIBRARY_PATH="$root"/usr/lib/x86_64-linux-gnu$' in text
    assert 'exec "$root"/usr/lib/postgresql/15/bin/postgres "$@"' in text
    assert str(tmp_path) not in text
