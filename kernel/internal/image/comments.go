package image

import (
	"bytes"
	"errors"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An image whose sources differ only in comments is used again: codeKey is the key of sources without comments, and an
// image has it in its manifest. A kernel computes it only when there is no image for the sources as they are, since that
// takes longer than the rest of its start.

// codeKey is imageKey without the comments that cannot change the compiled code.
func codeKey(tc Toolchain, src fs.FS, c *CSet, race bool) (string, error) {
	return hashImage(tc, src, c, race, withoutComments)
}

// withoutComments returns a file without its line comments, if it is a Go file. What remains has the same lines and
// columns. Block comments, directives and files that may contain C code remain as they are.
func withoutComments(name string, src []byte) []byte {
	if !strings.HasSuffix(name, ".go") || bytes.Contains(src, []byte(`"C"`)) {
		return src
	}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile(name, -1, len(src))
	s.Init(file, src, nil, scanner.ScanComments)
	var rest []byte
	from := 0
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok != token.COMMENT || !isProse(text) {
			continue
		}
		at := file.Offset(pos)
		rest, from = append(rest, src[from:at]...), len(src)
		if n := bytes.IndexByte(src[at:], '\n'); n >= 0 {
			from = at + n
		}
	}
	if s.ErrorCount > 0 {
		return src
	}
	return append(rest, src[from:]...)
}

// isProse reports whether a comment is a line comment and no directive: directives have no blank after the slashes,
// except for the old form of build constraints.
func isProse(comment string) bool {
	text, isLine := strings.CutPrefix(comment, "//")
	return isLine && (text == "" || text[0] == ' ' || text[0] == '\t') && !strings.HasPrefix(strings.TrimSpace(text), "+build")
}

// linkEqual makes dir a symbolic link to an image in the same folder that has this code key, and reports whether there
// is one.
func linkEqual(dir, code string) bool {
	images := filepath.Dir(dir)
	entries, err := os.ReadDir(images)
	if err != nil {
		return false
	}
	for _, e := range entries {
		image := filepath.Join(images, e.Name())
		if mf, err := readManifest(image); !e.IsDir() || err != nil || mf.Code != code || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if m, err := read(image); err != nil || m.use == nil {
			continue // it is damaged, or the folder is not writable
		}
		return os.RemoveAll(dir) == nil && os.Symlink(e.Name(), dir) == nil
	}
	return false
}

// removeLinks removes the links to images that are gone.
func removeLinks(images string) {
	entries, err := os.ReadDir(images)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := filepath.Join(images, e.Name())
		if _, err := os.Stat(name); e.Type()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(name)
		}
	}
}
