package goobj

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

const (
	archiveMagic  = "!<arch>\n"
	archiveHeader = 60
)

// ParseArchive reads a compiled package: its Go object first, then those of its
// assembly files. Other members are passed over.
func ParseArchive(b []byte) ([]*Object, error) {
	if !bytes.HasPrefix(b, []byte(archiveMagic)) {
		return nil, fmt.Errorf("%w: not an archive", ErrFormat)
	}
	var objs []*Object
	for p := len(archiveMagic); p < len(b); {
		if len(b)-p < archiveHeader {
			return nil, fmt.Errorf("%w: truncated archive header", ErrFormat)
		}
		h := b[p : p+archiveHeader]
		name := strings.TrimRight(string(h[:16]), " ")
		size, err := strconv.Atoi(strings.TrimRight(string(h[48:58]), " "))
		p += archiveHeader
		if err != nil || size < 0 || size > len(b)-p {
			return nil, fmt.Errorf("%w: bad size of archive member %q", ErrFormat, name)
		}
		body := b[p : p+size]
		p += size + size&1
		if name == "__.PKGDEF" || !bytes.HasPrefix(body, []byte("go object ")) {
			continue
		}
		_, body, ok := bytes.Cut(body, []byte("\n!\n"))
		if !ok {
			return nil, fmt.Errorf("%w: archive member %q has no object", ErrFormat, name)
		}
		o, err := Parse(body)
		if err != nil {
			return nil, fmt.Errorf("archive member %q: %w", name, err)
		}
		objs = append(objs, o)
	}
	if len(objs) == 0 {
		return nil, fmt.Errorf("%w: archive without objects", ErrFormat)
	}
	return objs, nil
}
