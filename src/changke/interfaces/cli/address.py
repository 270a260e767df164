"""Where the site listens, and how a phone gets there."""

import argparse
import io
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import segno

from changke.interfaces.cli.session import CannotRun

LOCAL = "127.0.0.1"
EVERYWHERE = "0.0.0.0"


@dataclass(frozen=True)
class Address:
    """A host and port to listen on, with TLS if a certificate is given."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    @property
    def url(self) -> str:
        """For a browser on this machine."""
        return f"{self.scheme}://{LOCAL if self.host == EVERYWHERE else self.host}:{self.port}"

    def phone_urls(self) -> list[str]:
        """For the phones of the local network; none when only this machine is served."""
        if self.host in (LOCAL, "localhost"):
            return []
        return [f"{self.scheme}://{lan_address() if self.host == EVERYWHERE else self.host}:{self.port}"]

    def require_free(self) -> None:
        """Refuse a port that another program has, before anything is started."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except PermissionError as error:
                raise CannotRun(f"port {self.port} is for root only: choose one from 1024 with --port") from error
            except OSError as error:
                raise CannotRun(
                    f"port {self.port} at {self.host} is not free ({error.strerror}): "
                    f"changke up --port {self.port + 1}, or make demo PORT={self.port + 1}"
                ) from error

    def answers(self) -> bool:
        """Whether somebody listens here by now."""
        try:
            socket.create_connection((LOCAL if self.host == EVERYWHERE else self.host, self.port), 1).close()
        except OSError:
            return False
        return True

    def words(self) -> list[str]:
        """As arguments of `changke web`."""
        words = ["--host", self.host, "--port", str(self.port)]
        if self.certificate and self.key:
            words += ["--certificate", str(self.certificate), "--key", str(self.key)]
        return words

    def environment(self) -> dict[str, str]:
        """What the site must know of its address: which Host headers are its own, whether cookies are secure."""
        if self.host in (LOCAL, "localhost"):
            return {"BEHIND_HTTPS": "1"} if self.certificate else {}
        hosts = {lan_address(), socket.gethostname(), self.host, *os.environ.get("ALLOWED_HOSTS", "").split(",")}
        known = {"ALLOWED_HOSTS": ",".join(sorted(hosts - {"", EVERYWHERE}))}
        return known | ({"BEHIND_HTTPS": "1"} if self.certificate else {})

    @staticmethod
    def picture(url: str) -> str:
        """The URL as a QR code made of characters, for a phone's camera to read off the terminal."""
        drawn = io.StringIO()
        segno.make(url, error="m").terminal(out=drawn, compact=True)
        return drawn.getvalue()


def add_address_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000), help="default 8000, or PORT")
    parser.add_argument(
        "--host",
        nargs="?",
        const=EVERYWHERE,
        default=os.environ.get("HOST") or LOCAL,
        help="also serve the local network (alone: every network of this machine; or one address)",
    )
    parser.add_argument("--certificate", type=Path, help="serve HTTPS with this certificate chain (PEM)")
    parser.add_argument("--key", type=Path, help="its private key (PEM)")


def read_address(options: argparse.Namespace) -> Address:
    """The address that the arguments say; a certificate that cannot serve is refused here."""
    if bool(options.certificate) != bool(options.key):
        raise CannotRun("--certificate and --key belong together: give both")
    if options.certificate:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(options.certificate, options.key)
        except (OSError, ssl.SSLError) as error:
            raise CannotRun(f"the certificate and key do not work together: {error}") from error
    return Address(options.host, options.port, options.certificate, options.key)


def lan_address() -> str:
    """This machine's address in the local network: the one the system would send from. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: routed by default, never reached
        except OSError:
            return LOCAL
        address: str = probe.getsockname()[0]
        return address
