// Command verify holds a served log against Go's reference implementation (golang.org/x/mod/sumdb/note and tlog):
// the checkpoint's signature, every entry's hash up to the signed root, proofs made from the served tiles.
//
// Usage: verify VKEY LOG BUNDLES
//
//	verify VKEY ARCHIVE
//
// LOG is an address or a folder with "checkpoint" and "tile/..."; BUNDLES is a folder with "tile/entries/..."; ARCHIVE is
// a bundle of proofs.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

func main() {
	if len(os.Args) == 3 {
		bundle(os.Args[1], os.Args[2])
		return
	}
	if len(os.Args) != 4 {
		fail("usage: verify VKEY LOG BUNDLES, or verify VKEY ARCHIVE")
	}
	tree := checkpoint(os.Args[1], read(os.Args[2], "checkpoint"))
	root, leaves := entries(os.Args[3], tree.N)
	if root != tree.Hash {
		fail("the entries do not give the signed root")
	}
	proofs(tree, leaves, tlog.TileHashReader(tree, reader{os.Args[2]}))
	fmt.Printf("%d entries hold\n", tree.N)
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func read(place, path string) []byte {
	if !strings.HasPrefix(place, "http://") {
		data, err := os.ReadFile(place + "/" + path)
		if err != nil {
			fail("%v", err)
		}
		return data
	}
	answer, err := http.Get(place + "/" + path)
	if err != nil {
		fail("%v", err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		fail("%s: %s %v", path, answer.Status, err)
	}
	return data
}

// checkpoint reads origin, size and root. tlog.ParseTree wants the first line of Go's own log, so it is no use here.
func checkpoint(vkey string, text []byte) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail("%v", err)
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		fail("the checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		fail("not a checkpoint of this log: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		fail("the size: %q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		fail("the root: %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// entries hashes every entry and gives the root over them.
func entries(place string, size int64) (tlog.Hash, []tlog.Hash) {
	var stored []tlog.Hash
	var leaves []tlog.Hash
	stores := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, 0, len(indexes))
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for first := int64(0); first < size; first += width {
		number := size - first
		if number > width {
			number = width
		}
		tile := tlog.Tile{H: 8, L: -1, N: first / width, W: int(number)}
		bundle := read(place, "tile/entries"+strings.TrimPrefix(tile.Path(), "tile/8/data"))
		for ; number > 0; number-- {
			if len(bundle) < 2 {
				fail("the bundle at %d is cut short", first)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			bundle = bundle[2:]
			if len(bundle) < length {
				fail("the bundle at %d is cut short", first)
			}
			leaf := tlog.RecordHash(bundle[:length])
			added, err := tlog.StoredHashesForRecordHash(int64(len(leaves)), leaf, stores)
			if err != nil {
				fail("%v", err)
			}
			stored, leaves, bundle = append(stored, added...), append(leaves, leaf), bundle[length:]
		}
		if len(bundle) != 0 {
			fail("the bundle at %d is too long", first)
		}
	}
	root, err := tlog.TreeHash(size, stores)
	if err != nil {
		fail("%v", err)
	}
	return root, leaves
}

// proofs makes and checks proofs from the served tiles, which the reader itself holds against the signed root.
func proofs(tree tlog.Tree, leaves []tlog.Hash, tiles tlog.HashReader) {
	for index := int64(0); index < tree.N; index += 1 + tree.N/500 {
		proof, err := tlog.ProveRecord(tree.N, index, tiles)
		if err != nil {
			fail("the proof of %d: %v", index, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaves[index]); err != nil {
			fail("the proof of %d: %v", index, err)
		}
	}
	for _, old := range []int64{1, 255, 256, 257, tree.N / 2, tree.N - 1} {
		if old < 1 || old >= tree.N {
			continue
		}
		before, err := tlog.TreeHash(old, tiles)
		if err != nil {
			fail("the tree of %d: %v", old, err)
		}
		proof, err := tlog.ProveTree(tree.N, old, tiles)
		if err != nil {
			fail("the proof from %d: %v", old, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, before); err != nil {
			fail("the proof from %d: %v", old, err)
		}
	}
}

// reader reads tiles as C2SP's tlog-tiles names them: without the height.
type reader struct{ place string }

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, 0, len(tiles))
	for _, tile := range tiles {
		found = append(found, read(r.place, "tile/"+strings.TrimPrefix(tile.Path(), "tile/8/")))
	}
	return found, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}
