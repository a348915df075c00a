"""A small RTSP server (RFC 2326, RTP interleaved, H.264 by RFC 6184) that streams one file to each client."""

import contextlib
import re
import socket
import socketserver
import struct
import threading
import time
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

_MTU = 1200
SDP = "\r\n".join(
    ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "t=0 0", "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000",
     "a=fmtp:96 packetization-mode=1", "a=control:track", ""]
)  # fmt: skip


class RtspServer(socketserver.ThreadingTCPServer):
    """Serves `path` over and over until closed; closing ends every connection, as a camera without power does."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, path: Path, port: int = 0, ahead: float | None = None) -> None:
        """`ahead`: by how many seconds the camera's clock is wrong; None for a camera that does not tell the time."""
        self.ahead = ahead
        super().__init__(("127.0.0.1", port), _Client)
        self.path = path
        self.clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


class _Client(socketserver.StreamRequestHandler):
    server: RtspServer

    def handle(self) -> None:
        self.server.clients.append(self.connection)
        try:
            while request := self._request():
                method, headers = request
                self._answer(method, headers)
                if method == "PLAY":
                    self._stream()
        except OSError:
            return

    def _request(self) -> tuple[str, str] | None:
        text = ""
        while not text.endswith("\r\n\r\n"):
            line = self.rfile.readline().decode()
            if not line:
                return None
            text += line
        return text.split(" ", 1)[0], text

    def _answer(self, method: str, headers: str) -> None:
        sequence = re.search(r"CSeq: *(\d+)", headers, re.I)
        lines = ["RTSP/1.0 200 OK", f"CSeq: {sequence[1] if sequence else 0}", "Session: 1"]
        body = ""
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        if method == "DESCRIBE":
            body = SDP
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        if method == "SETUP":
            lines.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _stream(self) -> None:
        started, offset, number = time.monotonic(), 0.0, 0
        while True:
            with av.open(str(self.server.path)) as container:
                stream = container.streams.video[0]
                annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
                last = 0.0
                for packet in container.demux(stream):
                    for whole in annexb.filter(packet if packet.size else None):
                        moment = offset + float(whole.pts * whole.time_base)
                        last = max(last, moment + 0.1)
                        time.sleep(max(0.0, started + moment - time.monotonic()))
                        if self.server.ahead is not None and whole.is_keyframe:
                            self._report(round(moment * 90_000))
                        number = self._send(bytes(whole), round(moment * 90_000), number)
            offset = last

    def _report(self, stamp: int) -> None:
        """A sender report (RFC 3550, 6.4.1): which moment by the camera's clock a time stamp is."""
        told = time.time() + self.server.ahead + 2_208_988_800
        ntp = (int(told), int(told % 1 * 2**32))
        report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 1, *ntp, stamp & 0xFFFFFFFF, 0, 0)
        self.wfile.write(b"$\x01" + struct.pack(">H", len(report)) + report)

    def _send(self, unit: bytes, stamp: int, number: int) -> int:
        nals = [nal for nal in re.split(rb"\x00\x00\x00?\x01", unit) if nal]
        for nal in nals:
            parts = _fragments(nal)
            for part in parts:
                final = nal is nals[-1] and part is parts[-1]
                head = struct.pack(">BBHII", 0x80, 96 | (0x80 if final else 0), number & 0xFFFF, stamp & 0xFFFFFFFF, 1)
                self.wfile.write(b"$\x00" + struct.pack(">H", len(head) + len(part)) + head + part)
                number += 1
        return number


def _fragments(nal: bytes) -> list[bytes]:
    if len(nal) <= _MTU:
        return [nal]
    indicator, kind = (nal[0] & 0xE0) | 28, nal[0] & 0x1F
    pieces = [nal[at : at + _MTU] for at in range(1, len(nal), _MTU)]
    flags = [0x80 if n == 0 else 0x40 if n == len(pieces) - 1 else 0 for n in range(len(pieces))]
    return [bytes([indicator, kind | flag]) + piece for flag, piece in zip(flags, pieces, strict=True)]
