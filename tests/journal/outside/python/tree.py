"""Holds a log against pymerkle, an implementation that knows nothing of ours.

Usage: tree.py FOLDER < QUESTIONS

FOLDER has "checkpoint" and "tile/entries/...", as `porteplume journal export` writes them. Each question is a line:
"inclusion INDEX LEAF PATH..." (the log's own proof) or "consistency OLD ROOT" (the log's own root of that time), hashes in
base64.
"""

import base64
import sys
import warnings
from pathlib import Path

from pymerkle import InmemoryTree, verify_consistency, verify_inclusion

warnings.simplefilter("ignore", DeprecationWarning)


def bundles(folder, size):
    """Every entry, in order."""
    for first in range(0, size, 256):
        number = first // 256
        name = f"{number % 1000:03}"
        while number >= 1000:
            number //= 1000
            name = f"x{number % 1000:03}/{name}"
        width = min(256, size - first)
        path = folder / "tile" / "entries" / (name if width == 256 else f"{name}.p/{width}")
        data, at = path.read_bytes(), 0
        for _ in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            at += 2
            yield data[at : at + length]
            at += length
        if at != len(data):
            sys.exit(f"the bundle at {first} is not what it should be")


def main():
    folder = Path(sys.argv[1])
    _, size, root = (folder / "checkpoint").read_text("utf-8").split("\n")[:3]
    size, root = int(size), base64.b64decode(root)
    tree = InmemoryTree(algorithm="sha256")
    for entry in bundles(folder, size):
        tree.append_entry(entry)
    if tree.get_state() != root:
        sys.exit("the entries do not give the signed root")
    for line in sys.stdin:
        kind, number, *hashes = line.split()
        hashes = [base64.b64decode(text) for text in hashes]
        if kind == "inclusion":
            # Theirs counts from 1, and its path begins with the leaf itself.
            proof = tree.prove_inclusion(int(number) + 1, size)
            verify_inclusion(hashes[0], root, proof)
            agrees = list(proof.path) == hashes
        else:
            # Their proofs of consistency have another form than RFC 6962's: they agree on what is proved.
            proof = tree.prove_consistency(int(number), size)
            verify_consistency(hashes[0], root, proof)
            agrees = tree.get_state(int(number)) == hashes[0]
        if not agrees:
            sys.exit(f"does not agree: {line.strip()}")
    print(f"{size} entries hold")


main()
