"""A server as people run their own: over TCP, with TLS, certificates and passwords.

Owns: its cluster, certificates, access rules, start and stop. It is of version 15: Debian's build has TLS, the wheel's
have not.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import trustme

from remit.settings import programs_of
from remit.store.binaries import find_programs, server_account
from remit.store.cluster import Cluster, Credentials, ensure_cluster, prepare_folder

MAJOR = 15
START_SECONDS_MAX = 120
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = {port}
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
password_encryption = 'scram-sha-256'
shared_buffers = 32MB
"""
ACCESS = "hostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    """A running server, and the certificate that vouches for it under the name ``localhost``."""

    port: int
    credentials: Credentials
    authority: Path
    other_authority: Path

    def url(self, role: str = "remit_owner", *, host: str = "localhost", **parameters: str) -> str:
        """A URL that insists on the certificate, but for the changes."""
        password = getattr(self.credentials, role.removeprefix("remit_"))
        asked = {"sslmode": "verify-full", "sslrootcert": str(self.authority)} | parameters
        query = "&".join(f"{name}={quote(value, safe='/')}" for name, value in asked.items())
        return f"postgresql://{role}:{quote(password)}@{host}:{self.port}/remit?{query}"


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Run a server for the block."""
    folder = Path(tempfile.mkdtemp(prefix="remit-own-"))
    account = server_account()
    prepare_folder(folder, account)
    cluster = Cluster(folder=folder, programs=find_programs(MAJOR, programs_of(MAJOR)), major=MAJOR, account=account)
    credentials = ensure_cluster(cluster)
    authority, other = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("localhost")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    write(cluster, "postgresql.conf", SETTINGS.format(port=port).encode())
    write(cluster, "pg_hba.conf", ACCESS.encode())
    write(cluster, "server.pem", b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    write(cluster, "server.key", certificate.private_key_pem.bytes())
    authority.cert_pem.write_to_path(folder / "authority.pem")
    other.cert_pem.write_to_path(folder / "other.pem")
    log = cluster.data / "server.log"
    control(cluster, "start", "-l", str(log))
    try:
        yield OwnServer(
            port=port,
            credentials=credentials,
            authority=folder / "authority.pem",
            other_authority=folder / "other.pem",
        )
    finally:
        control(cluster, "stop", "-m", "immediate")
        shutil.rmtree(folder)


def write(cluster: Cluster, name: str, content: bytes) -> None:
    """Write a file that only the server may read."""
    path = cluster.data / name
    path.write_bytes(content)
    path.chmod(0o600)
    cluster.give(path)


def control(cluster: Cluster, *command: str) -> None:
    """Start or stop the server and wait for it; it inherits no pipe of ours."""
    subprocess.run(
        [str(cluster.programs / "pg_ctl"), "-D", str(cluster.data), "-w", *command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=START_SECONDS_MAX,
        **cluster.run_as(),
    )
