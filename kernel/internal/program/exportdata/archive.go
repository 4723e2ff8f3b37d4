package exportdata

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// exportData returns the export data of a package archive: it is in the first
// member, __.PKGDEF, after a line $$B.
func exportData(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const magic, header = "!<arch>\n", 60
	head := make([]byte, len(magic)+header)
	r := bufio.NewReader(f)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("the file %s is not the archive of a compiled package", file)
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(head[len(magic)+48 : len(magic)+58])))
	if err != nil {
		return nil, fmt.Errorf("the archive %s has a malformed size of its first member: %w", file, err)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("cannot read the first member of the archive %s: %w", file, err)
	}
	_, data, ok := bytes.Cut(data, []byte("\n$$B\n"))
	if !ok {
		return nil, fmt.Errorf("the archive %s has no export data", file)
	}
	if i := bytes.LastIndex(data, []byte("\n$$\n")); i >= 0 {
		data = data[:i]
	}
	return data, nil
}
