"""Holds a bundle of proofs against pymerkle, an implementation that knows nothing of ours.

Usage: bundle.py ARCHIVE

Signatures are not its business: it says which root each entry is proved under.
"""

import base64
import sys
import tarfile
import warnings

from pymerkle import InmemoryTree, InvalidProof, verify_inclusion
from pymerkle.core import _inclusion_path_layout
from pymerkle.proof import InclusionProof

warnings.simplefilter("ignore", DeprecationWarning)


def main():
    proved, roots = 0, set()
    with tarfile.open(sys.argv[1]) as archive:
        for member in archive:
            if not member.name.endswith(".tlog-proof"):
                continue
            head, _, note = archive.extractfile(member).read().decode().partition("\n\n")
            version, extra, index, *path = head.split("\n")
            if version != "c2sp.org/tlog-proof@v1":
                sys.exit(f"not a proof: {member.name}")
            _, size, root = note.split("\n")[:3]
            size, index = int(size), int(index.removeprefix("index ")) + 1
            leaf = InmemoryTree(algorithm="sha256").hash_buff(base64.b64decode(extra.removeprefix("extra ")))
            path = [leaf] + [base64.b64decode(hash) for hash in path]
            # Which side each hash of the path stands on follows from place and size; verifying computes it again.
            rule, _ = _inclusion_path_layout(index, size)
            proof = InclusionProof("sha256", True, size, index, rule, path)
            try:
                verify_inclusion(leaf, base64.b64decode(root), proof, index, size, "sha256")
            except InvalidProof as wrong:
                sys.exit(f"{member.name}: {wrong}")
            proved += 1
            roots.add(root)
    for root in sorted(roots):
        print(f"{proved} entries are proved under {root}")


main()
