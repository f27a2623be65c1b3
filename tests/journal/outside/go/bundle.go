package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// bundle holds an archive of proofs against the journal's key: every proof leads from its entry to a signed root, and
// every opening is what its entry commits to.
func bundle(vkey, path string) {
	file, err := os.Open(path)
	if err != nil {
		fail("%v", err)
	}
	defer file.Close()
	entries, openings, entry := 0, 0, ""
	for archive := tar.NewReader(file); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fail("%v", err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			fail("%v", err)
		}
		switch {
		case strings.HasSuffix(header.Name, ".tlog-proof"):
			entry = proof(vkey, string(data))
			entries++
		case strings.HasPrefix(header.Name, "entries/"):
			openings += opened(entry, data)
		}
	}
	fmt.Printf("%d entries and %d openings hold\n", entries, openings)
}

// proof reads C2SP's tlog-proof with the entry in it, and gives the entry it proves.
func proof(vkey, text string) string {
	head, note, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("not a proof: %q", text)
	}
	entry := decoded(strings.TrimPrefix(lines[1], "extra "))
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		fail("the index: %q", lines[2])
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		var hash tlog.Hash
		copy(hash[:], decoded(line))
		path = append(path, hash)
	}
	tree := checkpoint(vkey, []byte(note))
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		fail("the proof of %d: %v", index, err)
	}
	return string(entry)
}

// opened counts the openings of an entry: each slot's line is the hash of what is told, a salt and JSON.
func opened(entry string, data []byte) int {
	var slots map[string]string
	if err := json.Unmarshal(data, &slots); err != nil {
		fail("%v", err)
	}
	for slot, told := range slots {
		var committed bytes.Buffer
		committed.WriteString("porteplume-journal/v1/" + slot + "\x00")
		committed.Write(decoded(told))
		hash := sha256.Sum256(committed.Bytes())
		if !strings.Contains(entry, "\n"+slot+" "+base64.StdEncoding.EncodeToString(hash[:])+"\n") {
			fail("the entry does not commit to what is said of %s", slot)
		}
	}
	return len(slots)
}

func decoded(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		fail("not base64: %q", text)
	}
	return data
}
