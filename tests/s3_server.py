"""A real S3 server (SeaweedFS) on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import s3fs

from infra.process import free_ports

ACCESS_KEY, SECRET_KEY = "dubline-tests", "not-a-secret"
BOOT_TIMEOUT_S = 60


@dataclass
class S3Server:
    """A running server with one bucket. `stop` ends it, `start` starts it again over the same data."""

    root: Path
    bucket: str = "dubline"
    ports: Sequence[int] = field(default_factory=lambda: free_ports(5))
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def files(self) -> s3fs.S3FileSystem:
        """To look at what is stored, past Dubline."""
        return s3fs.S3FileSystem(
            endpoint_url=self.endpoint, key=ACCESS_KEY, secret=SECRET_KEY, use_listings_cache=False
        )

    def environment(self, prefix: str, endpoint: str | None = None) -> dict[str, str]:
        """What a process needs to keep its artifacts and checkpoints here; `endpoint` puts a proxy in between."""
        return {
            "DUBLINE_STORE": f"s3://{self.bucket}/{prefix}",
            "DUBLINE_S3_ENDPOINT": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> S3Server:
        (self.root / "data").mkdir(parents=True, exist_ok=True)
        (self.root / "s3.json").write_text(_identities(), encoding="utf-8")
        s3_port, master, volume, filer, admin = map(str, self.ports)
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *[str(Path(sys.executable).with_name("weed")), "-logtostderr=true", "mini"],
                    *[f"-dir={self.root / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"],
                    *[f"-s3.port={s3_port}", f"-s3.config={self.root / 's3.json'}"],
                    *[f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"],
                    *[f"-admin.port={admin}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"],
                    *["-admin.ui=false", "-master.telemetry=false", "-webdav=false"],
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait()
        return self

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        while not self._has_bucket():
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise RuntimeError(f"The S3 server did not start; its log is {self.root / 'log'}.")
            time.sleep(0.1)

    def _has_bucket(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()  # s3fs would wait long for it
            if not self.files.exists(self.bucket):
                self.files.mkdir(self.bucket)
        except OSError:
            return False  # not all of its parts are up yet
        return True


def _identities() -> str:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    return json.dumps({"identities": [{"name": "tests", "credentials": credentials, "actions": ["Admin"]}]})
