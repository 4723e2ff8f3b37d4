package goobj

import (
	"bytes"
	"fmt"
	"go/version"
	"strconv"
	"strings"
)

const (
	archiveMagic  = "!<arch>\n"
	archiveHeader = 60
)

// ParseArchive parses the archive of a compiled package. It returns the Go object of the package first, then the
// objects of its assembly files. It ignores other members. The objects refer to b, which must not change.
func ParseArchive(b []byte) ([]*Object, error) {
	if !bytes.HasPrefix(b, []byte(archiveMagic)) {
		return nil, fmt.Errorf("%w: the file is not an archive", ErrFormat)
	}
	var objs []*Object
	for p := len(archiveMagic); p < len(b); {
		if len(b)-p < archiveHeader {
			return nil, fmt.Errorf("%w: the header of an archive member is truncated", ErrFormat)
		}
		h := b[p : p+archiveHeader]
		name := strings.TrimRight(string(h[:16]), " ")
		size, err := strconv.Atoi(strings.TrimRight(string(h[48:58]), " "))
		p += archiveHeader
		if err != nil || size < 0 || size > len(b)-p {
			return nil, fmt.Errorf("%w: the header of the archive member %q has an invalid size", ErrFormat, name)
		}
		body := b[p : p+size]
		p += size + size&1
		if name == "__.PKGDEF" || !bytes.HasPrefix(body, []byte("go object ")) {
			continue
		}
		header, body, ok := bytes.Cut(body, []byte("\n!\n"))
		if !ok {
			return nil, fmt.Errorf("%w: the archive member %q contains no object", ErrFormat, name)
		}
		o, err := Parse(body)
		if err != nil {
			return nil, fmt.Errorf("cannot read the archive member %q: %w", name, err)
		}
		o.before127 = writtenBefore(header, "go1.27")
		objs = append(objs, o)
	}
	if len(objs) == 0 {
		return nil, fmt.Errorf("%w: the archive contains no objects", ErrFormat)
	}
	return objs, nil
}

// writtenBefore reports whether the header of an object, such as "go object
// linux amd64 go1.26.8 GOAMD64=v1", names a toolchain that is older than release.
func writtenBefore(header []byte, release string) bool {
	line, _, _ := bytes.Cut(header, []byte("\n"))
	for _, word := range strings.Fields(string(line)) {
		if version.IsValid(word) {
			return version.Compare(version.Lang(word), release) < 0
		}
	}
	return false
}
