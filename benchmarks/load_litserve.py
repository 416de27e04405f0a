"""The same peer behind LitServe: `python load_litserve.py BUNDLE PORT`; the library gathers batches. See load_peer.py."""

import sys
from pathlib import Path
from typing import Any

import litserve
from load_peer import Classifier

_BATCH, _WAIT = 16, 0.01  # tickets together, seconds to wait for them


class Api(litserve.LitAPI):
    """Sent to a process of its own by the library."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - the library passes it
        """Open the encoder."""
        self.classifier = Classifier(Path(sys.argv[1]))

    def decode_request(self, request: dict[str, str]) -> str:
        """The text."""
        return request["text"]

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Of a batch."""
        return self.classifier(texts)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """As it is."""
        return output


def main() -> None:
    """Serve until stopped."""
    server = litserve.LitServer(Api(max_batch_size=_BATCH, batch_timeout=_WAIT), accelerator="cpu")
    server.run(port=int(sys.argv[2]), generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
